# SPDX-License-Identifier: Apache-2.0
"""The power goes at every single flash operation of an update: the device always boots."""

from __future__ import annotations

from functools import cache

import pytest

from mcuboot_images import digest_of, make_image
from smp_talk import Talk
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import PLAYABLE_MODES, DeviceProfile, SlotProfile, VirtualDevice

SECTOR, SECTORS = 512, 12
PRIMARY, SECONDARY, SCRATCH = 0x4000, 0x8000, 0xC000
SHARES = (0.0, 0.4, 0.999)


@cache
def profile(mode: BootloaderMode, size: int, scratch_sectors: int) -> DeviceProfile:
    old = make_image((1, 0, 0), linked_for=PRIMARY, rom_fixed=mode.is_direct_xip, size=size)
    slot = SECTOR * SECTORS
    return DeviceProfile(
        mode,
        (SlotProfile(0, 0, PRIMARY, slot), SlotProfile(0, 1, SECONDARY, slot)),
        {(0, 0): old},
        erase_block=SECTOR,
        max_sectors=SECTORS,
        scratch=SlotProfile(0, 2, SCRATCH, SECTOR * scratch_sectors),
    )


def board(mode: BootloaderMode, size: int, scratch_sectors: int = 1) -> VirtualDevice:
    return VirtualDevice(profile(mode, size, scratch_sectors))


@cache
def update_for(mode: BootloaderMode, size: int) -> bytes:
    linked_for = SECONDARY if mode.is_direct_xip else PRIMARY
    return make_image((2, 0, 0), linked_for=linked_for, rom_fixed=mode.is_direct_xip, size=size)


def boot_until_it_runs(device: VirtualDevice) -> None:
    for _ in range(4):
        if device.is_running:
            return
        assert device.reset_at is not None, list(device.log)[-8:]
        device.boot()
    raise AssertionError(list(device.log)[-8:])


def version(device: VirtualDevice) -> tuple[int, int]:
    running = device.running()
    assert running is not None, list(device.log)[-12:]
    return running.version.major, device.active_slot() or 0


@cache
def prepared(mode: BootloaderMode, size: int, scratch_sectors: int) -> bytes:
    """What stands in the secondary slot once an update is uploaded and set to test."""
    device, new = board(mode, size, scratch_sectors), update_for(mode, size)
    talk = Talk(device)
    assert talk.upload(new) == {"off": len(new)}
    if mode is not BootloaderMode.DIRECT_XIP:
        assert "images" in talk.test(digest_of(new))
    area = device.images[0].areas[1]
    return area.read(0, area.size)


def ready(mode: BootloaderMode, size: int, scratch_sectors: int) -> VirtualDevice:
    """A board that has got an update and is set to test it at the next boot."""
    device = board(mode, size, scratch_sectors)
    device.images[0].areas[1].program(0, prepared(mode, size, scratch_sectors))
    return device


SIZES = [1500, 3300]
PLACES = [
    (mode, size, scratch)
    for mode in PLAYABLE_MODES
    for size in SIZES
    for scratch in ((1, 3) if mode is BootloaderMode.SWAP_USING_SCRATCH else (1,))
] + [
    # The image reaches into the sectors of the trailer, which then lives in the scratch area.
    (BootloaderMode.SWAP_USING_SCRATCH, 5000, 2),
    (BootloaderMode.SWAP_USING_SCRATCH, 4900, 3),
]


LEAST_OPERATIONS = {
    BootloaderMode.SWAP_USING_MOVE: 40,
    BootloaderMode.SWAP_USING_SCRATCH: 30,
    BootloaderMode.SWAP_USING_OFFSET: 30,
    BootloaderMode.OVERWRITE_ONLY: 10,
    BootloaderMode.DIRECT_XIP: 0,
    BootloaderMode.DIRECT_XIP_WITH_REVERT: 1,
}


def ident(value: object) -> str:
    return value.title if isinstance(value, BootloaderMode) else str(value)


@pytest.mark.parametrize(("mode", "size", "scratch"), PLACES, ids=ident)
def test_a_cut_while_the_update_is_taken_over(
    mode: BootloaderMode, size: int, scratch: int
) -> None:
    for number in range(10_000):
        for share in SHARES:
            device = ready(mode, size, scratch)
            device.flash.cut_power(number, share)
            device.boot()
            was_cut = not device.is_running
            boot_until_it_runs(device)
            assert version(device)[0] == 2, (number, share, list(device.log))
            if mode.reverts and mode.is_swap:
                # The old image came to no harm: without a word it is back after the next reset.
                device.flash.keep_power()
                device.boot()
                assert version(device)[0] == 1, (number, share, list(device.log))
        if not was_cut:
            assert number >= LEAST_OPERATIONS[mode]
            return
    raise AssertionError("the update never ended")


def may_forget(device: VirtualDevice) -> bool:
    """Whether the device, as MCUboot, can have lost sight of a revert, and keeps the new image.

    In swap using scratch nothing tells of the revert while the primary trailer is made anew. In the
    other modes the secondary trailer does, but for a cut in the middle of its magic.
    """
    return device.profile.mode is BootloaderMode.SWAP_USING_SCRATCH or any(
        "Power lost while writing 16 bytes" in line for line in device.log
    )


@pytest.mark.parametrize(
    ("mode", "size", "scratch"), [p for p in PLACES if p[0].reverts], ids=ident
)
def test_a_cut_while_the_old_image_comes_back(
    mode: BootloaderMode, size: int, scratch: int
) -> None:
    for number in range(10_000):
        for share in SHARES:
            device = ready(mode, size, scratch)
            device.boot()
            assert version(device)[0] == 2
            device.flash.cut_power(number, share)
            device.boot()
            was_cut = not device.is_running
            boot_until_it_runs(device)
            allowed = {1, 2} if may_forget(device) else {1}
            assert version(device)[0] in allowed, (number, share, list(device.log))
            device.flash.keep_power()
            device.boot()
            assert version(device)[0] in allowed, (number, share, list(device.log))
        if not was_cut:
            return
    raise AssertionError("the revert never ended")


@pytest.mark.parametrize("mode", PLAYABLE_MODES, ids=ident)
def test_a_cut_while_the_application_writes(mode: BootloaderMode) -> None:
    """During upload, test and confirm; what is running goes on running after it."""
    new = update_for(mode, 1500)
    for number in range(10_000):
        for share in SHARES:
            device = board(mode, 1500)
            device.flash.cut_power(number, share)
            talk = Talk(device)
            try:
                talk.upload(new, chunk=400)
                if mode is not BootloaderMode.DIRECT_XIP:
                    talk.test(digest_of(new))
            except ValueError:  # no answer: the power went
                assert not device.is_running
                boot_until_it_runs(device)
                running = version(device)[0]
                # Once all is written it may be tried; before that it must not be.
                assert running in (1, 2)
                if running == 2:
                    assert digest_of(new) == _digest(device)
            else:
                assert version(device)[0] == 1
        if device.is_running and device.boots == 1:
            return
    raise AssertionError("the upload never ended")


def _digest(device: VirtualDevice) -> bytes:
    running = device.running()
    assert running is not None
    return running.digest


@pytest.mark.parametrize("mode", [mode for mode in PLAYABLE_MODES if mode.is_swap], ids=ident)
def test_two_cuts_in_a_row_are_no_worse(mode: BootloaderMode) -> None:
    for first in range(0, 60, 3):
        for second in range(0, 12):
            device = ready(mode, 1500, 1)
            device.flash.cut_power(first, 0.4)
            device.boot()
            if device.is_running:
                return
            device.flash.cut_power(second, 0.4)
            device.boot()
            boot_until_it_runs(device)
            assert version(device)[0] == 2
            device.flash.keep_power()
            device.boot()
            assert version(device)[0] == 1
