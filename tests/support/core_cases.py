# SPDX-License-Identifier: Apache-2.0
"""The cases of the rules about a second image: that of the network core, mostly."""

from __future__ import annotations

from collections.abc import Mapping

from mcuboot_images import make_image
from rule_case import Case
from small_builds import SmallBuild

FLASH = "flash_primary"
TWO_IMAGES = {"UPDATEABLE_IMAGE_NUMBER": "2"}
TWO_UPDATES = {"MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER": "2"}
SECOND_SLOTS = {
    "mcuboot_secondary": (0x85000, 0x79000, FLASH),
    "mcuboot_primary_1": (0x0, 0x40000, "ram_flash"),
    "mcuboot_secondary_1": (0x100000, 0x40000, "external_flash"),
}
NCS_SYSBUILD = {"SB_CONFIG_PARTITION_MANAGER": "y", "SB_CONFIG_BOOTLOADER_MCUBOOT": "y"}
OVERWRITES = {"BOOT_SWAP_USING_MOVE": "n", "BOOT_UPGRADE_ONLY": "y", "SPI_NOR": "y"}
NETWORK_UPDATE = "signed_by_mcuboot_and_b0_ipc_radio.bin"


def two_cores(network_update: bytes, region: str = "ram_flash") -> SmallBuild:
    """A build that updates both cores, with this image for the network core."""
    return SmallBuild(
        {
            **TWO_UPDATES,
            "SPI_NOR": "y",
            "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "n",
            "MCUBOOT_BOOTLOADER_MODE_OVERWRITE_ONLY": "y",
        },
        {**TWO_IMAGES, **OVERWRITES},
        {**SECOND_SLOTS, "mcuboot_primary_1": (0x0, 0x40000, region)},
        sysbuild=NCS_SYSBUILD,
        network_core={},
        files={NETWORK_UPDATE: network_update},
    )


NETWORK_FIRMWARE = make_image((1, 2, 0), linked_for=0x0100_8800)

CORE_CASES: Mapping[str, tuple[Case, ...]] = {
    "IM361": (
        Case(
            SmallBuild(sysbuild=NCS_SYSBUILD, network_core={}),
            SmallBuild(
                TWO_UPDATES,
                {**TWO_IMAGES, "BOOT_SWAP_USING_MOVE": "n", "BOOT_UPGRADE_ONLY": "y"},
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            severity="info",
            message="MCUboot updates one image, and `ipc_radio` is a second",
            has_edit=False,
        ),
        Case(
            SmallBuild(
                {"SPI_NOR": "y"},
                {"PCD_APP": "y", "SPI_NOR": "y"},
                {"mcuboot_secondary": (0x0, 0x79000, "external_flash")},
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            SmallBuild(mcuboot={"PCD_APP": "y"}, sysbuild=NCS_SYSBUILD, network_core={}),
            severity="warning",
            message="the network core's image would be taken from external flash, which MCUboot "
            "can do only together with the application's",
            has_edit=False,
        ),
    ),
    "IM362": (
        Case(
            SmallBuild(
                {**TWO_UPDATES, "SPI_NOR": "y"},
                {**TWO_IMAGES, "SPI_NOR": "y"},
                SECOND_SLOTS,
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            SmallBuild(
                {**TWO_UPDATES, "SPI_NOR": "y"},
                {
                    **TWO_IMAGES,
                    "SPI_NOR": "y",
                    "BOOT_SWAP_USING_MOVE": "n",
                    "BOOT_UPGRADE_ONLY": "y",
                },
                SECOND_SLOTS,
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            severity="warning",
            message="two images are updated with swap using move",
            has_edit=False,
        ),
    ),
    "IM363": (
        Case(
            SmallBuild(TWO_UPDATES, TWO_IMAGES),
            SmallBuild(
                {**TWO_UPDATES, "SPI_NOR": "y"}, {**TWO_IMAGES, "SPI_NOR": "y"}, SECOND_SLOTS
            ),
            message="MCUboot updates 2 images, and there is no primary slot of image 1 and no "
            "secondary slot of image 1",
            severity="warning",
            has_edit=False,
        ),
        # There the second image is MCUboot itself.
        Case(
            SmallBuild(TWO_UPDATES, TWO_IMAGES),
            SmallBuild(
                TWO_UPDATES, TWO_IMAGES, {"settings_storage": None, "b0": (0xFE000, 0x2000, FLASH)}
            ),
            severity="warning",
            has_edit=False,
        ),
    ),
    "IM365": (
        Case(
            two_cores(make_image((1, 2, 0), linked_for=0xC000)),
            two_cores(NETWORK_FIRMWARE),
            message=f"`{NETWORK_UPDATE}` is image 1, and holds firmware for the application core",
            has_edit=False,
        ),
        Case(
            two_cores(NETWORK_FIRMWARE, "external_flash"),
            two_cores(NETWORK_FIRMWARE),
            message="image 1 is the network core's, and its primary slot is in `external_flash`",
            has_edit=False,
        ),
    ),
    "IM354": (
        Case(
            two_cores(make_image((1, 2, 0), linked_for=0x0100_8800, size=0x3FF00)),
            two_cores(NETWORK_FIRMWARE),
            message="the update image has 262440 bytes, 1880 more than the 260560 that fit",
            has_edit=False,
        ),
    ),
}
