# SPDX-License-Identifier: Apache-2.0
"""Small build directories for the tests of the rules: a good one as data, plus edits.

They are written to disk and read back by `builddir.load`, so that a rule sees what a real build
would show it. An edit maps a symbol (without ``CONFIG_``) to its value, to ``"n"`` for a line
"is not set", or to `None` for no line at all, as Kconfig leaves it when a dependency is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from west_dfu_ble import builddir
from west_dfu_ble.builddir import Build

Edits = Mapping[str, "str | None"]

# An application with the CAF SMP module, in the names of SDK 2.4 and later; nothing to complain of.
APPLICATION: Mapping[str, str] = {
    "CAF": "y",
    "CAF_BLE_STATE": "y",
    "CAF_BLE_SMP": "y",
    "APP_EVENT_MANAGER": "y",
    "BT": "y",
    "BT_PERIPHERAL": "y",
    "BT_CTLR": "y",
    "BT_LL_SOFTDEVICE": "y",
    "BT_SMP": "y",
    "BT_L2CAP_TX_MTU": "498",
    "BT_BUF_ACL_RX_SIZE": "502",
    "BT_BUF_ACL_TX_SIZE": "251",
    "BT_CTLR_DATA_LENGTH_MAX": "251",
    "BT_RX_STACK_SIZE": "2048",
    "HEAP_MEM_POOL_SIZE": "2048",
    "SYSTEM_WORKQUEUE_STACK_SIZE": "4096",
    "NET_BUF": "y",
    "ZCBOR": "y",
    "CRC": "y",
    "FLASH": "y",
    "FLASH_MAP": "y",
    "STREAM_FLASH": "y",
    "REBOOT": "y",
    "IMG_MANAGER": "y",
    "MCUBOOT_IMG_MANAGER": "y",
    "IMG_ERASE_PROGRESSIVELY": "y",
    "MCUMGR": "y",
    "MCUMGR_MGMT_NOTIFICATION_HOOKS": "y",
    "MCUMGR_GRP_IMG": "y",
    "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK": "y",
    "MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER": "1",
    "MCUMGR_GRP_OS": "y",
    "MCUMGR_GRP_OS_MCUMGR_PARAMS": "y",
    "MCUMGR_TRANSPORT_BT": "y",
    "MCUMGR_TRANSPORT_BT_AUTHEN": "y",
    "MCUMGR_TRANSPORT_BT_REASSEMBLY": "y",
    "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": "y",
    "MCUMGR_TRANSPORT_NETBUF_COUNT": "4",
    "MCUMGR_TRANSPORT_NETBUF_SIZE": "2475",
    "MCUMGR_TRANSPORT_WORKQUEUE_STACK_SIZE": "2048",
    "BOOTLOADER_MCUBOOT": "y",
    "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "y",
    "MCUBOOT_IMGTOOL_SIGN_VERSION": '"1.2.0+0"',
    "PARTITION_MANAGER_ENABLED": "y",
    "KERNEL_BIN_NAME": '"zephyr"',
    "BOARD": '"nrf52840dk_nrf52840"',
    "SOC_SERIES_NRF52X": "y",
}
MCUBOOT: Mapping[str, str] = {
    "MCUBOOT": "y",
    "BOOT_SIGNATURE_TYPE_ECDSA_P256": "y",
    "BOOT_SIGNATURE_KEY_FILE": '"/keys/product.pem"',
    "BOOT_VALIDATE_SLOT0": "y",
    "BOOT_SWAP_USING_MOVE": "y",
    "BOOT_MAX_IMG_SECTORS": "256",
    "KERNEL_BIN_NAME": '"zephyr"',
    "BOARD": '"nrf52840dk_nrf52840"',
    "SOC_SERIES_NRF52X": "y",
}
NETWORK_CORE: Mapping[str, str] = {
    "SOC_NRF5340_CPUNET": "y",
    "BT_CTLR": "y",
    "BT_CTLR_DATA_LENGTH_MAX": "251",
    "KERNEL_BIN_NAME": '"zephyr"',
    "BOARD": '"nrf5340dk_nrf5340_cpunet"',
}
# What turns the good build into one of the older generations: old names, and no name of newer ones.
OLD_NAMES: Edits = {
    "MCUMGR_CMD_IMG_MGMT": "y",
    "MCUMGR_CMD_OS_MGMT": "y",
    "MCUMGR_SMP_BT": "y",
    "MCUMGR_SMP_BT_AUTHEN": "y",
    "MCUMGR_SMP_REASSEMBLY_BT": "y",
    "MCUMGR_SMP_BT_CONN_PARAM_CONTROL": "y",
    "MCUMGR_BUF_COUNT": "4",
    "MCUMGR_BUF_SIZE": "2475",
    "OS_MGMT_MCUMGR_PARAMS": "y",
    "MCUBOOT_IMAGE_VERSION": '"1.2.0+0"',
    **{
        name: None
        for name in APPLICATION
        if name.startswith(("MCUMGR_GRP", "MCUMGR_TRANSPORT", "MCUMGR_MGMT", "MCUBOOT_BOOTLOADER_"))
    },
    "MCUBOOT_IMGTOOL_SIGN_VERSION": None,
}
MIXED_NAMES: Edits = {
    **OLD_NAMES,
    "MCUMGR_MGMT_NOTIFICATION_HOOKS": "y",
    "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK": "y",
}
NEW_NAMES: Edits = {}

DIRECT_XIP_APPLICATION: Edits = {
    "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "n",
    "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP": "y",
    "MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT": "y",
    "BOOT_BUILD_DIRECT_XIP_VARIANT": "y",
}
DIRECT_XIP_MCUBOOT: Edits = {"BOOT_SWAP_USING_MOVE": "n", "BOOT_DIRECT_XIP": "y"}

# The public half of a key that was made for these tests and thrown away, as MCUboot's build has it.
PUBLIC_KEY = """\
const unsigned char ecdsa_pub_key[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x17, 0x2b, 0x4e, 0x80, 0xe2,
    0x9e, 0x0d, 0xce, 0x28, 0x16, 0x6f, 0x0b, 0xf7, 0x5b, 0x67, 0x90, 0x00, 0xfe, 0xde, 0x90, 0xfe,
    0x85, 0x13, 0xec, 0x73, 0xb2, 0x0d, 0x13, 0x5c, 0x49, 0x05, 0xb1, 0x1a, 0xa3, 0x93, 0xef, 0xfe,
    0xf8, 0x3e, 0xdc, 0x30, 0x23, 0x03, 0x13, 0x81, 0xf2, 0x1f, 0xba, 0x10, 0x5e, 0x75, 0xa3, 0x58,
    0x6c, 0xa8, 0x57, 0x38, 0x7f, 0x2c, 0x2a, 0x30, 0xfc, 0x0c, 0xc0,
};
const unsigned int ecdsa_pub_key_len = 91;
"""

# Name -> (address, size, region); swap using move with room to spare.
PARTITIONS: Mapping[str, tuple[int, int, str]] = {
    "mcuboot": (0x0, 0xC000, "flash_primary"),
    "mcuboot_pad": (0xC000, 0x200, "flash_primary"),
    "app": (0xC200, 0x78E00, "flash_primary"),
    "mcuboot_primary": (0xC000, 0x79000, "flash_primary"),
    "mcuboot_primary_app": (0xC200, 0x78E00, "flash_primary"),
    "mcuboot_secondary": (0x85000, 0x79000, "flash_primary"),
    "settings_storage": (0xFE000, 0x2000, "flash_primary"),
}
_SPANS = {"mcuboot_primary": ("mcuboot_pad", "app"), "mcuboot_primary_app": ("app",)}

DEVICETREE = """/dts-v1/;
/ {
	#address-cells = < 0x1 >;
	#size-cells = < 0x1 >;
	chosen {
		zephyr,flash = &flash0;
		zephyr,code-partition = &slot0_partition;
	};
	soc {
		#address-cells = < 0x1 >;
		#size-cells = < 0x1 >;
		flash-controller@4001e000 {
			compatible = "nordic,nrf52-flash-controller";
			reg = < 0x4001e000 0x1000 >;
			#address-cells = < 0x1 >;
			#size-cells = < 0x1 >;
			flash0: flash@0 {
				compatible = "soc-nv-flash";
				erase-block-size = < 0x1000 >;
				write-block-size = < 0x4 >;
				reg = < 0x0 0x100000 >;
				partitions {
					compatible = "fixed-partitions";
					#address-cells = < 0x1 >;
					#size-cells = < 0x1 >;
					boot_partition: partition@0 {
						label = "mcuboot";
						reg = < 0x0 0xc000 >;
					};
					slot0_partition: partition@c000 {
						label = "image-0";
						reg = < 0xc000 0x79000 >;
					};
					slot1_partition: partition@85000 {
						label = "image-1";
						reg = < 0x85000 0x79000 >;
					};
				};
			};
		};
	};
};
"""


@dataclass(frozen=True)
class SmallBuild:
    """A build directory to be: the good one, plus edits.

    `files` are further files, by path inside the build directory; `variant` adds the folder of the
    variant with its own edits of the application's configuration. `partitions` is `None` without
    Partition Manager, `mcuboot` without MCUboot in the build. With `sysbuild` (its own symbols,
    with ``SB_CONFIG_``) it is a sysbuild build, whose application lies in the folder `app`.
    """

    application: Edits = field(default_factory=dict)
    mcuboot: Edits | None = field(default_factory=dict)
    partitions: Mapping[str, tuple[int, int, str] | None] | None = field(default_factory=dict)
    variant: Edits | None = None
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    devicetree: str = DEVICETREE
    sysbuild: Edits | None = None
    network_core: Edits | None = None

    def write(self, folder: Path) -> Path:
        """Write the build directory and return it."""
        application = {**APPLICATION, **self.application}
        top = folder if self.sysbuild is None else folder / "app"
        _write_image(top, application, "/src/app", self.devicetree)
        names = ["app"]
        if self.mcuboot is not None:
            names.append("mcuboot")
            mcuboot = {**MCUBOOT, **self.mcuboot}
            _write_image(folder / "mcuboot", mcuboot, "/src/mcuboot", self.devicetree)
            (folder / "mcuboot/zephyr/autogen-pubkey.c").write_text(PUBLIC_KEY)
        if self.variant is not None:
            names.append("mcuboot_secondary_app")
            variant = {**application, **self.variant}
            _write_image(folder / "mcuboot_secondary_app", variant, "/src/app", self.devicetree)
            cache = folder / "mcuboot_secondary_app/CMakeCache.txt"
            with cache.open("a") as stream:
                stream.write("CONFIG_NCS_IS_VARIANT_IMAGE:UNINITIALIZED=y\n")
        if self.network_core is not None:
            names.append("ipc_radio")
            network_core = {**NETWORK_CORE, **self.network_core}
            _write_image(folder / "ipc_radio", network_core, "/src/ipc_radio", self.devicetree)
        if self.sysbuild is not None:
            _write_sysbuild(folder, self.sysbuild, names)
        if self.partitions is not None:
            _write_partitions(folder, {**PARTITIONS, **self.partitions})
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    def load(self, folder: Path) -> Build:
        """Write the build directory and read it as the tool does."""
        return builddir.load(self.write(folder))


def _write_sysbuild(folder: Path, symbols: Edits, names: list[str]) -> None:
    (folder / "zephyr").mkdir(exist_ok=True)
    lines = [f"{name}={value}\n" for name, value in symbols.items() if value is not None]
    (folder / "zephyr/.config").write_text("".join(lines) or "SB_CONFIG_BOOTLOADER_MCUBOOT=y\n")
    (folder / "CMakeCache.txt").write_text(
        "CMAKE_PROJECT_NAME:STATIC=sysbuild\nAPP_DIR:PATH=/src/app\n"
        "ZEPHYR_BASE:PATH=/src/zephyr\nCACHED_BOARD:STRING=nrf52840dk_nrf52840\n"
    )
    entries = "".join(f"  - name: {one}\n    build_dir: {folder / one}\n" for one in names)
    (folder / "domains.yaml").write_text(
        f"default: app\nbuild_dir: {folder}\ndomains:\n{entries}flash_order:\n  - app\n"
    )


def _write_partitions(folder: Path, partitions: Mapping[str, tuple[int, int, str] | None]) -> None:
    (folder / "partitions.yml").write_text(_partitions(partitions))
    (folder / "regions.yml").write_text(
        "flash_primary:\n  base_address: 0x0\n  name: flash_primary\n  size: 0x100000\n"
        "  device: flash_controller\n"
        "external_flash:\n  base_address: 0x0\n  name: external_flash\n  size: 0x800000\n"
        "  device: DT_CHOSEN(nordic_pm_ext_flash)\n"
    )


def _write_image(folder: Path, symbols: Edits, source: str, devicetree: str) -> None:
    (folder / "zephyr").mkdir(parents=True, exist_ok=True)
    lines = []
    for name, value in symbols.items():
        if value == "n":
            lines.append(f"# CONFIG_{name} is not set\n")
        elif value is not None:
            lines.append(f"CONFIG_{name}={value}\n")
    (folder / "zephyr/.config").write_text("".join(lines))
    (folder / "zephyr/zephyr.dts").write_text(devicetree)
    (folder / "CMakeCache.txt").write_text(
        f"CMAKE_PROJECT_NAME:STATIC=app\nAPPLICATION_SOURCE_DIR:PATH={source}\n"
        "ZEPHYR_BASE:PATH=/src/zephyr\nCACHED_BOARD:STRING=nrf52840dk_nrf52840\n"
    )


def _partitions(partitions: Mapping[str, tuple[int, int, str] | None]) -> str:
    text = ""
    for name, entry in sorted(partitions.items()):
        if entry is None:
            continue
        address, size, region = entry
        text += (
            f"{name}:\n  address: {address:#x}\n  end_address: {address + size:#x}\n"
            f"  region: {region}\n  size: {size:#x}\n"
        )
        if name in _SPANS:
            text += "  span:\n" + "".join(f"  - {part}\n" for part in _SPANS[name])
    return text
