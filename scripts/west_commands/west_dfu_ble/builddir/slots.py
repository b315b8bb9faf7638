# SPDX-License-Identifier: Apache-2.0
"""Say which figures hold: Partition Manager's where it is used, or else the devicetree's.

With Partition Manager the devicetree still describes slots, and wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..diagnostics import Location
from ..faults import fault
from ..mcuboot import BootloaderMode
from .devicetree import Block, DeviceTree
from .model import Figure, FlashRegion, Kconfig, Partition, Slot
from .partitions import PartitionTable, PmRegion

_PM_SLOT = re.compile(r"mcuboot_(primary|secondary)(?:_(\d+))?")
_DEVICE = re.compile(r"DT_(?:CHOSEN|NODELABEL)\((\w+)\)")


@dataclass(frozen=True)
class Flash:
    """What partitions and devicetree together say about flash."""

    slots: tuple[Slot, ...]
    partitions: tuple[Partition, ...]
    regions: tuple[FlashRegion, ...]
    header_size: Figure | None
    write_block: Figure | None
    devicetree_slots: tuple[Slot, ...]


def flash_facts(
    application: Kconfig,
    table: PartitionTable | None,
    tree: DeviceTree | None,
    mode: BootloaderMode | None,
) -> Flash:
    """Put the facts together. Raises EN004 if Partition Manager's files lack a slot."""
    in_tree = _ordered(_tree_slots(tree)) if tree else ()
    if table is not None:
        if application.is_on("CONFIG_BOOTLOADER_MCUBOOT"):
            _require_slots(table, mode)
        slots = _ordered(_pm_slots(table))
        partitions = tuple(table.partitions.values())
        regions = tuple(_pm_region(r, tree) for r in table.regions.values() if _is_flash(r))
        header = table.partitions["mcuboot_pad"].size if "mcuboot_pad" in table.partitions else None
    else:
        slots = in_tree
        partitions = tree.partitions if tree else ()
        regions = tree.regions if tree else ()
        header = None
    return Flash(
        slots=slots,
        partitions=partitions,
        regions=regions,
        header_size=header or _number(application, "CONFIG_ROM_START_OFFSET"),
        write_block=_write_block(application, slots, regions),
        devicetree_slots=in_tree,
    )


def _ordered(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    return tuple(sorted(slots, key=lambda slot: (slot.image, slot.index)))


def _require_slots(table: PartitionTable, mode: BootloaderMode | None) -> None:
    needed = ["mcuboot_primary"]
    if mode is not None and mode.has_two_slots:
        needed.append("mcuboot_secondary")
    for name in needed:
        if name not in table.partitions:
            raise fault(
                "EN004",
                f"`{table.path.name}` has no partition `{name}`",
                why="MCUboot is built to update the application, and has no place for it.",
                location=Location(table.path),
                notes=[f"it has {', '.join(sorted(table.partitions)) or 'none at all'}"],
                helps=[f"add `{name}` to the static partitions (pm_static.yml)"],
            )


def _pm_slots(table: PartitionTable) -> Iterator[Slot]:
    for name, partition in table.partitions.items():
        match = _PM_SLOT.fullmatch(name)
        if match:
            yield Slot(
                image=int(match[2] or 0),
                index=0 if match[1] == "primary" else 1,
                name=name,
                address=partition.address,
                size=partition.size,
                region=partition.region,
            )


def _tree_slots(tree: DeviceTree) -> Iterator[Slot]:
    # Zephyr numbers slots through: 0 and 1 of image 0, 2 and 3 of image 1.
    for number, partition in tree.slots.items():
        yield Slot(
            image=number // 2,
            index=number % 2,
            name=partition.name,
            address=partition.address,
            size=partition.size,
            region=partition.region,
        )


def _is_flash(region: PmRegion) -> bool:
    return bool(region.device) or "flash" in region.name


def _pm_region(region: PmRegion, tree: DeviceTree | None) -> FlashRegion:
    block = _block(region, tree) or Block(None, None)
    return FlashRegion(
        name=region.name,
        address=region.address,
        size=region.size,
        erase_block=block.erase,
        write_block=block.write,
        location=region.location,
    )


def _block(region: PmRegion, tree: DeviceTree | None) -> Block | None:
    if tree is None:
        return None
    match = _DEVICE.search(region.device)
    device = match[1] if match else region.device
    # A chosen node is written with underscores in C.
    for name, block in tree.blocks.items():
        if re.sub(r"\W", "_", name) == device:
            return block
    # The internal flash's driver had a name of its own in older SDKs (NRF_FLASH_DRV_NAME).
    return tree.blocks.get("zephyr,flash") if region.name == "flash_primary" else None


def _write_block(
    application: Kconfig, slots: tuple[Slot, ...], regions: tuple[FlashRegion, ...]
) -> Figure | None:
    told = _number(application, "CONFIG_MCUBOOT_FLASH_WRITE_BLOCK_SIZE")
    if told:
        return told
    primary = next((s for s in slots if (s.image, s.index) == (0, 0)), None)
    region = next((r for r in regions if primary and r.name == primary.region), None)
    if region and region.write_block:
        return Figure(region.write_block, region.location)
    return None


def _number(kconfig: Kconfig, name: str) -> Figure | None:
    value = kconfig.integer(name)
    return Figure(value, kconfig.where(name)) if value is not None and value > 0 else None
