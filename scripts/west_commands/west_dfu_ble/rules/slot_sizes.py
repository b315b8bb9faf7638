# SPDX-License-Identifier: Apache-2.0
"""DT251: the two slots go together."""

from __future__ import annotations

from ..builddir import Build, Image, Slot
from ..diagnostics import Note
from ..mcuboot import BootloaderMode
from .flash_layout import DT_REFERENCE, PM_REFERENCE, mend_partitions, region_of, title
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

DOC = RuleDoc(
    code="DT251",
    name="slots-differ-in-size",
    category=Category.BROKEN,
    summary="the two slots have sizes that the bootloader can't exchange",
    checks=(
        "In modes that exchange the slots they must be equal; with swap using move the primary may "
        "have one sector more, with swap using offset the secondary. Their sectors must be equal, "
        "too."
    ),
    why=(
        "MCUboot finds the slots incompatible and starts the old image for ever: the update is "
        "uploaded, marked, and never swapped in."
    ),
    fix="Give both slots the same size.",
    bad="mcuboot_primary: {size: 0x79000}\nmcuboot_secondary: {size: 0x70000}",
    good="mcuboot_primary: {size: 0x79000}\nmcuboot_secondary: {size: 0x79000}",
    applies="swap modes",
    references=("mcuboot boot/bootutil/src/swap_misc.c", DT_REFERENCE, PM_REFERENCE),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two slots of each image."""
    build = context.build
    mode = build.mode
    if mode is None or not mode.is_swap:
        return not_applicable(
            f"{mode.title} exchanges no slots" if mode else "the bootloader mode is not known"
        )
    for number in sorted({slot.image for slot in build.slots}):
        primary, secondary = build.slot(0, number), build.slot(1, number)
        if not primary or not secondary:
            continue
        sectors = _sectors(build, primary), _sectors(build, secondary)
        if None not in sectors and sectors[0] != sectors[1]:
            return _different_sectors(build, primary, secondary)
        if not _go_together(build, mode, primary, secondary):
            return _finding(build, primary, secondary)
    return passed("the slots go together")


def _go_together(build: Build, mode: BootloaderMode, primary: Slot, secondary: Slot) -> bool:
    region = region_of(build, primary)
    sector = (region.erase_block if region else None) or 4096
    more = primary.size.value - secondary.size.value
    if mode is BootloaderMode.SWAP_USING_MOVE:
        return more in (0, sector)
    if mode is BootloaderMode.SWAP_USING_OFFSET:
        return more in (0, -sector)
    return more == 0


def _sectors(build: Build, slot: Slot) -> int | None:
    region = region_of(build, slot)
    return region.erase_block if region else None


def _different_sectors(build: Build, primary: Slot, secondary: Slot) -> Finding:
    return Finding(
        message=f"the {title(primary, build)} has sectors of {_sectors(build, primary):#x} bytes, "
        f"the {secondary.title} of {_sectors(build, secondary):#x}",
        location=secondary.address.location,
        notes=(Note("the primary slot", primary.address.location),),
        helps=(mend_partitions(build, "put both into flash with the same sectors"),),
        data={"primary": _sectors(build, primary), "secondary": _sectors(build, secondary)},
    )


def _finding(build: Build, primary: Slot, secondary: Slot) -> Finding:
    return Finding(
        message=f"the {title(primary, build)} has {primary.size.value:#x} bytes, "
        f"the {secondary.title} {secondary.size.value:#x}",
        location=secondary.size.location,
        notes=(Note("the size of the primary slot", primary.size.location),),
        helps=(mend_partitions(build, "give both the same size"),),
        data={"primary": primary.size.value, "secondary": secondary.size.value},
    )


RULE = Rule(DOC, check, roles=(), follows=("DT250",))
