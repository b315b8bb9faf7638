# SPDX-License-Identifier: Apache-2.0
"""EN053: the update images were made from the binaries that are there."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import DfuBleError, Help, Location, Note
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
    code="EN053",
    name="outdated-update-image",
    category=Category.FRAGILE,
    summary="an update image was not made from the present binary",
    checks=(
        "The firmware in each update image against the binary that the build would sign for the "
        "same slot. Encrypted and compressed images can't be compared."
    ),
    why="What would be uploaded by hand is older (or newer) than what was built.",
    fix="Sign again: `west dfu-ble sign` does so by itself when it sees this.",
    bad="app_update.bin   of the build before",
    good="west dfu-ble sign",
    applies="builds that hold update images and the binaries",
    references=("sdk-nrf modules/mcuboot/CMakeLists.txt",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare each image with its binary."""
    build = context.build
    images = [(a, i) for a, i in sound_images(build) if not a.image]
    if not images:
        return not_applicable("the build holds no update image that can be read")
    from ..image import binary_for

    compared = 0
    for artifact, made in images:
        if made.is_encrypted or made.is_compressed:
            continue
        try:
            binary = binary_for(build, artifact.slot or 0)
        except DfuBleError:
            continue
        compared += 1
        if binary.firmware != made.payload:
            return Finding(
                message=f"`{artifact.path.name}` was made from another binary than "
                f"`{binary.path.name}`",
                location=Location(artifact.path),
                notes=(Note("the present binary", Location(binary.path)),),
                helps=(Help("sign again", edit="west dfu-ble sign\n"),),
                data={"size": len(made.payload), "binary_size": len(binary.firmware)},
            )
    if not compared:
        return unknown("none of the update images can be compared with a binary of the build")
    return passed(f"{compared} of {len(images)} update images hold the present binary")


RULE = Rule(DOC, check, roles=(), follows=("IM355",))
