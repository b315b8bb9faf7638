# SPDX-License-Identifier: Apache-2.0
"""IM363: where MCUboot updates two images, the build has both."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Note
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

_COUNT = "CONFIG_UPDATEABLE_IMAGE_NUMBER"
_TWO_CORES = "CONFIG_NRF53_MULTI_IMAGE_UPDATE"

DOC = RuleDoc(
    code="IM363",
    name="second-image-missing",
    category=Category.FRAGILE,
    summary="MCUboot updates more images than the build has slots for",
    checks=(
        f"For each image that MCUboot knows (`{_COUNT}`) the build must have a primary and a "
        "secondary slot. Where the nRF Secure Immutable Bootloader starts MCUboot (partition "
        "`b0`), the second image is MCUboot itself, by the application's slot, unless "
        f"`{_TWO_CORES}`."
    ),
    why="MCUboot stops when it opens a slot that is not there, or never installs that image.",
    fix=(
        "Add the partitions of the further image (`mcuboot_primary_1`, `mcuboot_secondary_1`; the "
        "SDK adds them with `SB_CONFIG_NETCORE_APP_UPDATE`), or lower the number."
    ),
    bad=f"{_COUNT}=2   # partitions.yml has mcuboot_primary and mcuboot_secondary",
    good=f"{_COUNT}=2   # and mcuboot_primary_1, mcuboot_secondary_1",
    applies="every build with MCUboot as part of it",
    known_problems=(
        "Images whose slots go by other names (parts in external flash) are not "
        "recognised; waive the finding."
    ),
    references=("mcuboot boot/zephyr/include/sysflash/sysflash.h",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the number with the slots."""
    build = context.build
    bootloader = build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    count = bootloader.kconfig.integer(_COUNT) or 1
    if count < 2:
        return not_applicable("MCUboot updates one image")
    if not build.slots:
        return unknown("the build does not tell where the slots are")
    names = {partition.name for partition in build.partitions}
    if count == 2 and "b0" in names and not bootloader.kconfig.is_on(_TWO_CORES):
        return passed("the second image is MCUboot itself, which goes through the same slot")
    missing = [
        f"{'secondary' if index else 'primary'} slot of image {number}"
        for number in range(1, count)
        for index in (0, 1)
        if build.slot(index, number) is None
    ]
    if not missing:
        return passed(f"there are slots for {count} images")
    return Finding(
        message=f"MCUboot updates {count} images, and there is no {' and no '.join(missing)}",
        location=bootloader.kconfig.where(_COUNT),
        notes=tuple(Note(f"`{s.name}` is there", s.address.location) for s in build.slots),
        helps=(Help("add the partitions of the further image, or lower the number"),),
        data={"images": count, "missing": missing},
    )


RULE = Rule(DOC, check, roles=(), follows=("KC176",))
