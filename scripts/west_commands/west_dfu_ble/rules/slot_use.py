# SPDX-License-Identifier: Apache-2.0
"""What each slot of a build is going to hold, and how much of it: for whoever draws the memory."""

from __future__ import annotations

from dataclasses import dataclass

from ..builddir import ArtifactKind, Build, Image, Role, Slot
from .image_capacity import length_of, size_in_slot


@dataclass(frozen=True)
class SlotUse:
    """One slot and what goes into it; sizes in bytes.

    `image` names what it holds, empty where the build does not tell. `size` is that image with
    header and signature, `None` if there is neither an update image nor a binary; `limit` is the
    largest image that the bootloader takes there.
    """

    slot: Slot
    image: str
    size: int | None
    limit: int

    @property
    def fits(self) -> bool:
        """Whether the image is not too large, as far as its size is known."""
        return self.size is None or self.size <= self.limit


def slot_uses(build: Build) -> tuple[SlotUse, ...]:
    """Return what the slots hold once this build was updated, by image number and slot."""
    from ..image import capacity

    return tuple(
        SlotUse(slot, *_held(build, slot), capacity(build, slot).limit)
        for slot in sorted(build.slots, key=lambda one: (one.image, one.index))
    )


def _held(build: Build, slot: Slot) -> tuple[str, int | None]:
    image = _image(build, slot)
    if image is not None and image.role in (Role.APPLICATION, Role.VARIANT):
        measured = size_in_slot(build, image, 1 if image.role is Role.VARIANT else 0)
        return image.name, measured[0] if measured else None
    for artifact in build.artifacts:
        if artifact.kind is ArtifactKind.UPDATE_IMAGE and artifact.image == slot.image:
            return image.name if image else artifact.path.name, length_of(artifact.path)
    return image.name if image else "", None


def _image(build: Build, slot: Slot) -> Image | None:
    if slot.image == 0 and slot.index == 1 and build.variant is not None:
        return build.variant
    return next((image for image in build.images if image.number == slot.image), None)
