# SPDX-License-Identifier: Apache-2.0
"""IM356: in direct-xip an image says for which slot it is, and says it right."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Location, Note, Severity
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
)

DOC = RuleDoc(
    code="IM356",
    name="slot-not-declared",
    category=Category.BROKEN,
    summary="an update image declares another slot than its own, or none in direct-xip",
    checks=(
        "The ROM_FIXED flag and the load address in the header of every update image. In "
        "direct-xip the load address must be the address of the slot that the image is for; "
        "without the flag nothing is declared, which is a warning."
    ),
    why=(
        "MCUboot skips an image that declares another slot. One that declares none is taken by any "
        "slot, also by the one where it can't run."
    ),
    fix="Sign with `imgtool sign --rom-fixed <address of the slot>`, as `west dfu-ble sign` does.",
    bad="imgtool sign … app_to_sign.bin app_update.bin",
    good="imgtool sign --rom-fixed 0x8000 … app_to_sign.bin app_update.bin",
    applies="direct-xip builds that hold update images",
    references=("mcuboot boot/bootutil/src/loader.c",),
)


def check(context: Context, image: Image) -> Verdict:
    """Look at the header of each."""
    build = context.build
    if build.mode is None or not build.mode.is_direct_xip:
        return not_applicable("only in direct-xip does an image declare its slot")
    images = [(a, i) for a, i in sound_images(build) if not a.image]
    if not images:
        return not_applicable("the build holds no update image that can be read")
    undeclared = None
    for artifact, header in images:
        slot = build.slot(artifact.slot or 0)
        if slot is None:
            continue
        place = Note(f"the {slot.title} slot is at {slot.address.value:#x}", slot.address.location)
        cure = Help("sign again", edit="west dfu-ble sign --force\n")
        if header.is_rom_fixed and header.load_address != slot.address.value:
            return Finding(
                message=f"`{artifact.path.name}` declares {header.load_address:#x}, and is for the "
                f"{slot.title} slot at {slot.address.value:#x}",
                location=Location(artifact.path),
                notes=(place,),
                helps=(cure,),
                data={"load_address": header.load_address, "slot": slot.address.value},
            )
        if not header.is_rom_fixed and undeclared is None:
            undeclared = Finding(
                message=f"`{artifact.path.name}` declares no slot",
                location=Location(artifact.path),
                notes=(place,),
                helps=(cure,),
                severity=Severity.WARNING,
            )
    return undeclared or passed(f"{len(images)} update images declare their slots")


RULE = Rule(DOC, check, roles=(), follows=("IM355",))
