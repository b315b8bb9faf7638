# SPDX-License-Identifier: Apache-2.0
"""The cases of the rules about slots and partitions."""

from __future__ import annotations

from collections.abc import Mapping

from rule_case import Case
from small_builds import DEVICETREE, SmallBuild

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


# The secondary slot in a flash of its own.
TWO_FLASHES = DEVICETREE.replace(
    'slot1_partition: partition@85000 {\n\t\t\t\t\t\tlabel = "image-1";\n'
    "\t\t\t\t\t\treg = < 0x85000 0x79000 >;\n\t\t\t\t\t};\n",
    "",
).replace(
    "\tsoc {",
    """\tflash1: flash@8000000 {
\t\tcompatible = "jedec,spi-nor";
\t\t#address-cells = < 0x1 >;
\t\t#size-cells = < 0x1 >;
\t\treg = < 0x8000000 0x100000 >;
\t\terase-block-size = < 0x1000 >;
\t\tpartitions {
\t\t\tcompatible = "fixed-partitions";
\t\t\t#address-cells = < 0x1 >;
\t\t\t#size-cells = < 0x1 >;
\t\t\tslot1_partition: partition@0 {
\t\t\t\tlabel = "image-1";
\t\t\t\treg = < 0x0 0x79000 >;
\t\t\t};
\t\t};
\t};
\tsoc {""",
    1,
)

FLASH_CASES: Mapping[str, tuple[Case, ...]] = {
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
        Case(
            SmallBuild(
                {**NO_PM, "SPI_NOR": "y"},
                None,
                None,
                devicetree=TWO_FLASHES.replace(
                    "reg = < 0x8000000 0x100000 >;\n\t\terase-block-size = < 0x1000 >;",
                    "reg = < 0x8000000 0x100000 >;\n\t\terase-block-size = < 0x800 >;",
                ),
            ),
            SmallBuild({**NO_PM, "SPI_NOR": "y"}, None, None, devicetree=TWO_FLASHES),
            message="the primary slot has sectors of 0x1000 bytes, the secondary of 0x800",
            has_edit=False,
        ),
    ),
    "DT252": (
        Case(
            SmallBuild(
                {"SOC_SERIES_NRF52X": None},
                partitions={"mcuboot_secondary": (0x85200, 0x79000 - 0x200, FLASH)},
            ),
            severity="warning",
            has_edit=False,
            also=("DT251",),
        ),
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
        # Without Partition Manager another driver may serve.
        Case(
            without_pm(TWO_FLASHES),
            SmallBuild({**NO_PM, "SPI_NOR": "y"}, None, None, devicetree=TWO_FLASHES),
            severity="warning",
            message="the application has no driver for the flash of the secondary slot",
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
}
