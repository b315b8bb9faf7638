# SPDX-License-Identifier: Apache-2.0
"""EN052: the package holds the update images that lie beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..builddir import Artifact, ArtifactKind, Build, Image
from ..diagnostics import DfuBleError, Help, Location, Note
from .built_files import finding_from
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

if TYPE_CHECKING:
    from ..image import ImageVersion, Package, PackageEntry

_LARGEST_MANIFEST = 1024 * 1024

DOC = RuleDoc(
    code="EN052",
    name="package-out-of-step",
    category=Category.FRAGILE,
    summary="the package can't be read, or holds other images than those beside it",
    checks=(
        "`dfu_application.zip`: its manifest and members make sense, each member has the bytes of "
        "the update image for the same image number and slot, and none of these is left out. What "
        "the manifest says is true of the application's members (version, load address inside the "
        "slot) and of the build (board), and the manifest beside the package is the one in it."
    ),
    why="Who updates by the package (a phone, a colleague) installs other firmware than you do.",
    fix="Make it again: `west dfu-ble sign`, or build again.",
    bad="dfu_application.zip   from yesterday's build",
    good="west dfu-ble sign     # writes images and package together",
    applies="builds that hold a package",
    references=("sdk-nrf scripts/bootloader/generate_zip.py",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare members, manifest and files."""
    build = context.build
    package = next((a for a in build.artifacts if a.kind is ArtifactKind.PACKAGE), None)
    if package is None:
        return not_applicable("the build holds no package")
    from ..image import read_package

    try:
        content = read_package(package.path)
    except DfuBleError as error:
        found = error.diagnostic
        return finding_from(found, f"`{package.path.name}`: {found.message}")
    compared = 0
    for entry in content.entries:
        artifact = _beside(build, entry.image, entry.slot or 0)
        same = None if artifact is None else _same(artifact, entry.data)
        if artifact is None or same is None:
            continue
        compared += 1
        if not same:
            return _finding(
                package,
                f"`{entry.file}` in the package is not `{artifact.path.name}` beside it",
                Note("the update image of this build", Location(artifact.path)),
                {"member": entry.file, "size": len(entry.data)},
            )
    contradiction = _left_out(build, package, content) or _manifest(build, package, content)
    if contradiction is not None:
        return contradiction
    return passed(f"{compared} of {len(content.entries)} members are the files beside the package")


def _left_out(build: Build, package: Artifact, content: Package) -> Finding | None:
    """Find an image beside the package that belongs into it.

    The SDK's packages for direct-xip have no variant before 2.4, and say nothing of direct-xip.
    """
    there = {(entry.image, entry.slot or 0) for entry in content.entries}
    for artifact in build.artifacts:
        place = (artifact.image or 0, artifact.slot or 0)
        if artifact.kind is not ArtifactKind.UPDATE_IMAGE or place in there:
            continue
        if content.direct_xip or not artifact.slot:
            return _finding(
                package,
                f"`{artifact.path.name}` is not in the package",
                Note("the update image of this build", Location(artifact.path)),
                {"image": place[0], "slot": place[1]},
            )
    return None


def _manifest(build: Build, package: Artifact, content: Package) -> Finding | None:
    board = build.application.kconfig.text("CONFIG_BOARD")
    number = build.application.number or 0
    for entry in content.entries:
        if entry.image != number:
            continue  # its board is the other core's, its version that core's bootloader's
        slot = build.slot(entry.slot or 0, number)
        if board and entry.board and entry.board != board:
            text = f"`{entry.file}` is for the board {entry.board}, the build for {board}"
            return _finding(package, text, None, {"member": entry.file})
        version = _version(entry, package)
        if version is not None:
            text = f"the manifest says that `{entry.file}` is {entry.version}, its header {version}"
            return _finding(package, text, None, {"member": entry.file})
        address = entry.load_address
        if slot is None or address is None:
            continue
        start, end = slot.address.value, slot.address.value + slot.size.value
        if not start <= address < end:
            text = f"the manifest gives `{entry.file}` the load address {address:#x}"
            where = Note(f"the {slot.title} slot is {start:#x} to {end:#x}", slot.address.location)
            return _finding(package, text, where, {"member": entry.file, "load_address": address})
    return _manifest_beside(package, content)


def _version(entry: PackageEntry, package: Artifact) -> ImageVersion | None:
    """Return the version in the member's header, if the manifest says another."""
    from ..image import parse, parse_version

    try:
        if entry.version is None:
            return None
        said, real = parse_version(entry.version), parse(entry.data, package.path).version
    except DfuBleError:  # no version of MCUboot's kind, or no image: other rules tell
        return None
    return None if said == real else real


def _manifest_beside(package: Artifact, content: Package) -> Finding | None:
    path = package.path.with_name(f"{package.path.name}_manifest.json")
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            return None
        beside = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None  # it is there for people, and nothing is made from it
    if beside == content.manifest:
        return None
    text = f"the manifest in the package is not `{path.name}` beside it"
    return _finding(package, text, Note("the manifest beside it", Location(path)), {})


def _finding(
    package: Artifact, message: str, note: Note | None, data: dict[str, object]
) -> Finding:
    return Finding(
        message=message,
        location=Location(package.path),
        notes=(note,) if note else (),
        helps=(Help("make the package again", edit="west dfu-ble sign --force\n"),),
        data=data,
    )


def _same(artifact: Artifact, data: bytes) -> bool | None:
    try:
        return artifact.path.read_bytes() == data
    except OSError:
        return None


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
