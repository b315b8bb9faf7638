# SPDX-License-Identifier: Apache-2.0
"""DT253: slots lie inside their flash."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .flash_layout import DT_REFERENCE, PM_REFERENCE, mend_partitions, region_of, title
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="DT253",
    name="slot-outside-flash",
    category=Category.BROKEN,
    summary="a slot reaches beyond the flash that it lies in",
    checks="Every slot must begin and end inside its flash region.",
    why="An upload fails at the end of the flash, or already when the slot is erased.",
    fix="Make the slot smaller or move it.",
    bad="mcuboot_secondary: {address: 0x95000, size: 0x79000}   # flash ends at 0x100000",
    good="mcuboot_secondary: {address: 0x85000, size: 0x79000}",
    applies="every build whose flash regions are known",
    references=(DT_REFERENCE, PM_REFERENCE),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare each slot with its region."""
    build = context.build
    known = 0
    for slot in build.slots:
        region = region_of(build, slot)
        if region is None:
            continue
        known += 1
        end, limit = slot.address.value + slot.size.value, region.address + region.size
        if slot.address.value < region.address or end > limit:
            return Finding(
                message=f"the {title(slot, build)} is {slot.address.value:#x} to {end:#x}, "
                f"`{region.name}` {region.address:#x} to {limit:#x}",
                location=slot.address.location,
                notes=(Note(f"`{region.name}` has {region.size:#x} bytes", region.location),),
                helps=(mend_partitions(build, "make it smaller, or move it"),),
                data={"end": end, "limit": limit},
            )
    if not known:
        return unknown("the build does not tell the size of the slots' flash")
    return passed(f"{known} of {len(build.slots)} slots lie in a flash that is known")


RULE = Rule(DOC, check, roles=(), follows=("DT250",))
