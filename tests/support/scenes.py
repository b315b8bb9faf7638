# SPDX-License-Identifier: Apache-2.0
"""Small updates to play, one for each bootloader mode."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mcuboot_images import make_image
from west_dfu_ble import image
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.rehearsal import Over, Scene
from west_dfu_ble.update import Candidate, Knowledge
from west_dfu_ble.virtual import DeviceProfile, SlotProfile

ADDRESSES, SIZE = (0xC000, 0x40000), 0x10000


@cache
def firmware(mode: BootloaderMode, version: int, slot: int = 0) -> bytes:
    """An image of 20 kB for a slot."""
    return make_image(
        (version, 0, 0), size=20_000, linked_for=ADDRESSES[slot], rom_fixed=mode.is_direct_xip
    )


@cache
def two_images(mode: BootloaderMode) -> Scene:
    """The update of an application and a second image from 1.0.0 to 2.0.0."""
    places = {0: ADDRESSES, 1: (0x100000, 0x120000)}
    slots = tuple(SlotProfile(n, i, places[n][i], SIZE) for n in places for i in (0, 1))

    def made(number: int, version: int) -> bytes:
        linked_for = places[number][0]
        return make_image((version, 0, 0), size=20_000, seed=number, linked_for=linked_for)

    scratch = SlotProfile(0, 2, 0x80000, 0x2000)
    profile = DeviceProfile(mode, slots, {(n, 0): made(n, 1) for n in places}, scratch=scratch)
    candidates = tuple(
        Candidate(Path(f"{n}.bin"), image.parse(made(n, 2), Path(f"{n}.bin")), None, n)
        for n in places
    )
    known = {(n, i): (places[n][i], SIZE) for n in places for i in (0, 1)}
    return Scene(profile, candidates, Knowledge(slots=known))


@cache
def scene(mode: BootloaderMode, over: Over = Over.SMP) -> Scene:
    """The update of a small device from version 1.0.0 to 2.0.0."""
    slots = tuple(SlotProfile(0, n, ADDRESSES[n], SIZE) for n in (0, 1))
    scratch = SlotProfile(0, 2, 0x80000, 0x2000)
    profile = DeviceProfile(mode, slots, {(0, 0): firmware(mode, 1)}, scratch=scratch)
    files = [firmware(mode, 2, slot) for slot in ((0, 1) if mode.is_direct_xip else (0,))]
    candidates = tuple(
        Candidate(
            Path(f"{n}.bin"), image.parse(data, Path(f"{n}.bin")), n if len(files) > 1 else None
        )
        for n, data in enumerate(files)
    )
    knowledge = Knowledge(slots={(0, n): (ADDRESSES[n], SIZE) for n in (0, 1)})
    return Scene(profile, candidates, knowledge, over=over)
