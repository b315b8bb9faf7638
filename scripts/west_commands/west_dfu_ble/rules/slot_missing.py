# SPDX-License-Identifier: Apache-2.0
"""DT250: every slot that the mode needs is there."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Location, Note
from .flash_layout import DT_REFERENCE, PM_REFERENCE, mend_partitions
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="DT250",
    name="slot-missing",
    category=Category.BROKEN,
    summary="a slot that the bootloader's mode needs is not there",
    checks=(
        "The primary slot, and in every mode that updates while the application runs the secondary "
        "slot, of each image. Partition Manager's partitions decide where it is used, else the "
        "devicetree's `slot0_partition` and `slot1_partition`."
    ),
    why="There is no place to upload a new image to, or none to run it from.",
    fix="Add the partition to the static partitions, or to the devicetree.",
    bad="partitions { slot0_partition: partition@c000 { … }; };",
    good=(
        "partitions {\n    slot0_partition: partition@c000 { … };\n"
        "    slot1_partition: partition@82000 { … };\n};"
    ),
    applies="every build",
    references=(DT_REFERENCE, PM_REFERENCE),
)


def check(context: Context, image: Image) -> Verdict:
    """Look for the slots."""
    build = context.build
    mode = build.mode
    if mode is None:
        return unknown("the build does not say which bootloader mode it is for")
    if not build.slots:
        has_source = (image.directory / "zephyr/zephyr.dts").exists()
        if not has_source:
            return unknown("the build has neither Partition Manager's files nor a devicetree")
    indices = (0, 1) if mode.has_two_slots else (0,)
    numbers = sorted({slot.image for slot in build.slots} | {0})
    missing = [
        f"{'secondary' if index else 'primary'} slot" + (f" of image {number}" if number else "")
        for number in numbers
        for index in indices
        if build.slot(index, number) is None
    ]
    if not missing:
        return passed(f"{len(build.slots)} slots")
    there = [Note(f"`{slot.name}` is there", slot.address.location) for slot in build.slots]
    return Finding(
        message=f"there is no {' and no '.join(missing)}, which {mode.title} needs",
        location=build.slots[0].address.location
        if build.slots
        else Location(image.directory / "zephyr/zephyr.dts"),
        notes=tuple(there),
        helps=(mend_partitions(build, "add it"),),
        data={"missing": missing, "mode": mode.name},
    )


RULE = Rule(DOC, check, roles=())
