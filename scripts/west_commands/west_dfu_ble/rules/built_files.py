# SPDX-License-Identifier: Apache-2.0
"""The update images and the package that a build directory already holds, read for the rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..builddir import Artifact, ArtifactKind, Build
from ..diagnostics import DfuBleError, Diagnostic, Help, Note
from .model import Finding

if TYPE_CHECKING:
    from ..image import McubootImage

# What MCUboot's build makes of its key (`imgtool getpub`) and compiles in.
PUBLIC_KEY_SOURCE = "autogen-pubkey.c"
_ARRAY = re.compile(r"\[\]\s*=\s*\{([^}]*)\}")
_LIMIT = 100_000


def update_images(build: Build) -> Iterator[tuple[Artifact, McubootImage | Diagnostic]]:
    """Yield each update image of the build, read, or what is wrong with the file."""
    images = [one for one in build.artifacts if one.kind is ArtifactKind.UPDATE_IMAGE]
    if not images:
        return
    from ..image import read

    for artifact in images:
        try:
            yield artifact, read(artifact.path)
        except DfuBleError as error:
            yield artifact, error.diagnostic


def sound_images(build: Build) -> list[tuple[Artifact, McubootImage]]:
    """Return the update images that could be read."""
    return [(a, image) for a, image in update_images(build) if not isinstance(image, Diagnostic)]


def public_key_source(build: Build) -> Path | None:
    """Return the file with MCUboot's public key; `None` without MCUboot in the build."""
    bootloader = build.bootloader
    return bootloader.directory / "zephyr" / PUBLIC_KEY_SOURCE if bootloader else None


def public_key_der(build: Build) -> bytes | None:
    """Return the public key that MCUboot was built with (DER), or `None` if it can't be told."""
    source = public_key_source(build)
    try:
        if source is None or source.stat().st_size > _LIMIT:
            return None
        match = _ARRAY.search(source.read_text(encoding="utf-8"))
        if match is None:
            return None
        return bytes(int(item, 0) for item in match[1].split(",") if item.strip()) or None
    except (OSError, ValueError):
        return None


def public_key_hash(build: Build) -> bytes | None:
    """Return the SHA-256 of MCUboot's public key: what an image's KEYHASH holds."""
    der = public_key_der(build)
    return hashlib.sha256(der).digest() if der else None


def finding_from(diagnostic: Diagnostic, message: str) -> Finding:
    """Make a rule's finding of an error that another room raised."""
    return Finding(
        message=message,
        location=diagnostic.location,
        notes=(Note(diagnostic.why), *diagnostic.notes) if diagnostic.why else diagnostic.notes,
        helps=diagnostic.helps or (Help("build again, or sign again with `west dfu-ble sign`"),),
        data={**diagnostic.data, "error": diagnostic.code},
    )
