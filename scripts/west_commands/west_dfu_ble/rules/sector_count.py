# SPDX-License-Identifier: Apache-2.0
"""DT257: MCUboot has room for all sectors of a slot."""

from __future__ import annotations

from ..builddir import Image, Role
from ..diagnostics import Note
from .edits import in_bootloader
from .flash_layout import region_of, title
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
    unknown,
)

_SYMBOL = "CONFIG_BOOT_MAX_IMG_SECTORS"

DOC = RuleDoc(
    code="DT257",
    name="too-many-sectors",
    category=Category.BROKEN,
    summary="a slot has more sectors than MCUboot was built for",
    checks=(
        f"Size of each slot divided by the erase block of its flash, against `{_SYMBOL}` of "
        "MCUboot, unless MCUboot counts the sectors itself (`CONFIG_BOOT_MAX_IMG_SECTORS_AUTO`). "
        "Modes that keep no list of sectors (direct-xip, single slot) don't need it."
    ),
    why="MCUboot gives up when it reads the list of sectors: no update is ever installed.",
    fix="Raise the number; each sector costs MCUboot a few bytes of RAM.",
    bad=f"{_SYMBOL}=128   # slot of 0x100000 bytes, blocks of 0x1000",
    good=f"{_SYMBOL}=256",
    applies="modes that move or copy images, with MCUboot as part of the build",
    references=("mcuboot boot/zephyr/Kconfig",),
)


def check(context: Context, image: Image) -> Verdict:
    """Count the sectors."""
    build = context.build
    mode = build.mode_built
    if mode is not None and (mode.mode.is_direct_xip or not mode.mode.has_two_slots):
        return not_applicable(f"in {mode.mode.title} MCUboot keeps no list of sectors")
    if image.kconfig.is_on(f"{_SYMBOL}_AUTO"):
        return passed("MCUboot counts the sectors itself")
    limit = image.kconfig.integer(_SYMBOL)
    if limit is None:
        return unknown(f"`{_SYMBOL}` is not in MCUboot's configuration")
    counts = {}
    for slot in build.slots:
        region = region_of(build, slot)
        block = region.erase_block if region else None
        if block:
            counts[slot] = -(-slot.size.value // block)
    if not counts:
        return unknown("the build does not tell the erase block of the slots' flash")
    slot, most = max(counts.items(), key=lambda item: item[1])
    if most <= limit:
        return passed(f"{most} sectors at most, `{_SYMBOL}` is {limit}")
    wanted = 1 << (most - 1).bit_length()
    return Finding(
        message=f"the {title(slot, build)} has {most} sectors, `{_SYMBOL}` is {limit}",
        location=image.kconfig.where(_SYMBOL),
        notes=(Note(f"the slot has {slot.size.value:#x} bytes", slot.size.location),),
        helps=(in_bootloader(build, f"{_SYMBOL}={wanted}\n"),),
        data={"symbol": _SYMBOL, "sectors": most, "actual": str(limit), "expected": str(wanted)},
    )


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER,), follows=("DT250",))
