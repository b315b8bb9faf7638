# SPDX-License-Identifier: Apache-2.0
"""The image management group (1): state, upload, erase, slot information."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..mcuboot import BootloaderMode
from .codec import READ, WRITE, Arguments
from .flash import FlashError
from .image_errors import ImageRc, image_error
from .image_state import ImageStates, SlotImage
from .image_upload import Upload, UploadRequest
from .os_group import Answer
from .profile import DeviceProfile
from .slots import FLAG_NON_BOOTABLE
from .upload_lock import UploadLock


class ImageGroup:
    """Answers to the group's requests, out of the flash as it is."""

    def __init__(
        self,
        profile: DeviceProfile,
        states: ImageStates,
        lock: UploadLock,
        log: Callable[[str], None],
    ) -> None:
        """Make the group of a device that just started."""
        self._lock = lock
        self._profile = profile
        self._states = states
        self.upload = Upload(profile, states, log)

    def handler(self, command: int, op: int) -> Callable[[bytes], Answer] | None:
        """Return who answers a command, or `None` if this build has no such command."""
        found: dict[tuple[int, int], Callable[[bytes], Answer]] = {
            (0, READ): self._read_state,
            (1, WRITE): self._upload,
            (5, WRITE): self._erase,
        }
        # Direct-xip without revert has nothing to set: the handler is not compiled in.
        if self._profile.mode is not BootloaderMode.DIRECT_XIP:
            found[0, WRITE] = self._write_state
        if self._profile.server.slot_info:
            found[6, READ] = self._slot_info
        return found.get((command, op))

    def _read_state(self, payload: bytes) -> Answer:
        entries: list[Answer] = []
        for image in sorted(self._states.images):
            flags = self._states.flags(image)
            for index in (0, 1):
                held = self._states.read_image(image, index)
                if not isinstance(held, SlotImage):
                    continue
                entry: dict[str, Any] = {"slot": index, "version": _version(held)}
                if len(self._states.images) > 1:
                    entry = {"image": image, **entry}
                entry["hash"] = held.digest
                told = {
                    "bootable": not held.flags & FLAG_NON_BOOTABLE,
                    "pending": flags[index].pending,
                    "confirmed": flags[index].confirmed,
                    # Only image 0 has code that runs and can say so.
                    "active": flags[index].active and image == 0,
                    "permanent": flags[index].permanent,
                }
                frugal = self._profile.server.frugal_list
                entry.update({key: value for key, value in told.items() if value or not frugal})
                entries.append(entry)
        answer: dict[str, Any] = {"images": entries}
        if not self._profile.server.frugal_list:
            answer["splitStatus"] = 0
        return answer

    def _write_state(self, payload: bytes) -> Answer:
        arguments = Arguments(payload)
        digest, confirm = arguments.data("hash") or b"", arguments.flag("confirm")
        if not digest:
            if not confirm:
                raise image_error(ImageRc.INVALID_HASH)
            place: tuple[int, int] | None = (0, self._states.active[0])
        elif len(digest) != self._digest_size():
            raise image_error(ImageRc.INVALID_HASH)
        else:
            place = self._states.find(digest)
        if place is None:
            raise image_error(ImageRc.HASH_NOT_FOUND)
        try:
            self._states.set_next(*place, confirm=confirm)
        except FlashError:
            raise image_error(ImageRc.FLASH_WRITE_FAILED) from None
        return self._read_state(payload)

    def _digest_size(self) -> int:
        running = self._states.read_image(0, self._states.active[0])
        return len(running.digest) if isinstance(running, SlotImage) else 32

    def _upload(self, payload: bytes) -> Answer:
        arguments = Arguments(payload)
        request = UploadRequest(
            offset=arguments.unsigned("off"),
            length=arguments.unsigned("len"),
            data=arguments.data("data") or b"",
            sha=arguments.data("sha") or b"",
            image=arguments.unsigned("image") or 0,
            upgrade=arguments.flag("upgrade"),
        )
        self._lock.claim()
        result = self.upload.take(request)
        answer: dict[str, Any] = {**self._success(), "off": result.offset}
        if result.match is not None:
            answer["match"] = result.match
        return answer

    def _erase(self, payload: bytes) -> Answer:
        number = Arguments(payload).unsigned("slot")
        image, index = (0, 1 - self._states.active[0]) if number is None else divmod(number, 2)
        slots = self._states.images.get(image)
        if slots is None:
            self.upload.forget()
            # Zephyr's "no such slot" is -1 in an unsigned byte, and so a flash area like others.
            raise image_error(ImageRc.FLASH_OPEN_FAILED)
        readable = isinstance(self._states.read_image(image, index), SlotImage)
        if readable and self._states.in_use(image, index):
            raise image_error(ImageRc.NO_FREE_SLOT)
        self.upload.forget()
        area = slots.areas[index]
        if area.is_erased(0, area.size):
            if self._profile.server.erase_empty_fails:
                raise image_error(ImageRc.UNKNOWN)
            return self._success()
        try:
            area.erase(0, area.size)
        except FlashError:
            raise image_error(ImageRc.FLASH_ERASE_FAILED) from None
        return self._success()

    def _success(self) -> Answer:
        return {"rc": 0} if self._profile.server.legacy_rc else {}

    def _slot_info(self, payload: bytes) -> Answer:
        images = []
        for image, slots in sorted(self._states.images.items()):
            entries = []
            for index, area in enumerate(slots.areas):
                entry: dict[str, Any] = {"slot": index, "size": area.size}
                if index != self._states.active[image]:
                    entry["upload_image_id"] = image
                entries.append(entry)
            told: dict[str, Any] = {"image": image, "slots": entries}
            if self._profile.server.size_limit:
                told["max_image_size"] = slots.capacity
            images.append(told)
        return {"images": images}


def _version(held: SlotImage) -> str:
    version = held.version
    text = f"{version.major}.{version.minor}.{version.revision}"
    return f"{text}.{version.build}" if version.build else text
