# SPDX-License-Identifier: Apache-2.0
"""Where the images to upload come from, each verified before any of it reaches a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import image
from ..builddir import Build, SignatureType
from ..diagnostics import DfuBleError
from ..update import Candidate
from .sign import shorten


def from_files(
    paths: Sequence[Path], build: Build | None, key: image.PublicKey | None
) -> tuple[Candidate, ...]:
    """Offer files of the user's own."""
    candidates = []
    for path in paths:
        parsed = image.read(path)
        image.verify(parsed, path, key)
        _require_some_slot(parsed, path, build)
        candidates.append(Candidate(path, parsed, None))
    return tuple(candidates)


def from_package(
    path: Path, build: Build | None, key: image.PublicKey | None
) -> tuple[Candidate, ...]:
    """Offer the images of a package (`dfu_application.zip`)."""
    package = image.read_package(path)
    candidates = []
    for entry in package.entries:
        name = path / entry.file
        parsed = image.parse(entry.data, name)
        image.verify(parsed, name, key)
        if not entry.image:
            _require_some_slot(parsed, name, build)
        candidates.append(
            Candidate(name, parsed, entry.slot if package.direct_xip else None, entry.image)
        )
    return tuple(candidates)


def unchecked_signature(
    candidates: Sequence[Candidate], build: Build | None, key: image.PublicKey | None
) -> str:
    """Say why nobody could check the images' signatures; empty if that was done, or none is due."""
    if key is not None or (build and build.signature_type is SignatureType.NONE):
        return ""
    bare = next((c for c in candidates if not c.image.tlv(*image.SIGNATURES)), None)
    if bare is not None:
        return f"{shorten(bare.path)} has no signature: few bootloaders take it"
    where = (
        "the bootloader's key is not on this machine"
        if build
        else "only the build directory (`-d`) tells the bootloader's key"
    )
    return f"the signature was not checked: {where}"


def _require_some_slot(parsed: image.McubootImage, path: Path, build: Build | None) -> None:
    """Prove that the image can run from a slot of the build, if that is known.

    Raises `DfuBleError` with what the first slot has against it.
    """
    if build is None:
        return
    in_place = build.mode is not None and build.mode.is_direct_xip
    problems: list[DfuBleError] = []
    for slot in (0, 1) if in_place else (0,):
        try:
            image.require_place(parsed, path, build, slot)
        except DfuBleError as error:
            problems.append(error)
        else:
            return
    raise problems[0]
