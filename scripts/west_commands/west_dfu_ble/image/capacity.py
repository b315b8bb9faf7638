# SPDX-License-Identifier: Apache-2.0
"""How large an image may be: the slot less what MCUboot, and imgtool, keep free in it.

Formulas: MCUboot `app_max_size()` of `boot/bootutil/src/swap_{move,offset,scratch}.c`,
`boot_trailer_sz()` of `bootutil_area.c`, and imgtool's own check in `image.py`. Sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..builddir import Build, FlashRegion, Slot
from ..diagnostics import Location, Note
from ..faults import fault
from ..mcuboot import BootloaderMode
from .decryption import decrypts, decrypts_aes_256
from .encryption import wants_encryption

_MAGIC = 16
_MAX_ALIGN = 8
# `BOOT_MAX_IMG_SECTORS` and imgtool's default.
_SECTORS = 128
_ERASE_BLOCK = 4096


@dataclass(frozen=True)
class Capacity:
    """The largest image, in bytes, and what the slot's other bytes are for."""

    limit: int
    slot: Slot
    parts: tuple[Note, ...]


def capacity(build: Build, slot: Slot) -> Capacity:
    """Return what fits into `slot`; in modes that exchange slots, into the smaller of both."""
    smaller = _smaller(build, slot)
    whole = Note(f"the {smaller.title} slot has {smaller.size.value} bytes", smaller.size.location)
    # imgtool assumes a swap trailer in every mode, so that is the least that is kept free.
    of_imgtool = _trailer(build, _SECTORS, states=3)
    kept = [of_imgtool]
    mode = build.mode
    if mode is not None and mode.is_swap:
        kept.append(_swap_overhead(build, smaller, mode))
    overhead, text = max(kept, key=lambda one: one[0])
    location = _sectors_location(build) if mode and mode.is_swap else None
    return Capacity(smaller.size.value - overhead, smaller, (whole, Note(text, location)))


def require_fit(build: Build, slot: Slot, size: int, path: Path) -> None:
    """Raise `DfuBleError` IM304 if an image of `size` bytes does not fit into `slot`."""
    fits = capacity(build, slot)
    if size <= fits.limit:
        return
    raise fault(
        "IM304",
        f"the image has {size} bytes, {size - fits.limit} more than the {max(fits.limit, 0)} "
        f"that the {fits.slot.title} slot can take",
        location=path,
        notes=fits.parts,
        helps=["make the application smaller, or the slots larger"],
        data={"size": size, "limit": fits.limit, "slot_size": fits.slot.size.value},
    )


def _smaller(build: Build, slot: Slot) -> Slot:
    both = [s for s in build.slots if s.image == slot.image]
    if build.mode is not None and build.mode.has_two_slots and both:
        return min(both, key=lambda s: (s.size.value, s.index != slot.index))
    return slot


def _swap_overhead(build: Build, slot: Slot, mode: BootloaderMode) -> tuple[int, str]:
    bootloader = build.bootloader.kconfig if build.bootloader else None
    sectors = (bootloader.integer("CONFIG_BOOT_MAX_IMG_SECTORS") if bootloader else None) or 0
    sector = _erase_block(build, slot)
    if (bootloader and bootloader.is_on("CONFIG_BOOT_MAX_IMG_SECTORS_AUTO")) or not sectors:
        # The build system's own count: as many as the larger slot has.
        larger = max(s.size.value for s in build.slots if s.image == slot.image)
        sectors = -(-larger // sector)
    states = 2 if mode is BootloaderMode.SWAP_USING_OFFSET else 3
    size, text = _trailer(build, sectors, states)
    if mode is BootloaderMode.SWAP_USING_OFFSET:
        size += _MAX_ALIGN
    if mode is BootloaderMode.SWAP_USING_SCRATCH:
        return size, text
    size = -(-size // sector) * sector + sector
    return size, (
        f"{size} of them stay free: the trailer in whole sectors of {sector} bytes, "
        f"and one sector more that {mode.title} needs"
    )


def _trailer(build: Build, sectors: int, states: int) -> tuple[int, str]:
    write = build.write_block.value if build.write_block else 4
    align = max(_MAX_ALIGN, write)
    magic = -(-_MAGIC // align) * align
    # Both images' AES keys, if MCUboot decrypts, stand there during a swap.
    key = -(-(32 if decrypts_aes_256(build) else 16) // align) * align
    keys = 2 * key if decrypts(build) or wants_encryption(build) else 0
    flags = 4 * align + magic + keys
    size = sectors * states * write + flags
    return size, (
        f"{size} of them are the trailer: {sectors} sectors x {states} states x {write} bytes, "
        f"and {flags} for flags and magic"
    )


def _erase_block(build: Build, slot: Slot) -> int:
    region: FlashRegion | None = next((r for r in build.flash if r.name == slot.region), None)
    return (region.erase_block if region else None) or _ERASE_BLOCK


def _sectors_location(build: Build) -> Location | None:
    if build.bootloader is None or "CONFIG_BOOT_MAX_IMG_SECTORS" not in build.bootloader.kconfig:
        return None
    return build.bootloader.kconfig.where("CONFIG_BOOT_MAX_IMG_SECTORS")
