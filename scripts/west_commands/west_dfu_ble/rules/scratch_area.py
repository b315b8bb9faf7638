# SPDX-License-Identifier: Apache-2.0
"""DT258: swapping over a scratch area needs one, large enough."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Location, Note
from ..mcuboot import BootloaderMode
from .flash_layout import DT_REFERENCE, PM_REFERENCE, mend_partitions, region_of
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
)

_NAMES = ("mcuboot_scratch", "scratch_partition", "image-scratch")

DOC = RuleDoc(
    code="DT258",
    name="scratch-area-missing",
    category=Category.BROKEN,
    summary="swap using scratch has no scratch area, or one smaller than a sector",
    checks=(
        "In swap using scratch: the partition `mcuboot_scratch` (Partition Manager) or "
        "`scratch_partition` (devicetree), of at least one erase block of the slots' flash."
    ),
    why="MCUboot exchanges the slots piece by piece through this area; without it nothing moves.",
    fix="Add the partition, or take swap using move, which needs none.",
    bad="CONFIG_BOOT_SWAP_USING_SCRATCH=y",
    good="mcuboot_scratch: {address: 0xfe000, size: 0x2000}",
    applies="swap using scratch",
    references=("mcuboot docs/design.md", DT_REFERENCE, PM_REFERENCE),
)


def check(context: Context, image: Image) -> Verdict:
    """Look for the area, and at its size."""
    build = context.build
    mode = build.mode
    if mode is not BootloaderMode.SWAP_USING_SCRATCH:
        return not_applicable(
            f"{mode.title} needs no scratch area" if mode else "the bootloader mode is not known"
        )
    area = next((one for one in build.partitions if one.name in _NAMES), None)
    primary = build.slot(0)
    if area is None:
        names = [one.name for one in build.partitions]
        return Finding(
            message="there is no scratch area",
            location=primary.address.location if primary else Location(build.path),
            notes=(Note(f"the partitions are {', '.join(names) or 'none'}"),),
            helps=(mend_partitions(build, "add it"),),
        )
    region = region_of(build, primary) if primary else None
    sector = (region.erase_block if region else None) or 4096
    if area.size.value < sector:
        return Finding(
            message=f"the scratch area has {area.size.value:#x} bytes, a sector {sector:#x}",
            location=area.size.location,
            helps=(mend_partitions(build, "make it a sector or more"),),
            data={"size": area.size.value, "sector": sector},
        )
    return passed(f"`{area.name}` has {area.size.value:#x} bytes")


RULE = Rule(DOC, check, roles=())
