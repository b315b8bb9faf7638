# SPDX-License-Identifier: Apache-2.0
"""Whether the bootloader would run the image in a slot: header, size, digest, signature, vector."""

from __future__ import annotations

import hashlib
import struct
from collections import OrderedDict
from pathlib import Path

from .. import image
from ..diagnostics import DfuBleError
from ..image import ImageVersion
from .profile import DeviceProfile
from .slots import FLAG_NON_BOOTABLE, FLAG_ROM_FIXED, ImageSlots

_TLV_KEYHASH = (0x01, 0x02)
_TLV_DEPENDENCY = 0x40
_PATH = Path("image in flash")
# Verdicts kept of images that were looked at: a device meets few different ones.
_KEPT = 32


class Validator:
    """Judges images as MCUboot was built to; the same content is only judged once."""

    def __init__(self, profile: DeviceProfile) -> None:
        """Take key and rules from the profile; the factory image vouches where there is no key."""
        self._profile = profile
        self._verdicts: OrderedDict[bytes, str | None] = OrderedDict()
        self._trusted: set[bytes] = set()
        if profile.key is None:
            for data in profile.factory.values():
                self._trusted |= _key_hashes(data)

    def problem(self, slots: ImageSlots, index: int, offset: int = 0) -> str | None:
        """Return why the image in a slot would not be run, or `None` if it would."""
        header = slots.header(index, offset)
        if header is None:
            return "bad image magic"
        size = slots.image_size(index, offset)
        if size is None:
            return "no TLV area behind the payload"
        if header.flags & FLAG_NON_BOOTABLE:
            return "the image is marked as not bootable"
        if size > slots.capacity:
            return f"image of {size} bytes is larger than {slots.capacity} bytes"
        return self._verdict(slots.areas[index].read(offset, size))

    def rom_fixed_problem(self, slots: ImageSlots, index: int) -> str | None:
        """Return whether an image says that it is linked for another address (direct-xip)."""
        header, address = slots.header(index), slots.areas[index].address
        if header is None or not header.flags & FLAG_ROM_FIXED or header.load_address == address:
            return None
        return f"image is linked for {header.load_address:#x}, the slot is at {address:#x}"

    def dependencies(
        self, slots: ImageSlots, index: int, offset: int = 0
    ) -> list[tuple[int, ImageVersion]]:
        """Return what an image depends on: image number and least version (TLV 0x40)."""
        size = slots.image_size(index, offset)
        if size is None:
            return []
        try:
            parsed = image.parse(slots.areas[index].read(offset, size), _PATH)
        except DfuBleError:
            return []
        return [
            (tlv.value[0], ImageVersion(*struct.unpack_from("<BBHI", tlv.value, 4)))
            for tlv in parsed.tlvs
            if tlv.type == _TLV_DEPENDENCY and len(tlv.value) == 12
        ]

    def vector_problem(self, slots: ImageSlots, offset: int) -> str | None:
        """Return whether the reset vector of an update points out of the primary slot."""
        header = slots.header(1, offset)
        if not self._profile.check_reset_vector or header is None:
            return None
        vector = struct.unpack("<I", slots.areas[1].read(offset + header.header_size + 4, 4))[0]
        primary = slots.areas[0]
        if primary.address <= vector <= primary.address + primary.size:
            return None
        return f"reset vector {vector:#x} is not in the primary slot"

    def _verdict(self, data: bytes) -> str | None:
        known = hashlib.sha256(data).digest()
        if known in self._verdicts:
            self._verdicts.move_to_end(known)
            return self._verdicts[known]
        verdict = self._judge(data)
        self._verdicts[known] = verdict
        if len(self._verdicts) > _KEPT:
            self._verdicts.popitem(last=False)
        return verdict

    def _judge(self, data: bytes) -> str | None:
        try:
            parsed = image.parse(data, _PATH)
            image.verify(parsed, _PATH, self._profile.key)
        except DfuBleError as error:
            return error.diagnostic.message
        if self._profile.key is None and self._trusted and not self._trusted & _key_hashes(data):
            return "signed with another key than the image from the factory"
        return None


def _key_hashes(data: bytes) -> set[bytes]:
    try:
        parsed = image.parse(data, _PATH)
    except DfuBleError:
        return set()
    return {tlv.value for tlv in parsed.tlvs if tlv.type in _TLV_KEYHASH}
