# SPDX-License-Identifier: Apache-2.0
"""What MCUboot does between reset and application: which slot runs, and what becomes of the other.

The decisions are those of MCUboot's `boot/bootutil/src/loader.c`, the log lines in its manner.
"""

from __future__ import annotations

from collections.abc import Callable

from ..mcuboot import BootloaderMode
from .dependencies import Dependencies
from .flash import FlashArea
from .profile import DeviceProfile
from .slots import ImageSlots
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
        self._dependencies = Dependencies(profile, images, self._validator)

    def boot(self) -> dict[int, int] | None:
        """Return the slot index that runs for each image number; `None` if nothing can be run.

        Raises `PowerCut` and `FlashError` out of the flash operations that it does.
        """
        self._log("*** Booting MCUboot ***")
        self._log("Starting bootloader")
        if self._profile.mode.is_direct_xip:
            active = self._choose_all()
        else:
            self._update_all()
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

    def _update_all(self) -> None:
        """Decide for every image first, and finish what was cut; only then begin anything."""
        asked: dict[int, SwapType] = {}
        for slots in self._images:
            swap_type = self._prepare(slots)
            if swap_type not in (SwapType.NONE, SwapType.REVERT):
                # The last boot ended between two images: the ones before this one were updated just
                # then, and are not to go back because nobody has confirmed them yet.
                asked = {n: SwapType.NONE if t is SwapType.REVERT else t for n, t in asked.items()}
            asked[slots.number] = SwapType.NONE if swap_type is None else swap_type
        upgraded = {
            slots: slots.image_offset(1, reverting=asked[slots.number] is SwapType.REVERT)
            for slots in self._images
            if asked[slots.number] in UPGRADES
        }
        problem = self._dependencies.unmet(upgraded) if upgraded else None
        if problem is not None:
            self._log(f"Nothing is upgraded: {problem}")
            return
        for slots in self._images:
            self._perform(slots, asked[slots.number])

    def _prepare(self, slots: ImageSlots) -> SwapType | None:
        """Return what is asked for; `None` if it was a swap to be finished, which is done now."""
        if self._profile.mode is BootloaderMode.OVERWRITE_ONLY:
            return self._validated(slots, read_swap_type(*slots.states()))
        swapper = Swapper(slots, self._scratch, self._log)
        source = swapper.source()
        if source is not None:
            self._complete(slots, swapper.resume(source))
            return None
        swap_type = read_swap_type(*slots.states())
        self._log(f"Image index: {slots.number}, Swap type: {swap_type.name.lower()}")
        return self._validated(slots, swap_type)

    def _perform(self, slots: ImageSlots, swap_type: SwapType) -> None:
        if self._profile.mode is BootloaderMode.OVERWRITE_ONLY:
            if swap_type in (SwapType.TEST, SwapType.PERM):
                self._overwrite(slots)
        elif swap_type in UPGRADES:
            offset = slots.image_offset(1, reverting=swap_type is SwapType.REVERT)
            if swap_type is not SwapType.REVERT and self._downgrade(slots, offset):
                self._log(f"Image {slots.number} in slot 1 erased due to downgrade prevention")
                slots.areas[1].erase(0, slots.areas[1].size)
                return
            downwards = bool(slots.secondary_offset) and offset == 0
            Swapper(slots, self._scratch, self._log).start(swap_type, downwards=downwards)
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
        problem = None
        if self._profile.mode is BootloaderMode.OVERWRITE_ONLY:
            problem = self._downgrade(slots, offset)
        if problem is None:
            problem = self._validator.problem(slots, 1, offset)
        if problem is None and self._profile.mode.is_swap:
            problem = self._validator.vector_problem(slots, offset)
        if problem is None:
            return swap_type
        self._log(f"Image in the secondary slot is not valid! ({problem})")
        self._log("Erasing image from secondary slot")
        slots.areas[1].erase(0, slots.areas[1].size)
        return SwapType.FAIL

    def _downgrade(self, slots: ImageSlots, offset: int) -> str | None:
        old, new = slots.header(0), slots.header(1, offset)
        if not self._profile.prevent_downgrade or old is None or new is None:
            return None
        if self._profile.compare(new.version, old.version) >= 0:
            return None
        return f"insufficient version {new.version}, the primary slot has {old.version}"

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
        problem = None
        if self._profile.validate_primary:
            problem = self._validator.problem(slots, 0)
        elif slots.header(0) is None:
            problem = "bad image magic"
        if problem is None:
            return 0
        self._log(f"Image in the primary slot is not valid! ({problem})")
        return None

    # Direct-xip

    def _choose_all(self) -> dict[int, int | None]:
        """Choose a slot of every image, and others where they don't go together."""
        left = {
            slots: [index for index in (0, 1) if slots.header(index) is not None]
            for slots in self._images
        }
        chosen: dict[ImageSlots, int | None] = {}
        while True:
            for slots in self._images:
                if slots not in chosen:
                    chosen[slots] = self._choose(slots, left[slots])
            runs = {slots: index for slots, index in chosen.items() if index is not None}
            unmet = self._dependencies.first_unmet(runs) if len(runs) == len(chosen) else None
            if unmet is None:
                return {slots.number: index for slots, index in chosen.items()}
            slots, problem = unmet
            self._log(f"Slot skipped: {problem}")
            left[slots].remove(runs[slots])
            del chosen[slots]

    def _choose(self, slots: ImageSlots, candidates: list[int]) -> int | None:
        """Return the slot to run, of those in `candidates`; others are taken out of it."""
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
            if self._profile.compare(new.version, old.version) > 0:
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
