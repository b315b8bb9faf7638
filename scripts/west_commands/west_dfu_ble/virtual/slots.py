# SPDX-License-Identifier: Apache-2.0
"""The two slots of an image in flash, as bootloader and application both look at them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..image import ImageVersion
from ..mcuboot import BootloaderMode
from .flash import FlashArea, FlashController
from .profile import DeviceProfile
from .trailer import SwapState, Trailer

IMAGE_MAGIC = 0x96F3B83D
HEADER_SIZE = 32
FLAG_NON_BOOTABLE = 0x10
FLAG_ROM_FIXED = 0x100
TLV_INFO_MAGIC = 0x6907
# SHA-256, SHA-384, SHA-512 (MCUboot `image.h`): the TLV that an image is known by.
HASH_TLVS = {0x10: 32, 0x11: 48, 0x12: 64}


@dataclass(frozen=True)
class Header:
    """An image header as it stands in flash; sizes in bytes."""

    load_address: int
    header_size: int
    protected_size: int
    payload_size: int
    flags: int
    version: ImageVersion

    @property
    def unprotected_offset(self) -> int:
        """Where the TLV area that no hash covers begins, from the start of the image."""
        return self.header_size + self.payload_size + self.protected_size


def decode_header(raw: bytes) -> Header | None:
    """Decode the first 32 bytes of an image; `None` if they are not one."""
    if len(raw) < HEADER_SIZE or struct.unpack_from("<I", raw)[0] != IMAGE_MAGIC:
        return None
    load, header, protected, payload, flags = struct.unpack_from("<IHHII", raw, 4)
    version = ImageVersion(*struct.unpack_from("<BBHI", raw, 20))
    return Header(load, header, protected, payload, flags, version)


class ImageSlots:
    """Primary and secondary slot of one image number, with their trailers.

    Swap using offset keeps an update one sector into the secondary slot; `secondary_offset` is that
    sector's size then, and 0 in every other mode.
    """

    def __init__(self, profile: DeviceProfile, number: int, controller: FlashController) -> None:
        """Make the slots, erased."""
        self.number = number
        self.mode = profile.mode
        steps = {
            BootloaderMode.SWAP_USING_MOVE: 3,
            BootloaderMode.SWAP_USING_SCRATCH: 3,
            BootloaderMode.SWAP_USING_OFFSET: 2,
        }.get(profile.mode, 0)
        self.areas = tuple(
            FlashArea(
                controller,
                profile.slot(number, index).address,
                profile.slot(number, index).size,
                profile.erase_block,
                profile.write_block,
            )
            for index in (0, 1)
        )
        self.trailers = tuple(Trailer(area, profile.max_sectors * steps) for area in self.areas)
        # The sectors that hold the trailer must go through the scratch area in one piece.
        scratch = profile.scratch.size if profile.scratch else 0
        first = self.trailers[0]
        reach = self.areas[0].size - first.first_sector * profile.erase_block
        self._scratch_limit = (
            first.status_offset if reach <= scratch else first.first_sector * profile.erase_block
        )
        self.secondary_offset = (
            profile.erase_block if profile.mode is BootloaderMode.SWAP_USING_OFFSET else 0
        )

    @property
    def capacity(self) -> int:
        """The size in bytes of the largest image that the bootloader can make run here."""
        primary, secondary = self.trailers
        block = self.areas[0].erase_block
        if self.mode is BootloaderMode.SWAP_USING_MOVE:
            return (min(primary.first_sector, secondary.first_sector + 1) - 1) * block
        if self.mode is BootloaderMode.SWAP_USING_OFFSET:
            return min(primary.first_sector, secondary.first_sector - 1) * block
        if self.mode is BootloaderMode.SWAP_USING_SCRATCH:
            return min(primary.status_offset, secondary.status_offset, self._scratch_limit)
        return min(primary.swap_info_offset, secondary.swap_info_offset)

    def states(self) -> tuple[SwapState, SwapState]:
        """Read both trailers."""
        return self.trailers[0].read(), self.trailers[1].read()

    def header(self, index: int, offset: int = 0) -> Header | None:
        """Read the header at `offset` of a slot; `None` if there is none."""
        return decode_header(self.areas[index].read(offset, HEADER_SIZE))

    def image_offset(self, index: int, *, reverting: bool = False) -> int:
        """Return where in a slot its image begins: 0, but for updates in swap using offset.

        After a swap the old image stands at 0 of the secondary slot; `reverting` looks there first.
        """
        if index == 0 or not self.secondary_offset:
            return 0
        first, second = self.secondary_offset, 0
        if reverting:
            first, second = second, first
        return second if self.header(1, first) is None and self.header(1, second) else first

    def offset_for_application(self, index: int, *, reverting: bool) -> int:
        """Return where the application looks for an image (`boot_get_image_start_offset`).

        Unlike the bootloader it never looks at the other place: the old image of a confirmed swap
        using offset is there, and not listed.
        """
        return 0 if index == 0 or reverting else self.secondary_offset

    def image_size(self, index: int, offset: int = 0) -> int | None:
        """Return the size in bytes of an image with its TLVs; `None` if it makes no sense."""
        header = self.header(index, offset)
        if header is None:
            return None
        area = self.areas[index]
        start = offset + header.unprotected_offset
        if start + 4 > area.size:
            return None
        magic, total = struct.unpack("<HH", area.read(start, 4))
        size: int = header.unprotected_offset + total
        return size if magic == TLV_INFO_MAGIC and offset + size <= area.size else None
