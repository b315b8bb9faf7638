# SPDX-License-Identifier: Apache-2.0
"""What MCUboot does between reset and application: which slot runs, and what becomes of the other.

The decisions are those of MCUboot's `boot/bootutil/src/loader.c`, the log lines in its manner.
"""

from __future__ import annotations

from collections.abc import Callable

from ..mcuboot import BootloaderMode
from .flash import FlashArea
from .profile import DeviceProfile
from .slots import Header, ImageSlots
from .swap import Swapper, copy
from .trailer import Flag, Magic, SwapType, read_swap_type
from .validate import Validator

Log = Callable[[str], None]
UPGRADES = (SwapType.TEST, SwapType.PERM, SwapType.REVERT)


class Bootloader:
    """MCUboot as one profile builds it; `boot` is one start of the device."""

    def __init__(
        self,
        profile: DeviceProfile,
        images: tuple[ImageSlots, ...],
        scratch: FlashArea | None,
        log: Log,
    ) -> None:
        """Take the slots of every image number, in order."""
        self._profile = profile
        self._images = images
        self._scratch = scratch
        self._log = log
        self._validator = Validator(profile)

    def boot(self) -> dict[int, int] | None:
        """Return the slot index that runs for each image number; `None` if nothing can be run.

        Raises `PowerCut` and `FlashError` out of the flash operations that it does.
        """
        self._log("*** Booting MCUboot ***")
        self._log("Starting bootloader")
        if self._profile.mode.is_direct_xip:
            active = {slots.number: self._choose(slots) for slots in self._images}
        else:
            for slots in self._images:
                self._update(slots)
            active = {slots.number: self._primary(slots) for slots in self._images}
        running = {number: index for number, index in active.items() if index is not None}
        if len(running) < len(active):
            self._log("Unable to find bootable image")
            return None
        for slots in self._images:
            area = slots.areas[running[slots.number]]
            self._log(f"Bootloader chainload address offset: {area.address:#x}")
        self._log("Jumping to the first image slot")
        return running

    # Swapping and overwriting

    def _update(self, slots: ImageSlots) -> None:
        if self._profile.mode is BootloaderMode.OVERWRITE_ONLY:
            swap_type = self._validated(slots, read_swap_type(*slots.states()))
            if swap_type in (SwapType.TEST, SwapType.PERM):
                self._overwrite(slots)
            return
        swapper = Swapper(slots, self._scratch, self._log)
        source = swapper.source()
        if source is not None:
            self._complete(slots, swapper.resume(source))
            return
        swap_type = read_swap_type(*slots.states())
        self._log(f"Image index: {slots.number}, Swap type: {swap_type.name.lower()}")
        swap_type = self._validated(slots, swap_type)
        if swap_type in UPGRADES:
            offset = slots.image_offset(1, reverting=swap_type is SwapType.REVERT)
            swapper.start(swap_type, downwards=bool(slots.secondary_offset) and offset == 0)
            self._complete(slots, swap_type)
        elif swap_type is SwapType.FAIL:
            # Not to fall into the same trap at every start, the primary image counts as confirmed.
            trailer = slots.trailers[0]
            state = trailer.read()
            if state.magic is Magic.GOOD and state.image_ok is Flag.UNSET:
                trailer.write_image_ok()

    def _complete(self, slots: ImageSlots, swap_type: SwapType) -> None:
        trailer = slots.trailers[0]
        state = trailer.read()
        if swap_type in (SwapType.REVERT, SwapType.PERM) and state.image_ok is Flag.UNSET:
            trailer.write_image_ok()
        if state.copy_done is Flag.UNSET:
            trailer.write_copy_done()

    def _validated(self, slots: ImageSlots, swap_type: SwapType) -> SwapType:
        """Look at the update before it is taken; what can't be run is erased."""
        if swap_type not in UPGRADES:
            return swap_type
        offset = slots.image_offset(1, reverting=swap_type is SwapType.REVERT)
        problem = self._validator.problem(slots, 1, offset)
        if problem is None and self._profile.mode.is_swap:
            problem = self._validator.vector_problem(slots, offset)
        if problem is None:
            problem = self._downgrade(slots, offset, swap_type)
        if problem is None:
            problem = self._missing_dependency(slots, offset)
            if problem is not None:
                self._log(f"Image {slots.number} is not upgraded: {problem}")
                return SwapType.NONE
        if problem is None:
            return swap_type
        self._log(f"Image in the secondary slot is not valid! ({problem})")
        self._log("Erasing image from secondary slot")
        slots.areas[1].erase(0, slots.areas[1].size)
        return SwapType.FAIL

    def _downgrade(self, slots: ImageSlots, offset: int, swap_type: SwapType) -> str | None:
        old, new = slots.header(0), slots.header(1, offset)
        if not self._profile.prevent_downgrade or swap_type is SwapType.REVERT:
            return None
        if old is None or new is None or new.version >= old.version:
            return None
        return f"insufficient version {new.version}, the primary slot has {old.version}"

    def _missing_dependency(self, slots: ImageSlots, offset: int) -> str | None:
        for number, least in self._validator.dependencies(slots, 1, offset):
            other = next((one for one in self._images if one.number == number), None)
            if other is None:
                return f"it depends on image {number}, which this device has not"
            versions = [
                header.version
                for header in (other.header(0), self._pending_header(other))
                if header is not None
            ]
            if not any(version >= least for version in versions):
                return f"it depends on image {number} version {least}"
        return None

    @staticmethod
    def _pending_header(slots: ImageSlots) -> Header | None:
        asked = read_swap_type(*slots.states()) in (SwapType.TEST, SwapType.PERM)
        return slots.header(1, slots.image_offset(1)) if asked else None

    def _overwrite(self, slots: ImageSlots) -> None:
        primary, secondary = slots.areas
        block = primary.erase_block
        size = -(-(slots.image_size(1) or 0) // block) * block
        self._log("Image upgrade secondary slot -> primary slot")
        self._log(f"Erasing the primary slot, copying {size} bytes")
        for start in range(0, size, block):
            copy(secondary, start, primary, start, block)
        # The header goes first: without it a trailer that is left asks for nothing.
        secondary.erase(0, block)
        slots.trailers[1].erase()

    def _primary(self, slots: ImageSlots) -> int | None:
        if slots.number and (slots.number, 0) not in self._profile.factory:
            return 0  # another core's image, which it checks itself
        problem = self._validator.problem(slots, 0)
        if problem is None:
            return 0
        self._log(f"Image in the primary slot is not valid! ({problem})")
        return None

    # Direct-xip

    def _choose(self, slots: ImageSlots) -> int | None:
        candidates = [index for index in (0, 1) if slots.header(index) is not None]
        while candidates:
            index = self._higher(slots, candidates)
            header = slots.header(index)
            assert header is not None
            self._log(
                f"Image {slots.number}: {('primary', 'secondary')[index]} slot, version "
                f"{header.version}"
            )
            if self._may_run(slots, index):
                return index
            candidates.remove(index)
        return None

    def _higher(self, slots: ImageSlots, candidates: list[int]) -> int:
        best = candidates[0]
        for index in candidates[1:]:
            old, new = slots.header(best), slots.header(index)
            assert old is not None
            assert new is not None
            before, after = old.version, new.version
            if not self._profile.compare_build_number:
                before, after = before.without_build, after.without_build
            if after > before:
                best = index
        return best

    def _may_run(self, slots: ImageSlots, index: int) -> bool:
        title = ("primary", "secondary")[index]
        problem = self._validator.rom_fixed_problem(slots, index)
        if problem is not None:
            self._log(f"Slot skipped: {problem}")
            return False
        if self._profile.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT:
            trailer = slots.trailers[index]
            state = trailer.read()
            self._log(state.describe(f"{title} slot"))
            tried = state.copy_done is Flag.SET and state.image_ok is not Flag.SET
            if state.magic is not Magic.GOOD or tried:
                self._log(f"Erasing faulty image in the {title} slot.")
                slots.areas[index].erase(0, slots.areas[index].size)
                return False
            if state.copy_done is not Flag.SET:
                trailer.write_copy_done()
        problem = self._validator.problem(slots, index)
        if problem is None:
            return True
        self._log(f"Image in the {title} slot is not valid! ({problem})")
        self._log(f"Erasing image from the {title} slot")
        slots.areas[index].erase(0, slots.areas[index].size)
        return False
