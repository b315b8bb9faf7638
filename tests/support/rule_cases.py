# SPDX-License-Identifier: Apache-2.0
"""For each rule with a module of its own: builds that it finds, and one that it passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from small_builds import (
    DEVICETREE,
    DIRECT_XIP_APPLICATION,
    DIRECT_XIP_MCUBOOT,
    OLD_NAMES,
    SmallBuild,
)


@dataclass(frozen=True)
class Case:
    """One fault; `also` are findings that are not the rule's but can't be avoided with it."""

    bad: SmallBuild
    good: SmallBuild = field(default_factory=SmallBuild)
    severity: str = "error"
    message: str = ""
    has_edit: bool = True
    also: tuple[str, ...] = ()


DIRECT_XIP = SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={})
AUTHEN = "MCUMGR_TRANSPORT_BT_AUTHEN"
HOOKS = {"MCUMGR_MGMT_NOTIFICATION_HOOKS": "n", "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK": "n"}
HELPER = {"NCS_SAMPLE_MCUMGR_BT_OTA_DFU": "y"}
REVERT = {
    "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "n",
    "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT": "y",
    "MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT": "y",
}

# The public half of MCUboot's demo key for ECDSA P-256, as MCUboot's build has it.
DEMO_PUBLIC_KEY = """\
const unsigned char ecdsa_pub_key[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x2a, 0xcb, 0x40, 0x3c, 0xe8,
    0xfe, 0xed, 0x5b, 0xa4, 0x49, 0x95, 0xa1, 0xa9, 0x1d, 0xae, 0xe8, 0xdb, 0xbe, 0x19, 0x37, 0xcd,
    0x14, 0xfb, 0x2f, 0x24, 0x57, 0x37, 0xe5, 0x95, 0x39, 0x88, 0xd9, 0x94, 0xb9, 0xd6, 0x5a, 0xeb,
    0xd7, 0xcd, 0xd5, 0x30, 0x8a, 0xd6, 0xfe, 0x48, 0xb2, 0x4a, 0x6a, 0x81, 0x0e, 0xe5, 0xf0, 0x7d,
    0x8b, 0x68, 0x34, 0xcc, 0x3a, 0x6a, 0xfc, 0x53, 0x8e, 0xfa, 0xc1,
};
const unsigned int ecdsa_pub_key_len = 91;
"""

FLASH = "flash_primary"
EXTERNAL = {"mcuboot_secondary": (0x0, 0x79000, "external_flash")}
SCRATCH = {"BOOT_SWAP_USING_MOVE": "n", "BOOT_SWAP_USING_SCRATCH": "y"}
SCRATCH_APPLICATION = {
    "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "n",
    "MCUBOOT_BOOTLOADER_MODE_SWAP_SCRATCH": "y",
}
# Without Partition Manager the devicetree's partitions are the real ones.
NO_PM = {"PARTITION_MANAGER_ENABLED": "n"}


def without_pm(devicetree: str) -> SmallBuild:
    return SmallBuild(NO_PM, devicetree=devicetree, partitions=None, mcuboot=None)


CASES: Mapping[str, tuple[Case, ...]] = {
    "KC173": (
        Case(
            SmallBuild(DIRECT_XIP_APPLICATION, variant={}),
            message="the application is built for direct-xip, MCUboot for swap using move",
        ),
        Case(
            SmallBuild(mcuboot={"BOOT_SWAP_USING_MOVE": "n", "BOOT_UPGRADE_ONLY": "y"}),
            severity="warning",
        ),
    ),
    "KC174": (
        Case(
            SmallBuild(
                DIRECT_XIP_APPLICATION,
                {**DIRECT_XIP_MCUBOOT, "MCUBOOT_DOWNGRADE_PREVENTION": "y"},
                variant={},
            ),
            DIRECT_XIP,
            message="`CONFIG_MCUBOOT_DOWNGRADE_PREVENTION` is on in direct-xip",
        ),
    ),
    "KC175": (
        Case(
            SmallBuild(mcuboot={"BOOT_VALIDATE_SLOT0": "n"}),
            severity="warning",
            message="`CONFIG_BOOT_VALIDATE_SLOT0` is off",
        ),
    ),
    "KC176": (
        Case(
            SmallBuild(mcuboot={"UPDATEABLE_IMAGE_NUMBER": "2"}),
            message="the application updates 1 of the 2 images that MCUboot knows",
        ),
    ),
    "KC177": (
        Case(
            SmallBuild(
                mcuboot={
                    "BOOT_SIGNATURE_TYPE_ECDSA_P256": "n",
                    "BOOT_SIGNATURE_TYPE_NONE": "y",
                }
            ),
            severity="warning",
            message="`CONFIG_BOOT_SIGNATURE_TYPE_NONE` is on",
        ),
    ),
    "KC178": (
        Case(
            SmallBuild(
                DIRECT_XIP_APPLICATION,
                {**DIRECT_XIP_MCUBOOT, "BOOT_ENCRYPT_IMAGE": "y"},
                variant={},
            ),
            DIRECT_XIP,
            message="`CONFIG_BOOT_ENCRYPT_IMAGE` is on in direct-xip",
        ),
    ),
    "KC181": (
        Case(
            SmallBuild({**HELPER, **HOOKS, "CAF_BLE_SMP": None}),
            SmallBuild(HELPER),
            message="the OTA DFU helper is on, but not `CONFIG_MCUMGR_MGMT_NOTIFICATION_HOOKS` "
            "and `CONFIG_MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK`",
        ),
    ),
    "KC182": (
        Case(
            SmallBuild({"DESKTOP_DFU_MCUMGR_ENABLE": "y"}),
            message="both `CONFIG_CAF_BLE_SMP` and `CONFIG_DESKTOP_DFU_MCUMGR_ENABLE` are on",
        ),
        Case(SmallBuild({"DESKTOP_CONFIG_CHANNEL_DFU_ENABLE": "y"}), severity="warning"),
    ),
    "KC183": (
        Case(
            SmallBuild(
                OLD_NAMES,
                {**DIRECT_XIP_MCUBOOT, "BOOT_DIRECT_XIP_REVERT": "y"},
                variant={},
            ),
            SmallBuild(REVERT, {**DIRECT_XIP_MCUBOOT, "BOOT_DIRECT_XIP_REVERT": "y"}, variant={}),
        ),
    ),
    "KC184": (
        Case(
            SmallBuild({"BT_RX_STACK_SIZE": "1024", "HEAP_MEM_POOL_SIZE": "0"}),
            severity="warning",
            message="`CONFIG_BT_RX_STACK_SIZE` is 1024 bytes, no configuration that is known to "
            "work has less than 1200",
        ),
        Case(
            SmallBuild({**OLD_NAMES, "MCUMGR_SMP_WORKQUEUE_STACK_SIZE": "1024"}),
            severity="warning",
        ),
    ),
    "KC185": (
        Case(SmallBuild({AUTHEN: "n"}), severity="warning"),
        Case(
            SmallBuild({AUTHEN: None, "MCUMGR_TRANSPORT_BT_PERM_RW": "y"}),
            severity="warning",
        ),
    ),
    "KC186": (
        Case(
            SmallBuild({"BT_SMP": "n", "CAF": "n", "CAF_BLE_SMP": None, "CAF_BLE_STATE": None}),
            message=f"`CONFIG_{AUTHEN}` is on and `CONFIG_BT_SMP` is off",
        ),
    ),
    "KC187": (
        Case(
            SmallBuild({"CAF_BLE_ADV": "y", "CAF_BLE_ADV_FILTER_ACCEPT_LIST": "y"}),
            SmallBuild({"CAF_BLE_ADV": "y"}),
            severity="info",
        ),
    ),
    "KC190": (
        Case(
            SmallBuild({"MCUMGR_TRANSPORT_BT_REASSEMBLY": "n"}),
            severity="info",
            message="each request must fit one write of 495 bytes",
        ),
    ),
    "KC191": (
        Case(
            SmallBuild({"MCUMGR_TRANSPORT_NETBUF_SIZE": "384"}),
            severity="info",
            message="the buffers have 384 bytes, 2475 could be used",
        ),
    ),
    "KC192": (
        Case(SmallBuild({"MCUMGR_TRANSPORT_NETBUF_COUNT": "2"}), severity="info"),
        Case(SmallBuild({"MCUMGR_TRANSPORT_NETBUF_COUNT": "1"}), severity="error"),
    ),
    "KC193": (
        Case(
            SmallBuild({"MCUMGR_GRP_OS_MCUMGR_PARAMS": "n"}),
            severity="info",
            message="`CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS` is off",
        ),
    ),
    "KC194": (
        Case(
            SmallBuild({"BT_L2CAP_TX_MTU": "65"}),
            severity="info",
            message="the ATT MTU is 65 at most",
        ),
        Case(
            SmallBuild({"BT_BUF_ACL_RX_SIZE": "69"}),
            severity="info",
            message="the ATT MTU is 65 at most: `CONFIG_BT_L2CAP_TX_MTU` is 498, but "
            "`CONFIG_BT_BUF_ACL_RX_SIZE` is 69",
        ),
    ),
    "KC195": (
        Case(
            SmallBuild({"BT_CTLR_DATA_LENGTH_MAX": None}),
            severity="info",
            message="link packets carry 27 bytes at most",
        ),
    ),
    "KC196": (
        Case(SmallBuild({"MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": "n"}), severity="info"),
        Case(
            SmallBuild(
                {
                    "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": "n",
                    "BT_PERIPHERAL_PREF_MAX_INT": "9",
                    "BT_PERIPHERAL_PREF_LATENCY": "99",
                }
            ),
            SmallBuild(
                {
                    "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": "n",
                    "BT_PERIPHERAL_PREF_MAX_INT": "9",
                    "BT_PERIPHERAL_PREF_LATENCY": "99",
                    "DESKTOP_BLE_LATENCY_ENABLE": "y",
                }
            ),
            severity="info",
        ),
    ),
    "KC197": (
        Case(
            SmallBuild({"IMG_ERASE_PROGRESSIVELY": "n"}),
            severity="info",
            message="`CONFIG_IMG_ERASE_PROGRESSIVELY` is off",
        ),
    ),
    "DT250": (
        Case(
            without_pm(
                DEVICETREE.replace("slot1_partition", "other_partition").replace(
                    'label = "image-1";', 'label = "other";'
                )
            ),
            message="there is no secondary slot, which swap using move needs",
            has_edit=False,
        ),
    ),
    "DT251": (
        Case(
            SmallBuild(partitions={"mcuboot_secondary": (0x85000, 0x70000, FLASH)}),
            message="the primary slot has 0x79000 bytes, the secondary 0x70000",
            has_edit=False,
        ),
    ),
    "DT252": (
        Case(
            SmallBuild(partitions={"mcuboot_secondary": (0x85200, 0x79000 - 0x200, FLASH)}),
            message="the secondary slot begins at 0x85200, no multiple of the erase block 0x1000",
            has_edit=False,
            also=("DT251",),
        ),
    ),
    "DT253": (
        Case(
            SmallBuild(
                partitions={
                    "mcuboot_secondary": (0x88000, 0x79000, FLASH),
                    "settings_storage": None,
                }
            ),
            message="the secondary slot is 0x88000 to 0x101000, `flash_primary` 0x0 to 0x100000",
            has_edit=False,
        ),
    ),
    "DT254": (
        Case(
            without_pm(
                DEVICETREE.replace(
                    "slot1_partition: partition@85000 {",
                    "storage_partition: partition@fc000 { reg = < 0xfc000 0x4000 >; };"
                    " slot1_partition: partition@85000 {",
                )
            ),
            without_pm(DEVICETREE),
            message="the secondary slot and `storage_partition` (0xfc000 to 0x100000) overlap",
            has_edit=False,
        ),
    ),
    "DT255": (
        Case(
            SmallBuild(partitions=EXTERNAL, mcuboot={"NORDIC_QSPI_NOR": "y"}),
            SmallBuild({"SPI_NOR": "y"}, {"SPI_NOR": "y"}, EXTERNAL),
            message="the application has no driver for the flash of the secondary slot",
        ),
        Case(
            SmallBuild({"SPI_NOR": "y"}, partitions=EXTERNAL),
            SmallBuild({"SPI_NOR": "y"}, {"SPI_NOR": "y"}, EXTERNAL),
            message="MCUboot has no driver for the flash of the secondary slot",
        ),
    ),
    "DT256": (
        Case(
            SmallBuild(
                devicetree=DEVICETREE.replace("0xc000 0x79000", "0xc000 0x76000"), sysbuild={}
            ),
            SmallBuild(devicetree=DEVICETREE.replace("0xc000 0x79000", "0xc000 0x76000")),
            severity="warning",
            message="the primary slot has 0x79000 bytes, the devicetree by which it is signed says "
            "0x76000",
            has_edit=False,
        ),
    ),
    "DT257": (
        Case(
            SmallBuild(mcuboot={"BOOT_MAX_IMG_SECTORS": "64"}),
            message="the primary slot has 121 sectors, `CONFIG_BOOT_MAX_IMG_SECTORS` is 64",
        ),
    ),
    "DT258": (
        Case(
            SmallBuild(SCRATCH_APPLICATION, SCRATCH),
            SmallBuild(
                SCRATCH_APPLICATION,
                SCRATCH,
                {
                    "settings_storage": None,
                    "mcuboot_scratch": (0xFE000, 0x2000, FLASH),
                },
            ),
            message="there is no scratch area",
            has_edit=False,
        ),
    ),
    "IM350": (
        Case(
            SmallBuild(files={"mcuboot/zephyr/autogen-pubkey.c": DEMO_PUBLIC_KEY}),
            severity="warning",
            message="MCUboot was built with the published key `root-ec-p256.pem`",
            has_edit=False,
        ),
    ),
}
