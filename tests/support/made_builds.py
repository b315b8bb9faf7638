# SPDX-License-Identifier: Apache-2.0
"""Build directories of the layouts that no real one is at hand for, as small as they can be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from west_dfu_ble.builddir import Build, Role

RECORDED = "/home/user/ws/build"  # where the machine that built had its build directory
NCS = "/home/user/ncs"

MCUBOOT_CACHE = f"APPLICATION_SOURCE_DIR:PATH={NCS}/bootloader/mcuboot/boot/zephyr\n"


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` (path below `root` -> content) and return `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def kconfig(*settings: str) -> str:
    """Text of a `.config`: ``"BT"`` is y, ``"-BT"`` is not set, ``"X=1"`` as it stands."""
    lines = []
    for setting in settings:
        prefix = "" if setting.lstrip("-").startswith("SB_CONFIG_") else "CONFIG_"
        if setting.startswith("-"):
            lines.append(f"# {prefix}{setting[1:]} is not set")
        else:
            lines.append(f"{prefix}{setting}" if "=" in setting else f"{prefix}{setting}=y")
    return "\n".join(lines) + "\n"


def cache(*entries: str) -> str:
    """Text of a `CMakeCache.txt` of a Zephyr build, with ``"NAME=value"`` entries added."""
    lines = [f"ZEPHYR_BASE:PATH={NCS}/zephyr", "ZEPHYR_TOOLCHAIN_VARIANT:INTERNAL=zephyr"]
    lines += [entry.replace("=", ":STRING=", 1) for entry in entries]
    return "# This is the CMakeCache file.\n\n" + "\n".join(lines) + "\n"


def domains(default: str, *names: str, build_dir: str = RECORDED) -> str:
    """Text of a `domains.yaml`."""
    entries = "".join(f"  - name: {n}\n    build_dir: {build_dir}/{n}\n" for n in (default, *names))
    return f"default: {default}\nbuild_dir: {build_dir}\ndomains:\n{entries}flash_order:\n"


def partition(
    name: str, address: int, size: int, region: str = "flash_primary", span: tuple[str, ...] = ()
) -> str:
    """One partition as `partitions.yml` has it."""
    text = f"{name}:\n  address: {address:#x}\n  end_address: {address + size:#x}\n"
    if span:
        children = "".join(f"  - {child}\n" for child in span)
        text += f"  orig_span: &{name}\n{children}  region: {region}\n  size: {size:#x}\n"
        return text + f"  span: *{name}\n"
    return text + f"  region: {region}\n  size: {size:#x}\n"


def region(name: str, base: int, size: int, device: str) -> str:
    """One region as `regions.yml` has it."""
    return (
        f"{name}:\n  base_address: {base:#x}\n  default_driver_kconfig: ''\n"
        f"  device: {device or repr('')}\n  name: {name}\n  size: {size:#x}\n"
    )


FLASH = region("flash_primary", 0, 0x100000, "flash_controller")
SRAM = region("sram_primary", 0x20000000, 0x40000, "")

SLOTS = (
    partition("mcuboot", 0, 0xC000)
    + partition("mcuboot_pad", 0xC000, 0x200)
    + partition("mcuboot_primary", 0xC000, 0x70000, span=("mcuboot_pad", "app"))
    + partition("app", 0xC200, 0x6FE00)
    + partition("mcuboot_primary_app", 0xC200, 0x6FE00, span=("app",))
    + partition("mcuboot_secondary", 0x7C000, 0x70000)
    + partition("sram_primary", 0x20000000, 0x40000, "sram_primary")
)


XIP_SLOTS = SLOTS.replace(
    partition("mcuboot_secondary", 0x7C000, 0x70000),
    partition("mcuboot_secondary", 0x7C000, 0x70000, span=("mcuboot_secondary_app",))
    + partition("mcuboot_secondary_app", 0x7C200, 0x6FE00),
)


def devicetree(partitions: str = "", *, flash: str = "flash0: flash@0", base: int = 0) -> str:
    """Text of a `zephyr.dts` with one flash memory of 1 MiB."""
    return f"""/dts-v1/;

/ {{
	#address-cells = < 0x1 >;
	#size-cells = < 0x1 >;
	chosen {{
		zephyr,flash = &flash0;
		zephyr,flash-controller = &flash_controller;
		zephyr,code-partition = &slot0_partition;
	}};
	soc {{
		#address-cells = < 0x1 >;
		#size-cells = < 0x1 >;
		flash_controller: flash-controller@4001e000 {{
			reg = < 0x4001e000 0x1000 >;
			#address-cells = < 0x1 >;
			#size-cells = < 0x1 >;
			{flash} {{
				compatible = "soc-nv-flash";
				erase-block-size = < 0x1000 >;
				write-block-size = < 0x4 >;
				reg = < {base:#x} 0x100000 >;
				partitions {{
					compatible = "fixed-partitions";
					#address-cells = < 0x1 >;
					#size-cells = < 0x1 >;
					slot0_partition: partition@10000 {{
						label = "image-0";
						reg = < 0x10000 0x60000 >;
					}};
					slot1_partition: partition@70000 {{
						label = "image-1";
						reg = < 0x70000 0x60000 >;
					}};
{partitions}				}};
			}};
		}};
	}};
}};
"""


def child_image_build(root: Path) -> Path:
    """An NCS 2.4 to 2.6 build: swap using move, RSA-2048 with MCUboot's public key."""
    return write(
        root,
        {
            "CMakeCache.txt": cache(
                f"CMAKE_CACHEFILE_DIR={RECORDED}",
                f"APPLICATION_SOURCE_DIR={NCS}/nrf/app",
                "CACHED_BOARD=nrf52840dk_nrf52840",
            ),
            "zephyr/.config": kconfig(
                "BOOTLOADER_MCUBOOT",
                "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH",
                'MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.3+4"',
                "ROM_START_OFFSET=0",
            ),
            "zephyr/zephyr.dts": devicetree(),
            "partitions.yml": SLOTS,
            "regions.yml": FLASH + SRAM,
            "mcuboot/CMakeCache.txt": cache("IMAGE_NAME=mcuboot") + MCUBOOT_CACHE,
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT",
                "BOOT_SWAP_USING_MOVE",
                "BOOT_SIGNATURE_TYPE_RSA",
                "BOOT_SIGNATURE_TYPE_RSA_LEN=2048",
                'BOOT_SIGNATURE_KEY_FILE="root-rsa-2048.pem"',
            ),
        },
    )


def zephyr_build(root: Path) -> Path:
    """A plain Zephyr build for MCUboot that was built elsewhere."""
    return write(
        root,
        {
            "CMakeCache.txt": cache(f"CMAKE_CACHEFILE_DIR={RECORDED}", "BOARD=nrf52840dk/nrf52840"),
            "zephyr/.config": kconfig(
                "BOOTLOADER_MCUBOOT",
                "MCUBOOT_BOOTLOADER_MODE_OVERWRITE_ONLY",
                'MCUBOOT_SIGNATURE_KEY_FILE="keys/own.pem"',
                'MCUBOOT_IMGTOOL_SIGN_VERSION="0.1.0"',
                "ROM_START_OFFSET=0x200",
            ),
            "zephyr/zephyr.dts": devicetree(),
        },
    )


def ncs_sysbuild_build(root: Path) -> Path:
    """NCS 2.7 and later with Partition Manager, direct-xip, ED25519, own key."""
    application = kconfig(
        "BOOTLOADER_MCUBOOT",
        "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT",
        'MCUBOOT_SIGNATURE_KEY_FILE="${APPLICATION_CONFIG_DIR}/keys/own.pem"',
        'MCUBOOT_IMGTOOL_SIGN_VERSION="2.0.0"',
        'KERNEL_BIN_NAME="firmware"',
    )
    config_dir = cache(f"APPLICATION_CONFIG_DIR={NCS}/app/config")
    return write(
        root,
        {
            "CMakeCache.txt": cache(
                f"CMAKE_CACHEFILE_DIR={RECORDED}",
                f"APPLICATION_SOURCE_DIR={NCS}/zephyr/share/sysbuild",
                f"APP_DIR={NCS}/app",
                "CMAKE_PROJECT_NAME=sysbuild",
            ),
            "domains.yaml": domains("app", "mcuboot", "mcuboot_secondary_app"),
            "zephyr/.config": kconfig(
                "SB_CONFIG_BOOTLOADER_MCUBOOT",
                "SB_CONFIG_PARTITION_MANAGER",
                "SB_CONFIG_MCUBOOT_MODE_DIRECT_XIP_WITH_REVERT",
                "SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT",
                "SB_CONFIG_MCUBOOT_APPLICATION_IMAGE_NUMBER=0",
            ),
            "partitions.yml": XIP_SLOTS,
            "regions.yml": FLASH + SRAM,
            "app/CMakeCache.txt": config_dir,
            "app/zephyr/.config": application,
            "app/zephyr/zephyr.dts": devicetree(),
            "app/zephyr/firmware.signed.bin": b"signed",
            "app/zephyr/firmware.bin": b"plain",
            "mcuboot/CMakeCache.txt": cache() + MCUBOOT_CACHE,
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT",
                "BOOT_DIRECT_XIP",
                "BOOT_DIRECT_XIP_REVERT",
                "BOOT_SIGNATURE_TYPE_ED25519",
                f'BOOT_SIGNATURE_KEY_FILE="{NCS}/app/config/keys/own.pem"',
            ),
            "mcuboot_secondary_app/CMakeCache.txt": cache(),
            "mcuboot_secondary_app/zephyr/.config": application + kconfig("NCS_IS_VARIANT_IMAGE"),
            "mcuboot_secondary_app/zephyr/firmware.signed.bin": b"signed for slot 1",
            "dfu_application.zip": b"package",
        },
    )


def roles(build: Build) -> dict[str, tuple[Role, int | None]]:
    """Role and number of each image, by name."""
    return {image.name: (image.role, image.number) for image in build.images}


def artifacts(build: Build) -> set[tuple[str, int | None, int | None]]:
    """Path below the build directory, image number and slot of each artifact."""
    return {(a.path.relative_to(build.path).as_posix(), a.image, a.slot) for a in build.artifacts}
