# SPDX-License-Identifier: Apache-2.0
"""EN052: the package holds the update images that lie beside it."""

from __future__ import annotations

from ..builddir import Artifact, ArtifactKind, Build, Image
from ..diagnostics import DfuBleError, Help, Location, Note
from .built_files import finding_from
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

DOC = RuleDoc(
    code="EN052",
    name="package-out-of-step",
    category=Category.FRAGILE,
    summary="the package can't be read, or holds other images than those beside it",
    checks=(
        "`dfu_application.zip`: its manifest and members make sense, and each member has the bytes "
        "of the update image for the same image number and slot."
    ),
    why="Who updates by the package (a phone, a colleague) installs other firmware than you do.",
    fix="Make it again: `west dfu-ble sign`, or build again.",
    bad="dfu_application.zip   from yesterday's build",
    good="west dfu-ble sign     # writes images and package together",
    applies="builds that hold a package",
    references=("sdk-nrf scripts/bootloader/generate_zip.py",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare members and files."""
    build = context.build
    package = next((a for a in build.artifacts if a.kind is ArtifactKind.PACKAGE), None)
    if package is None:
        return not_applicable("the build holds no package")
    from ..image import read_package

    try:
        entries = read_package(package.path).entries
    except DfuBleError as error:
        found = error.diagnostic
        return finding_from(found, f"`{package.path.name}`: {found.message}")
    compared = 0
    for entry in entries:
        artifact = _beside(build, entry.image, entry.slot or 0)
        if artifact is None:
            continue
        try:
            same = artifact.path.read_bytes() == entry.data
        except OSError:
            continue
        compared += 1
        if not same:
            return Finding(
                message=f"`{entry.file}` in the package is not `{artifact.path.name}` beside it",
                location=Location(package.path),
                notes=(Note("the update image of this build", Location(artifact.path)),),
                helps=(Help("make the package again", edit="west dfu-ble sign --force\n"),),
                data={"member": entry.file, "size": len(entry.data)},
            )
    return passed(f"{compared} of {len(entries)} members are the files beside the package")


def _beside(build: Build, number: int, slot: int) -> Artifact | None:
    return next(
        (
            artifact
            for artifact in build.artifacts
            if artifact.kind is ArtifactKind.UPDATE_IMAGE
            and (artifact.image or 0, artifact.slot or 0) == (number, slot)
        ),
        None,
    )


RULE = Rule(DOC, check, roles=())
