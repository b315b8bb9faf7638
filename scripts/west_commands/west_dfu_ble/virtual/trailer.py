# SPDX-License-Identifier: Apache-2.0
"""The image trailer at the end of a slot, where MCUboot and the application leave each other notes.

Layout and meaning from MCUboot's design document ("Image trailer", "Boot swap types"); from the
end of the slot downwards: magic, image-ok, copy-done, swap info, swap size, swap status.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .flash import ERASED, FlashArea

_MAGIC_SIZE = 16
_MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
# With a write block over 8 bytes the first two bytes of the magic tell the alignment.
_MAGIC_TAIL = bytes.fromhex("2de15d29410b8d77679c110f1f8a")


class Magic(Enum):
    """What stands where the magic belongs."""

    GOOD = "good"
    BAD = "bad"
    UNSET = "unset"


class Flag(Enum):
    """A flag of the trailer, with the number that MCUboot's log shows for it."""

    SET = 1
    BAD = 2
    UNSET = 3


class SwapType(Enum):
    """What the bootloader is to do, with MCUboot's number (`BOOT_SWAP_TYPE_*`)."""

    NONE = 1
    TEST = 2
    PERM = 3
    REVERT = 4
    FAIL = 5


@dataclass(frozen=True)
class SwapState:
    """A trailer as it was read; `image` is the number of the image that is exchanged."""

    magic: Magic
    swap_type: SwapType
    image: int
    copy_done: Flag
    image_ok: Flag

    def describe(self, area: str) -> str:
        """Return MCUboot's log line about it."""
        return (
            f"{area}: magic={self.magic.value}, swap_type=0x{self.swap_type.value:x}, "
            f"copy_done=0x{self.copy_done.value:x}, image_ok=0x{self.image_ok.value:x}"
        )


class Trailer:
    """Reads and writes the trailer of one slot (or of the scratch area).

    `align` is MCUboot's `BOOT_MAX_ALIGN`: 8, or the write block if that is larger.
    `status_entries` is how many steps of a swap can be noted.
    """

    def __init__(self, area: FlashArea, status_entries: int) -> None:
        """Compute where everything stands in `area`."""
        self.area = area
        self.align = max(8, area.write_block)
        self.entries = status_entries
        self.magic_offset = area.size - _MAGIC_SIZE
        self.image_ok_offset = (self.magic_offset - self.align) // self.align * self.align
        self.copy_done_offset = self.image_ok_offset - self.align
        self.swap_info_offset = self.copy_done_offset - self.align
        self.swap_size_offset = self.swap_info_offset - self.align
        self.status_offset = self.swap_size_offset - status_entries * area.write_block
        self.first_sector = self.status_offset // area.erase_block

    @property
    def magic(self) -> bytes:
        """The magic that a good trailer has, 16 bytes."""
        return _MAGIC if self.align == 8 else self.align.to_bytes(2, "little") + _MAGIC_TAIL

    def read(self) -> SwapState:
        """Read the trailer."""
        found = self.area.read(self.magic_offset, _MAGIC_SIZE)
        magic = Magic.GOOD if found == self.magic else Magic.BAD
        if found.count(ERASED) == _MAGIC_SIZE:
            magic = Magic.UNSET
        info = self.area.read(self.swap_info_offset, 1)[0]
        return SwapState(
            magic,
            SwapType(info & 0x0F) if info & 0x0F in (2, 3, 4) else SwapType.NONE,
            info >> 4,
            self._flag(self.copy_done_offset),
            self._flag(self.image_ok_offset),
        )

    def swap_size(self) -> int:
        """Return how many bytes the swap under way covers."""
        return int.from_bytes(self.area.read(self.swap_size_offset, 4), "little")

    def write_magic(self) -> None:
        """Make the trailer a good one; written last, for it makes the rest valid."""
        start = self.magic_offset // self.align * self.align
        self.area.write(start, b"\xff" * (self.magic_offset - start) + self.magic)

    def write_image_ok(self) -> None:
        """Note that the image is confirmed."""
        self._write(self.image_ok_offset, b"\x01")

    def write_copy_done(self) -> None:
        """Note that the swap is complete, or (direct-xip) that the image was tried."""
        self._write(self.copy_done_offset, b"\x01")

    def write_swap_info(self, swap_type: SwapType, image: int) -> None:
        """Note what kind of swap this is and for which image number."""
        self._write(self.swap_info_offset, bytes([image << 4 | swap_type.value]))

    def write_swap_size(self, size: int) -> None:
        """Note how many bytes the swap covers."""
        self._write(self.swap_size_offset, size.to_bytes(4, "little"))

    def write_status(self, entry: int, value: int) -> None:
        """Note that step `entry` (from 0) of the swap is done."""
        self._write(self.status_offset + entry * self.area.write_block, bytes([value]))

    def steps_done(self) -> int:
        """Return how many steps of a swap were noted."""
        width = self.area.write_block
        status = self.area.read(self.status_offset, self.entries * width)
        for entry in range(self.entries, 0, -1):
            if status[(entry - 1) * width] != ERASED:
                return entry
        return 0

    def erase(self) -> None:
        """Erase the sectors that the trailer reaches into, the last one first."""
        block = self.area.erase_block
        for sector in range(self.area.sectors - 1, self.first_sector - 1, -1):
            self.area.erase(sector * block, block)

    def _flag(self, offset: int) -> Flag:
        value = self.area.read(offset, 1)[0]
        return {ERASED: Flag.UNSET, 1: Flag.SET}.get(value, Flag.BAD)

    def _write(self, offset: int, value: bytes) -> None:
        block = self.area.write_block
        size = -(-len(value) // block) * block
        self.area.write(offset, value.ljust(size, b"\xff"))


def read_swap_type(primary: SwapState, secondary: SwapState) -> SwapType:
    """Return what a pair of trailers asks for (MCUboot's table of boot swap types)."""
    if secondary.magic is Magic.GOOD:
        if secondary.image_ok is Flag.UNSET:
            return SwapType.TEST
        if secondary.image_ok is Flag.SET:
            return SwapType.PERM
    if (
        primary.magic is Magic.GOOD
        and secondary.magic is Magic.UNSET
        and primary.image_ok is Flag.UNSET
        and primary.copy_done is Flag.SET
    ):
        return SwapType.REVERT
    return SwapType.NONE
