# SPDX-License-Identifier: Apache-2.0
"""Whether images go together: what each asks of the others' versions (MCUboot's TLV 0x40).

MCUboot looks at it only where it was built for several images (`boot_verify_dependencies`).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..image import ImageVersion
from .profile import DeviceProfile
from .slots import Header, ImageSlots
from .validate import Validator


class Dependencies:
    """Compares what images ask for with what would run."""

    def __init__(
        self, profile: DeviceProfile, images: tuple[ImageSlots, ...], validator: Validator
    ) -> None:
        """Take the slots of every image number."""
        self._profile = profile
        self._images = images
        self._validator = validator

    def unmet(self, upgraded: Mapping[ImageSlots, int]) -> str | None:
        """Return what is missing, if the images in `upgraded` were taken from their second slots.

        `upgraded` tells where in the slot each begins; the others stay as they are.
        """
        places = {
            slots: (1, upgraded[slots]) if slots in upgraded else (0, 0) for slots in self._images
        }
        found = self._first_unmet(places)
        return found[1] if found else None

    def first_unmet(self, running: Mapping[ImageSlots, int]) -> tuple[ImageSlots, str] | None:
        """Return the first image that does not go with the others, and why (direct-xip)."""
        return self._first_unmet({slots: (index, 0) for slots, index in running.items()})

    def _first_unmet(
        self, places: Mapping[ImageSlots, tuple[int, int]]
    ) -> tuple[ImageSlots, str] | None:
        if len(places) == 1:
            return None
        headers = {slots.number: slots.header(*place) for slots, place in places.items()}
        for slots, (index, offset) in places.items():
            for number, least in self._validator.dependencies(slots, index, offset):
                problem = self._problem(number, least, headers)
                if problem is not None:
                    return slots, f"image {slots.number} depends on image {number} {problem}"
        return None

    def _problem(
        self, number: int, least: ImageVersion, headers: Mapping[int, Header | None]
    ) -> str | None:
        if number not in headers:
            return "which this device has not"
        header = headers[number]
        # Another core's first image may have no header that can be read.
        version = header.version if header else ImageVersion(0, 0, 0)
        if self._profile.compare(version, least) >= 0:
            return None
        return f"version {least}, which would be {version}"
