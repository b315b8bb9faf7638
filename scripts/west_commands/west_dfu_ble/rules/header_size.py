# SPDX-License-Identifier: Apache-2.0
"""IM357: the image's header is as long as the room that the linker left for it."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Location, Note
from .built_files import sound_images
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

DOC = RuleDoc(
    code="IM357",
    name="header-size-differs",
    category=Category.BROKEN,
    summary="an update image has another header size than the firmware was linked for",
    checks=(
        "The header size in every update image against the room that the build leaves: Partition "
        "Manager's `mcuboot_pad`, else `CONFIG_ROM_START_OFFSET`."
    ),
    why="The firmware begins behind the header: with another size everything in it is shifted.",
    fix="Sign with the size that the build uses, as `west dfu-ble sign` does.",
    bad="imgtool sign --header-size 0x800 …   # mcuboot_pad has 0x200",
    good="imgtool sign --header-size 0x200 …",
    applies="builds that hold update images",
    references=("mcuboot docs/imgtool.md",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare each header."""
    build = context.build
    images = [(a, i) for a, i in sound_images(build) if not a.image]
    if not images:
        return not_applicable("the build holds no update image that can be read")
    expected = build.header_size
    if expected is None:
        return unknown("the build does not tell how much room there is for the header")
    for artifact, header in images:
        if header.header_size != expected.value:
            return Finding(
                message=f"`{artifact.path.name}` has a header of {header.header_size:#x} bytes, "
                f"the firmware is linked for {expected.value:#x}",
                location=Location(artifact.path),
                notes=(Note("the room for the header", expected.location),),
                helps=(Help("sign again", edit="west dfu-ble sign --force\n"),),
                data={"header_size": header.header_size, "expected": expected.value},
            )
    return passed(f"{len(images)} update images have a header of {expected.value:#x} bytes")


RULE = Rule(DOC, check, roles=(), follows=("IM355",))
