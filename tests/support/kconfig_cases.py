# SPDX-License-Identifier: Apache-2.0
"""The cases of the rules whose evidence is a Kconfig symbol."""

from __future__ import annotations

from collections.abc import Mapping

from rule_case import Case
from sample_builds import BuildWithSources
from small_builds import DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, OLD_NAMES, SmallBuild

DIRECT_XIP = SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={})
AUTHEN = "MCUMGR_TRANSPORT_BT_AUTHEN"
STRICT = {
    AUTHEN: None,
    "MCUMGR_TRANSPORT_BT_PERM_RW": "n",
    "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN": "y",
}
HOOKS = {"MCUMGR_MGMT_NOTIFICATION_HOOKS": "n", "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK": "n"}
HELPER = {"NCS_SAMPLE_MCUMGR_BT_OTA_DFU": "y"}
REVERT = {
    "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "n",
    "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT": "y",
    "MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT": "y",
}


KCONFIG_CASES: Mapping[str, tuple[Case, ...]] = {
    "KC189": (
        Case(
            SmallBuild({"MCUBOOT_BOOTLOADER_USES_SHA512": "n"}, {"BOOT_IMG_HASH_ALG_SHA512": "y"}),
            SmallBuild({"MCUBOOT_BOOTLOADER_USES_SHA512": "y"}, {"BOOT_IMG_HASH_ALG_SHA512": "y"}),
            message="MCUboot is built for images hashed with SHA-512, the application is not",
        ),
        Case(
            SmallBuild({"MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE": "y"}),
            SmallBuild({"MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE": "n"}),
            message="the application is built for a signature over the image itself, MCUboot is "
            "not",
        ),
    ),
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
            severity="warning",
            message="the application updates 1 of the 2 images that MCUboot knows",
        ),
        Case(
            SmallBuild({"MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER": "2"}),
            message="the application updates 2 images, MCUboot only 1",
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
    "KC180": (
        Case(
            BuildWithSources(
                configuration="# comment\nCONFIG_MCUMGR_CMD_OS_MGMT=y\nCONFIG_MCUMGR_BUF_SIZE=512\n"
            ),
            BuildWithSources(configuration="CONFIG_MCUMGR_GRP_OS=y\n"),
            severity="warning",
            message="`CONFIG_MCUMGR_CMD_OS_MGMT` is called `CONFIG_MCUMGR_GRP_OS` in nRF Connect "
            "SDK 2.4 and later (Zephyr 3.3 and later)",
            has_edit=False,
        ),
        Case(
            BuildWithSources(configuration="CONFIG_MCUMGR_GRP_OS=y\n", application=OLD_NAMES),
            BuildWithSources(configuration="CONFIG_MCUMGR_CMD_OS_MGMT=y\n", application=OLD_NAMES),
            severity="warning",
            message="`CONFIG_MCUMGR_GRP_OS` is called `CONFIG_MCUMGR_CMD_OS_MGMT` in nRF Connect "
            "SDK 1.8 to 2.2 (Zephyr up to 3.2)",
            has_edit=False,
        ),
        Case(
            BuildWithSources(configuration='CONFIG_MCUBOOT_IMAGE_VERSION="1.3.0"\n'),
            BuildWithSources(configuration='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.0"\n'),
            severity="warning",
            message="`CONFIG_MCUBOOT_IMAGE_VERSION` is called "
            "`CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION` in this SDK",
            has_edit=False,
        ),
    ),
    "KC188": (
        Case(
            BuildWithSources(configuration=f"CONFIG_{AUTHEN}=n\n", application=STRICT),
            BuildWithSources(
                configuration="CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN=y\n", application=STRICT
            ),
            severity="warning",
            message=f"`CONFIG_{AUTHEN}=n` has no effect: the service asks for authentication",
            has_edit=True,
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
    "KC179": (
        Case(
            SmallBuild({"MCUBOOT_SIGNATURE_KEY_FILE": '"/keys/other.pem"'}, sysbuild={}),
            SmallBuild({"MCUBOOT_SIGNATURE_KEY_FILE": '"/keys/product.pem"'}, sysbuild={}),
            severity="warning",
            message="the application is signed with `/keys/other.pem`, MCUboot was built with "
            "`/keys/product.pem`",
            has_edit=False,
        ),
    ),
    "KC198": (
        Case(
            SmallBuild(
                {**DIRECT_XIP_APPLICATION, "BOOT_BUILD_DIRECT_XIP_VARIANT": "n"}, DIRECT_XIP_MCUBOOT
            ),
            DIRECT_XIP,
            message="there is no image for the secondary slot",
            cured_with={"variant": {}},
        ),
    ),
    "KC199": (
        Case(
            SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={"MCUMGR_GRP_OS": "n"}),
            DIRECT_XIP,
            severity="warning",
            message="`CONFIG_MCUMGR_GRP_OS` is n in the variant and y in the application",
            has_edit=False,
        ),
    ),
}
