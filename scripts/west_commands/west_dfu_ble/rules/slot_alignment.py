# SPDX-License-Identifier: Apache-2.0
"""DT252: slots begin and end with erase blocks."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note, Severity
from .flash_layout import DT_REFERENCE, PM_REFERENCE, mend_partitions, region_of, title
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="DT252",
    name="slot-misaligned",
    category=Category.BROKEN,
    summary="a slot does not begin or end with an erase block of its flash",
    checks="Address and size of every slot must be multiples of the flash's erase block.",
    why="Erasing the slot also erases what shares its first or last block, or fails.",
    fix="Move the slot to a multiple of the erase block.",
    bad="mcuboot_secondary: {address: 0x85200, size: 0x79000}   # blocks of 0x1000",
    good="mcuboot_secondary: {address: 0x85000, size: 0x79000}",
    applies="every build whose flash tells its erase block",
    references=(DT_REFERENCE, PM_REFERENCE),
    known_problems=(
        "Chips other than Nordic's may have sectors of several sizes, of which the devicetree "
        "names the largest: there it is a warning."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Divide each slot's figures by the erase block."""
    build = context.build
    known = 0
    for slot in build.slots:
        region = region_of(build, slot)
        block = region.erase_block if region else None
        if not region or not block:
            continue
        known += 1
        for figure, what in ((slot.address, "begins at"), (slot.size, "has the size")):
            if figure.value % block:
                return Finding(
                    message=f"the {title(slot, build)} {what} {figure.value:#x}, no multiple of "
                    f"the erase block {block:#x}",
                    location=figure.location,
                    notes=(Note(f"the erase block of `{region.name}`", region.location),),
                    helps=(mend_partitions(build, "move it to whole erase blocks"),),
                    severity=None if _is_uniform(image) else Severity.WARNING,
                    data={"value": figure.value, "erase_block": block},
                )
    if not known:
        return unknown("the build does not tell the erase block of the slots' flash")
    return passed(f"{known} of {len(build.slots)} slots have an erase block that is known")


def _is_uniform(image: Image) -> bool:
    # Some chips (STM32F4) have sectors of several sizes, and name the largest one.
    names = ("CONFIG_SOC_FAMILY_NORDIC_NRF", "CONFIG_SOC_FAMILY_NRF", "CONFIG_SOC_SERIES_NRF52X")
    return any(image.kconfig.is_on(name) for name in names)


RULE = Rule(DOC, check, roles=(), follows=("DT250",))
