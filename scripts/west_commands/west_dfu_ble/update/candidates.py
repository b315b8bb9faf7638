# SPDX-License-Identifier: Apache-2.0
"""The images of a build that an update may choose from, each verified before it is offered."""

from __future__ import annotations

from collections.abc import Iterable

from .. import image
from ..builddir import ArtifactKind, Build
from ..faults import fault
from .model import Candidate


def candidates_from_signed(signed: Iterable[image.SignedImage]) -> tuple[Candidate, ...]:
    """Offer what was just signed (and verified then)."""
    images = tuple(signed)
    variants = [one.image_number for one in images if one.slot]
    return tuple(
        Candidate(
            one.path,
            one.image,
            one.slot if one.image_number in variants else None,
            one.image_number,
        )
        for one in images
    )


def candidates_from_build(build: Build, key: image.PublicKey | None) -> tuple[Candidate, ...]:
    """Offer the update images that the build directory holds, verified with `key`.

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
