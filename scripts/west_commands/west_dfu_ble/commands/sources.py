# SPDX-License-Identifier: Apache-2.0
"""Where the images to upload come from, each verified before any of it reaches a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import image
from ..builddir import ArtifactKind, Build
from ..faults import fault
from ..update import Candidate
from .passphrase import ask_passphrase
from .sign import shorten


def from_signed(signed: Sequence[image.SignedImage]) -> tuple[Candidate, ...]:
    """Offer what was just signed (and verified then)."""
    variants = [one.image_number for one in signed if one.slot]
    return tuple(
        Candidate(
            one.path,
            one.image,
            one.slot if one.image_number in variants else None,
            one.image_number,
        )
        for one in signed
    )


def from_build(build: Build) -> tuple[Candidate, ...]:
    """Offer the update images that the build directory holds.

    Raises `DfuBleError` IM309 if there is none, IM3xx if one is not what it should be.
    """
    found = [a for a in build.artifacts if a.kind is ArtifactKind.UPDATE_IMAGE]
    if not found:
        raise fault(
            "IM309",
            "the build directory holds no update image",
            location=build.path,
            helps=["make it with `dfu-ble sign`, or let `dfu-ble` alone do the whole job"],
        )
    variants = [artifact.image for artifact in found if artifact.slot]
    key = image.build_key(build, ask_passphrase)
    candidates = []
    for artifact in found:
        parsed = image.read(artifact.path)
        if artifact.image:
            image.verify(parsed, artifact.path, key)
        else:
            image.prove(parsed, artifact.path, build, artifact.slot or 0, key=key)
        slot = artifact.slot if artifact.image in variants else None
        candidates.append(Candidate(artifact.path, parsed, slot, artifact.image or 0))
    return tuple(candidates)


def from_files(paths: Sequence[Path], build: Build | None) -> tuple[Candidate, ...]:
    """Offer files of the user's own."""
    key = image.build_key(build, ask_passphrase) if build else None
    candidates = []
    for path in paths:
        parsed = image.read(path)
        image.verify(parsed, path, key)
        candidates.append(Candidate(path, parsed, None))
    return tuple(candidates)


def from_package(path: Path, build: Build | None) -> tuple[Candidate, ...]:
    """Offer the images of a package (`dfu_application.zip`)."""
    package = image.read_package(path)
    key = image.build_key(build, ask_passphrase) if build else None
    candidates = []
    for entry in package.entries:
        name = path / entry.file
        parsed = image.parse(entry.data, name)
        image.verify(parsed, name, key)
        candidates.append(
            Candidate(name, parsed, entry.slot if package.direct_xip else None, entry.image)
        )
    return tuple(candidates)


def describe(candidates: Sequence[Candidate]) -> str:
    """Name the files on offer, for people."""
    return ", ".join(shorten(candidate.path) for candidate in candidates)
