# SPDX-License-Identifier: Apache-2.0
"""What the rules about slots share."""

from __future__ import annotations

from ..builddir import Build, FlashRegion, Slot
from ..diagnostics import Help

PM_REFERENCE = "sdk-nrf scripts/partition_manager"
DT_REFERENCE = "zephyr dts/bindings/mtd/fixed-partitions.yaml"


def region_of(build: Build, slot: Slot) -> FlashRegion | None:
    """Return the flash memory that the slot lies in."""
    return next((region for region in build.flash if region.name == slot.region), None)


def is_partition_managed(build: Build) -> bool:
    """Whether Partition Manager placed the slots (its names begin with ``mcuboot_``)."""
    return any(slot.name.startswith("mcuboot_") for slot in build.slots)


def mend_partitions(build: Build, what: str) -> Help:
    """Say where partitions are changed: in the static partitions, or in the devicetree."""
    if is_partition_managed(build):
        return Help(f"{what} in the static partitions (`pm_static.yml`), and build pristine")
    return Help(f"{what} in the devicetree (an overlay of the board's `partitions` node)")


def title(slot: Slot, build: Build) -> str:
    """Name a slot for a message, with its image where there are several."""
    several = any(one.image for one in build.slots)
    return f"{slot.title} slot" + (f" of image {slot.image}" if several else "")
