# SPDX-License-Identifier: Apache-2.0
"""What the application knows of the slots: what is in them, what runs, what runs next.

The rules are those of Zephyr's `img_mgmt_state.c`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ..image import ImageVersion
from ..mcuboot import BootloaderMode
from .image_errors import ImageRc, image_error
from .profile import DeviceProfile
from .slots import HASH_TLVS, HEADER_SIZE, TLV_INFO_MAGIC, ImageSlots
from .trailer import Flag, Magic, SwapState, SwapType, read_swap_type


class NextBoot(Enum):
    """Why the next boot goes where it goes (`enum img_mgmt_next_boot_type`)."""

    NORMAL = "normal"
    TEST = "test"
    REVERT = "revert"


@dataclass(frozen=True)
class SlotImage:
    """An image as a slot holds it; the digest is read from its TLV, not computed."""

    version: ImageVersion
    digest: bytes
    flags: int


@dataclass(frozen=True)
class Flags:
    """The flags of a slot in the image state."""

    active: bool = False
    confirmed: bool = False
    pending: bool = False
    permanent: bool = False


class ImageStates:
    """The slots of all images of a running device; `active` is the running slot by image number."""

    def __init__(
        self,
        profile: DeviceProfile,
        images: Mapping[int, ImageSlots],
        active: Mapping[int, int],
    ) -> None:
        """Take the flash as it is and what the bootloader started."""
        self._profile = profile
        self.images = images
        self.active = active

    def read_image(self, image: int, index: int) -> SlotImage | ImageRc:
        """Read what a slot holds, or why that can't be told."""
        slots = self.images[image]
        area = slots.areas[index]
        reverting = self.swap_type(image) is SwapType.REVERT
        offset = slots.offset_for_application(index, reverting=reverting)
        if area.is_erased(offset, HEADER_SIZE):
            return ImageRc.NO_IMAGE
        header = slots.header(index, offset)
        if header is None:
            return ImageRc.INVALID_IMAGE_HEADER_MAGIC
        position = offset + header.unprotected_offset
        if position + 4 > area.size:
            return ImageRc.NO_TLVS
        info = area.read(position, 4)
        if int.from_bytes(info[:2], "little") != TLV_INFO_MAGIC:
            return ImageRc.NO_TLVS
        end = min(position + int.from_bytes(info[2:], "little"), area.size)
        position += 4
        while position + 4 <= end:
            kind = int.from_bytes(area.read(position, 2), "little")
            size = int.from_bytes(area.read(position + 2, 2), "little")
            if HASH_TLVS.get(kind) == size and position + 4 + size <= end:
                digest = area.read(position + 4, size)
                return SlotImage(header.version, digest, header.flags)
            position += 4 + size
        return ImageRc.HASH_NOT_FOUND

    def find(self, digest: bytes) -> tuple[int, int] | None:
        """Return the first slot that holds the image of this digest: image number and index."""
        for image in sorted(self.images):
            for index in (0, 1):
                held = self.read_image(image, index)
                if isinstance(held, SlotImage) and held.digest == digest:
                    return image, index
        return None

    def swap_type(self, image: int) -> SwapType:
        """Return what the trailers ask of the bootloader."""
        return read_swap_type(*self.images[image].states())

    def next_boot(self, image: int) -> tuple[int, NextBoot]:
        """Return the slot index that runs after a reset, as MCUmgr believes, and why."""
        active = self.active[image]
        other = 1 - active
        if self._profile.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT:
            return self._next_with_revert(image, active, other)
        if self._profile.mode is BootloaderMode.DIRECT_XIP:
            newer = self._is_newer(image, other, active)
            return (other if newer else active), NextBoot.NORMAL
        return {
            SwapType.PERM: (other, NextBoot.NORMAL),
            SwapType.TEST: (other, NextBoot.TEST),
            SwapType.REVERT: (other, NextBoot.REVERT),
        }.get(self.swap_type(image), (active, NextBoot.NORMAL))

    def _next_with_revert(self, image: int, active: int, other: int) -> tuple[int, NextBoot]:
        held = self.read_image(image, other)
        if isinstance(held, ImageRc):
            return active, NextBoot.NORMAL
        states = self.images[image].states()
        if _tried(states[active]):
            return other, NextBoot.REVERT
        if states[other].magic is not Magic.GOOD:
            once = states[active].magic is Magic.GOOD and states[active].image_ok is not Flag.SET
            return active, NextBoot.TEST if once else NextBoot.NORMAL
        if self._is_newer(image, other, active) and not _tried(states[other]):
            confirmed = states[other].image_ok is Flag.SET
            return other, NextBoot.NORMAL if confirmed else NextBoot.TEST
        return active, NextBoot.NORMAL

    def _is_newer(self, image: int, index: int, than: int) -> bool:
        new, old = self.read_image(image, index), self.read_image(image, than)
        if not isinstance(new, SlotImage) or not isinstance(old, SlotImage):
            return False
        return self.compare(new.version, old.version) > 0

    def compare(self, left: ImageVersion, right: ImageVersion) -> int:
        """Compare as MCUmgr does: 1, 0 or -1; the build number only where the build says so."""
        if not self._profile.server.compare_build_number:
            left, right = left.without_build, right.without_build
        return (left > right) - (left < right)

    def flags(self, image: int) -> tuple[Flags, Flags]:
        """Return the flags of primary and secondary slot."""
        following, why = self.next_boot(image)
        active = self.active[image]
        mine = Flags(active=True, confirmed=why is not NextBoot.REVERT)
        other = Flags()
        if following != active:
            other = Flags(
                confirmed=why is NextBoot.REVERT,
                pending=why is not NextBoot.REVERT,
                permanent=why is NextBoot.NORMAL,
            )
        return (mine, other) if active == 0 else (other, mine)

    def in_use(self, image: int, index: int) -> bool:
        """Whether a slot may not be erased or written to."""
        active = self.active[image]
        if self._profile.mode is not BootloaderMode.DIRECT_XIP:
            following, why = self.next_boot(image)
            if index == following and why is NextBoot.REVERT:
                return True
            pending = (index == following and why is NextBoot.TEST) or (
                active != following and why is NextBoot.NORMAL
            )
            if pending and not self._profile.server.allow_erase_pending:
                return True
        return index == active

    def set_next(self, image: int, index: int, *, confirm: bool) -> None:
        """Set a slot to test or confirm it. Raises `GroupError` where MCUmgr refuses."""
        active = self.active[image]
        if not confirm and index == active:
            raise image_error(ImageRc.IMAGE_SETTING_TEST_TO_ACTIVE_DENIED)
        if confirm and index != active and not self._profile.server.allow_confirm_inactive:
            raise image_error(ImageRc.IMAGE_CONFIRMATION_DENIED)
        if self._profile.mode is not BootloaderMode.DIRECT_XIP_WITH_REVERT:
            following, why = self.next_boot(image)
            if index == following and confirm is (why is not NextBoot.TEST):
                return  # that is how it stands already
            pending = why is NextBoot.TEST or (why is NextBoot.NORMAL and following != active)
            if pending or (why is NextBoot.REVERT and not confirm):
                raise image_error(ImageRc.IMAGE_ALREADY_PENDING)
        self._mark(image, index, active=index == active, confirm=confirm)

    def _mark(self, image: int, index: int, *, active: bool, confirm: bool) -> None:
        trailer = self.images[image].trailers[index]
        state = trailer.read()
        if state.magic is Magic.BAD:
            if active:
                raise image_error(ImageRc.INVALID_IMAGE_VECTOR_TABLE)
            area = self.images[image].areas[index]
            area.erase(0, area.size)
            raise image_error(ImageRc.INVALID_IMAGE_HEADER_MAGIC)
        if active:
            waiting = state.magic is Magic.GOOD and state.image_ok is Flag.UNSET
            if waiting and state.copy_done is not Flag.UNSET:
                trailer.write_image_ok()
        elif state.magic is Magic.UNSET:
            trailer.write_magic()
            if confirm:
                trailer.write_image_ok()
            trailer.write_swap_info(SwapType.PERM if confirm else SwapType.TEST, image)


def _tried(state: SwapState) -> bool:
    """Whether a slot's image was started once and not confirmed (direct-xip with revert)."""
    return (
        state.magic is Magic.GOOD and state.copy_done is Flag.SET and state.image_ok is not Flag.SET
    )
