# SPDX-License-Identifier: Apache-2.0
"""The build directory that a server in QEMU came from, as far as an update needs one.

The archive has the programs alone, so that what a build of them says is written down here: the
partitions as the server itself tells them (image group, slot info: 0x1A000 bytes each), the mode
and the signature type as the fixtures' sources say.
"""

from __future__ import annotations

from pathlib import Path

from made_builds import cache, domains, kconfig, write
from west_dfu_ble import image
from zephyr_qemu import ZephyrServer

SLOT_SIZE = 0x1A000
_HEADER_SIZE = 0x200
_DEVICETREE = f"""/dts-v1/;

/ {{
	#address-cells = < 0x1 >;
	#size-cells = < 0x1 >;
	chosen {{
		zephyr,flash = &flash0;
		zephyr,code-partition = &slot0_partition;
	}};
	flash0: flash@0 {{
		compatible = "soc-nv-flash";
		erase-block-size = < 0x400 >;
		write-block-size = < 0x4 >;
		reg = < 0x0 0x40000 >;
		partitions {{
			compatible = "fixed-partitions";
			#address-cells = < 0x1 >;
			#size-cells = < 0x1 >;
			boot_partition: partition@0 {{
				label = "mcuboot";
				reg = < 0x0 0x8000 >;
			}};
			slot0_partition: partition@8000 {{
				label = "image-0";
				reg = < 0x8000 {SLOT_SIZE:#x} >;
			}};
			slot1_partition: partition@22000 {{
				label = "image-1";
				reg = < 0x22000 {SLOT_SIZE:#x} >;
			}};
		}};
	}};
}};
"""


def cortex_m0_build(root: Path, server: ZephyrServer, payload: bytes | None = None) -> Path:
    """Write the build of the swap-using-offset target; `payload` replaces its own program."""
    program = payload or firmware(server)
    return write(
        root,
        {
            "CMakeCache.txt": cache("SYSBUILD=True", "BOARD=qemu_cortex_m0"),
            "domains.yaml": domains("smp_server", "mcuboot", build_dir=str(root)),
            "zephyr/.config": kconfig("SB_CONFIG_BOOTLOADER_MCUBOOT=y"),
            "smp_server/CMakeCache.txt": cache("SYSBUILD=True", "IMAGE_NAME=smp_server"),
            "smp_server/zephyr/.config": kconfig(
                "BOOTLOADER_MCUBOOT",
                "MCUBOOT_BOOTLOADER_MODE_SWAP_USING_OFFSET",
                "MCUBOOT_GENERATE_UNSIGNED_IMAGE",
                'MCUBOOT_SIGNATURE_KEY_FILE=""',
                f"ROM_START_OFFSET={_HEADER_SIZE:#x}",
                "MCUMGR",
            ),
            "smp_server/zephyr/zephyr.dts": _DEVICETREE,
            "smp_server/zephyr/zephyr.bin": bytes(_HEADER_SIZE) + program,
            "mcuboot/CMakeCache.txt": cache("SYSBUILD=True", "IMAGE_NAME=mcuboot"),
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT", "BOOT_SWAP_USING_OFFSET", "BOOT_SIGNATURE_TYPE_NONE"
            ),
            "mcuboot/zephyr/zephyr.dts": _DEVICETREE,
        },
    )


def firmware(server: ZephyrServer) -> bytes:
    """Return the program of the server's own update image, without header and TLVs."""
    return image.read(server.signed_image).payload
