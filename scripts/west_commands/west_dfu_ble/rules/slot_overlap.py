# SPDX-License-Identifier: Apache-2.0
"""DT254: nothing else lies in a slot."""

from __future__ import annotations

from ..builddir import Build, Image, Partition, Slot
from ..diagnostics import Note
from .flash_layout import (
    DT_REFERENCE,
    PM_REFERENCE,
    is_partition_managed,
    mend_partitions,
    title,
)
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

DOC = RuleDoc(
    code="DT254",
    name="slot-overlap",
    category=Category.BROKEN,
    summary="a slot and another partition share flash",
    checks=(
        "No slot may overlap another slot or another partition of the same flash, but for parts of "
        "its own (`slot0_ns_partition` in `slot0_partition`; what a span of Partition Manager is "
        "made of)."
    ),
    why="An upload destroys what the other partition holds: settings, bonds, the running image.",
    fix="Move one of them.",
    bad="slot1_partition: partition@82000 { reg = <0x82000 0x7a000>; };\n"
    "storage_partition: partition@f8000 { reg = <0xf8000 0x8000>; };",
    good="slot1_partition: partition@82000 { reg = <0x82000 0x76000>; };\n"
    "storage_partition: partition@f8000 { reg = <0xf8000 0x8000>; };",
    applies="builds without Partition Manager; its own partitions are refused when they are read",
    references=(DT_REFERENCE, PM_REFERENCE),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare each slot with every partition of its flash."""
    build = context.build
    if is_partition_managed(build):
        return not_applicable("Partition Manager's partitions were found sound when they were read")
    for slot in build.slots:
        for other in build.partitions:
            if _collide(slot, other):
                return _finding(build, slot, other)
    return passed(f"{len(build.slots)} slots and {len(build.partitions)} partitions share nothing")


def _collide(slot: Slot, other: Partition) -> bool:
    if other.name == slot.name or other.region != slot.region:
        return False
    start, end = slot.address.value, slot.address.value + slot.size.value
    first, last = other.address.value, other.address.value + other.size.value
    if first >= end or last <= start:
        return False
    stem = slot.name.removesuffix("_partition")
    is_part = first >= start and last <= end and other.name.startswith(f"{stem}_")
    contains_all = first <= start and last >= end and not other.name.startswith("slot")
    # A partition around the slot may be a group of several; one inside it must be its own.
    return not is_part and not contains_all


def _finding(build: Build, slot: Slot, other: Partition) -> Finding:
    end = other.address.value + other.size.value
    return Finding(
        message=f"the {title(slot, build)} and `{other.name}` "
        f"({other.address.value:#x} to {end:#x}) overlap",
        location=slot.address.location,
        notes=(Note(f"`{other.name}` is here", other.address.location),),
        helps=(mend_partitions(build, "move one of them"),),
        data={"slot": slot.name, "other": other.name},
    )


RULE = Rule(DOC, check, roles=(), follows=("DT250",))
