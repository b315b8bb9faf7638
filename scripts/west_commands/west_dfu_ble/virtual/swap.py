# SPDX-License-Identifier: Apache-2.0
"""How MCUboot exchanges two slots, one sector at a time, so that a power cut never loses anything.

Each finished step is noted in the swap status of the primary slot's trailer (in the scratch area's
while the primary's own last sector is being exchanged). After a cut the bootloader counts the notes
and goes on with the next step, which is safe to do again from its start. Order of the steps as in
MCUboot's design document, "Image swapping".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..mcuboot import BootloaderMode
from .flash import FlashArea
from .slots import ImageSlots
from .trailer import Flag, Magic, SwapState, SwapType, Trailer

Log = Callable[[str], None]
Step = Callable[[], None]

# Swap using offset exchanges upwards for an update and downwards for the way back; this bit of the
# swap size tells the bootloader that goes on after a power cut which of them was under way.
_DOWNWARDS = 1 << 31


class Swapper:
    """Exchanges the slots of one image; makes what the mode needs of the trailers."""

    def __init__(self, slots: ImageSlots, scratch: FlashArea | None, log: Log) -> None:
        """Take the slots; `scratch` only in swap using scratch."""
        self._slots = slots
        self._log = log
        self._block = slots.areas[0].erase_block
        self._primary, self._secondary = slots.areas
        self._first, self._second = slots.trailers
        self._scratch = scratch
        self._scratch_trailer = Trailer(scratch, self._first.entries) if scratch else None

    def source(self) -> Trailer | None:
        """Return the trailer that tells of a swap that was interrupted, if there was one."""
        primary, secondary = self._slots.states()
        self._log(primary.describe("Primary image"))
        if self._scratch_trailer is not None:
            scratch = self._scratch_trailer.read()
            self._log(scratch.describe("Scratch"))
            found = self._source_with_scratch(primary, scratch)
        else:
            self._log(secondary.describe("Secondary image"))
            interrupted = (
                primary.magic is Magic.GOOD
                and primary.copy_done is Flag.UNSET
                and secondary.magic is not Magic.GOOD
            )
            found = self._first if interrupted else None
        title = {None: "none", self._first: "primary slot"}.get(found, "scratch")
        self._log(f"Boot source: {title}")
        return found

    def _source_with_scratch(self, primary: SwapState, scratch: SwapState) -> Trailer | None:
        # Three steps noted in the primary slot: the scratch area's trailer has served, and only its
        # erasure was cut.
        copied = primary.magic is Magic.GOOD and self._first.steps_done() >= 3
        mine = scratch.magic is Magic.GOOD and scratch.image == self._slots.number
        if mine and not copied:
            return self._scratch_trailer
        if primary.magic is Magic.GOOD and primary.copy_done is Flag.UNSET:
            return self._first
        return None

    def start(self, swap_type: SwapType, *, downwards: bool) -> None:
        """Begin a swap and do all of it. `downwards` is the way back in swap using offset."""
        size = self._size(downwards) | (_DOWNWARDS if downwards else 0)
        secondary = self._second.read()
        if swap_type is SwapType.REVERT and secondary.magic is Magic.UNSET:
            self._announce_revert(size)
            secondary = self._second.read()
        if not self._reaches_trailer(size):
            self._first.erase()
            self._init_status(self._first, swap_type, secondary, size)
        self._run(size, 0, swap_type, secondary)

    def resume(self, source: Trailer) -> SwapType:
        """Go on with an interrupted swap; return what kind of swap it was."""
        done, state = source.steps_done(), source.read()
        self._log(f"Resuming an interrupted swap, {done} steps done")
        self._run(source.swap_size(), done, state.swap_type, state)
        return state.swap_type

    def _announce_revert(self, size: int) -> None:
        # While the primary trailer is made anew nothing would tell of the revert; until the first
        # step is noted the secondary trailer does, as if a permanent swap had been asked for.
        if self._scratch is not None:
            return
        self._second.erase()
        self._second.write_image_ok()
        self._second.write_swap_info(SwapType.REVERT, self._slots.number)
        self._second.write_swap_size(size)
        self._second.write_magic()

    def _init_status(
        self, trailer: Trailer, swap_type: SwapType, secondary: SwapState, size: int
    ) -> None:
        trailer.write_swap_info(swap_type, self._slots.number)
        if secondary.image_ok is Flag.SET:
            trailer.write_image_ok()
        trailer.write_swap_size(size)
        trailer.write_magic()

    def _size(self, downwards: bool) -> int:
        offset = 0 if downwards else self._slots.secondary_offset
        sizes = (self._slots.image_size(0), self._slots.image_size(1, offset))
        return max(size or 0 for size in sizes)

    def _reaches_trailer(self, size: int) -> bool:
        """Whether the image reaches into the sectors of the trailer (swap using scratch only)."""
        return self._scratch is not None and size > self._first.first_sector * self._block

    def _run(self, size: int, done: int, swap_type: SwapType, secondary: SwapState) -> None:
        downwards = bool(size & _DOWNWARDS)
        count = -(-(size & ~_DOWNWARDS) // self._block)
        if self._slots.mode is BootloaderMode.SWAP_USING_MOVE:
            self._log("Starting swap using move algorithm.")
            steps = self._move(count)
        elif self._slots.mode is BootloaderMode.SWAP_USING_OFFSET:
            self._log("Starting swap using offset algorithm.")
            steps = self._offset_down(count) if downwards else self._offset_up(count)
        else:
            self._log("Starting swap using scratch algorithm.")
            self._run_scratch(size, done, swap_type, secondary)
            return
        if not done:
            self._second.erase()
        for number, step in enumerate(steps):
            if number >= done:
                step()
                self._first.write_status(number, 1)
        if self._slots.mode is BootloaderMode.SWAP_USING_OFFSET:
            # What is left over must not be taken for the header of an image.
            spare = 0 if downwards else count
            self._secondary.erase(spare * self._block, self._block)

    def _move(self, count: int) -> Iterator[Step]:
        for sector in range(count, 0, -1):
            yield self._copy(self._primary, sector - 1, self._primary, sector)
        for sector in range(count):
            yield self._copy(self._secondary, sector, self._primary, sector)
            yield self._copy(self._primary, sector + 1, self._secondary, sector)

    def _offset_up(self, count: int) -> Iterator[Step]:
        for sector in range(count):
            yield self._copy(self._primary, sector, self._secondary, sector)
            yield self._copy(self._secondary, sector + 1, self._primary, sector)

    def _offset_down(self, count: int) -> Iterator[Step]:
        for sector in range(count - 1, -1, -1):
            yield self._copy(self._primary, sector, self._secondary, sector + 1)
            yield self._copy(self._secondary, sector, self._primary, sector)

    def _copy(self, source: FlashArea, from_: int, target: FlashArea, to: int) -> Step:
        return lambda: copy(source, from_ * self._block, target, to * self._block, self._block)

    def _run_scratch(self, size: int, done: int, swap_type: SwapType, secondary: SwapState) -> None:
        assert self._scratch is not None
        assert self._scratch_trailer is not None
        through_scratch = self._reaches_trailer(size)
        groups = list(self._groups(size))
        for number, (offset, length) in enumerate(groups):
            at_trailer = through_scratch and number == 0
            noted = self._scratch_trailer if at_trailer else self._first
            # What of the first group is image; the rest of it is the trailer, written separately.
            part = min(length, self._first.status_offset - offset) if at_trailer else length
            part = part // self._primary.write_block * self._primary.write_block
            if done <= 3 * number:
                copy(self._secondary, offset, self._scratch, 0, length, part)
                if at_trailer:
                    self._init_status(noted, swap_type, secondary, size)
                elif number == 0:
                    self._second.erase()
                noted.write_status(3 * number, 1)
            if done <= 3 * number + 1:
                copy(self._primary, offset, self._secondary, offset, length, part)
                noted.write_status(3 * number + 1, 2)
            if done <= 3 * number + 2:
                copy(self._scratch, 0, self._primary, offset, length, part)
                if at_trailer:
                    for entry in (0, 1):
                        self._first.write_status(entry, 1)
                    self._init_status(self._first, swap_type, secondary, size)
                self._first.write_status(3 * number + 2, 3)
            if at_trailer and done <= 3:
                self._scratch_trailer.erase()

    def _groups(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches that fit the scratch area, offset and length, the last one first."""
        assert self._scratch is not None
        end = -(-size // self._block) * self._block
        if self._reaches_trailer(size):
            end = self._primary.size
        room = self._scratch.size
        while end > 0:
            start = max(0, end - room)
            yield start, end - start
            end = start


def copy(
    source: FlashArea, from_: int, target: FlashArea, to: int, size: int, part: int | None = None
) -> None:
    """Erase `size` bytes of `target` and copy `part` of them (default all) from `source`."""
    data = source.read(from_, size if part is None else part)
    target.erase(to, size)
    target.write(to, data)
