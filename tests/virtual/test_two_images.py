# SPDX-License-Identifier: Apache-2.0
"""Devices with two images: they go together or not at all, wherever the power goes."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from mcuboot_images import digest_of, make_image
from smp_talk import Talk
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import PLAYABLE_MODES, DeviceProfile, SlotProfile, VirtualDevice

SECTOR, SECTORS = 512, 10
PLACES = {0: (0x4000, 0x8000), 1: (0x14000, 0x18000)}
Version = tuple[int, int, int] | tuple[int, int, int, int]
OLD, NEW = (1, 0, 0), (2, 0, 0)
MOVE, OVERWRITE = BootloaderMode.SWAP_USING_MOVE, BootloaderMode.OVERWRITE_ONLY


def needs(number: int, *version: int) -> tuple[int, bytes]:
    """The TLV of an image that depends on another one."""
    return 0x40, struct.pack("<BxxxBBHI", number, *(*version, 0, 0)[:4])


def image(
    mode: BootloaderMode,
    number: int,
    version: Version,
    *needed: tuple[int, bytes],
    slot: int | None = None,
    damaged: bool = False,
) -> bytes:
    index = slot if slot is not None else (1 if mode.is_direct_xip and version != OLD else 0)
    return make_image(
        version,
        size=1500,
        seed=number,
        linked_for=PLACES[number][index],
        rom_fixed=mode.is_direct_xip,
        wrong_digest=damaged,
        header_size=64,
        extra_tlvs=needed,
    )


def board(mode: BootloaderMode, old: Version = OLD, **changes: Any) -> VirtualDevice:
    return VirtualDevice(
        DeviceProfile(
            mode,
            tuple(
                SlotProfile(number, index, address, SECTOR * SECTORS)
                for number, pair in PLACES.items()
                for index, address in enumerate(pair)
            ),
            {(number, 0): image(mode, number, old, slot=0) for number in PLACES},
            erase_block=SECTOR,
            max_sectors=SECTORS,
            scratch=SlotProfile(0, 2, 0x1C000, SECTOR * 2),
            **changes,
        )
    )


def give(device: VirtualDevice, *updates: bytes, confirm: bool = False) -> None:
    """Upload images to 0 and 1, and set them for the next boot where there is anything to set."""
    talk = Talk(device)
    for number, data in enumerate(updates):
        if data:
            assert talk.upload(data, image=number) == {"off": len(data)}
            talk.confirm(digest_of(data)) if confirm else talk.test(digest_of(data))


def versions(device: VirtualDevice) -> list[int]:
    held = [device.running(number) for number in PLACES]
    return [one.version.major if one else -1 for one in held]


@pytest.mark.parametrize("mode", PLAYABLE_MODES, ids=lambda mode: mode.title)
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("needs", "given", [2, 2]),
        ("needs", "", [1, 1]),
        # What is needed is there, but will not run: it counts what would.
        ("needs", "damaged", [1, 1]),
        ("plain", "", [2, 1]),
        ("needs another", "given", None),
    ],
)
def test_images_that_need_each_other(
    mode: BootloaderMode, first: str, second: str, expected: list[int] | None
) -> None:
    needed = {"needs": [needs(1, *NEW)], "needs another": [needs(7, *NEW)]}.get(first, [])
    device = board(mode)
    give(
        device,
        image(mode, 0, NEW, *needed),
        image(mode, 1, NEW, damaged=second == "damaged") if second else b"",
    )
    device.boot()
    # In direct-xip only the image that asks stays behind, otherwise nothing is upgraded.
    assert versions(device) == (expected or ([1, 2] if mode.is_direct_xip else [1, 1]))
    if expected != [2, 2] and first != "plain":
        assert any("depends on image" in line for line in device.log)


def test_what_an_image_needs_is_not_looked_at_where_it_is_the_only_one() -> None:
    slots = tuple(SlotProfile(0, n, PLACES[0][n], SECTOR * SECTORS) for n in (0, 1))
    device = VirtualDevice(
        DeviceProfile(
            OVERWRITE,
            slots,
            {(0, 0): image(OVERWRITE, 0, OLD)},
            erase_block=SECTOR,
            max_sectors=SECTORS,
        )
    )
    new = image(OVERWRITE, 0, NEW, needs(1, *NEW))
    give(device, new)
    device.boot()
    held = device.running()
    assert held is not None
    assert held.digest == digest_of(new)


@pytest.mark.parametrize("mode", [MOVE, OVERWRITE])
@pytest.mark.parametrize(
    ("counts", "needed", "expected"),
    [(False, (2, 0, 0, 9), 2), (True, (2, 0, 0, 9), 1), (True, (2, 0, 0, 3), 2)],
)
def test_the_build_number_of_what_is_needed(
    mode: BootloaderMode, counts: bool, needed: Version, expected: int
) -> None:
    device = board(mode, compare_build_number=counts)
    give(device, image(mode, 0, NEW, needs(1, *needed)), image(mode, 1, (2, 0, 0, 5)))
    device.boot()
    assert versions(device) == [expected] * 2


@pytest.mark.parametrize("mode", [MOVE, OVERWRITE])
@pytest.mark.parametrize(
    ("counts", "new", "expected"),
    [
        (False, (0, 9, 0), (1, 0, 0, 5)),
        (False, (1, 0, 0, 4), (1, 0, 0, 4)),
        (True, (1, 0, 0, 4), (1, 0, 0, 5)),
        (True, (1, 0, 0, 6), (1, 0, 0, 6)),
    ],
)
def test_a_downgrade_is_prevented_by_the_version_as_the_bootloader_compares_it(
    mode: BootloaderMode, counts: bool, new: Version, expected: Version
) -> None:
    device = board(mode, (1, 0, 0, 5), prevent_downgrade=True, compare_build_number=counts)
    give(device, image(mode, 0, new), confirm=True)
    for _ in range(2):
        device.boot()
        held = device.running()
        assert held is not None
        found = held.version
        assert (found.major, found.minor, found.revision, found.build) == (*expected, 0)[:4]


@pytest.mark.parametrize(("checks", "runs"), [(True, False), (False, True)])
def test_what_runs_is_checked_at_every_boot_where_the_build_says_so(
    checks: bool, runs: bool
) -> None:
    device = board(MOVE, validate_primary=checks)
    device.images[0].areas[0].program(200, bytes(8))
    device.boot()
    assert device.is_running is runs
    device.images[0].areas[0].program(0, bytes(8))
    device.boot()
    assert not device.is_running


@pytest.mark.parametrize(
    "mode", [m for m in PLAYABLE_MODES if not m.is_direct_xip], ids=lambda mode: mode.title
)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_power_cut_never_leaves_one_of_two_behind(mode: BootloaderMode, share: float) -> None:
    ready = board(mode)
    give(ready, *(image(mode, number, NEW) for number in PLACES))
    pending = {n: ready.images[n].areas[1].read(0, SECTOR * SECTORS) for n in PLACES}
    for number in range(1000):
        device = board(mode)
        for n, content in pending.items():
            device.images[n].areas[1].program(0, content)
        device.flash.cut_power(number, share)
        device.boot()
        was_cut = not device.is_running
        if was_cut:
            device.boot()
        assert versions(device) == [2, 2], (number, list(device.log)[-20:])
        if mode.reverts:
            device.flash.keep_power()
            device.boot()
            assert versions(device) == [1, 1], (number, list(device.log)[-20:])
        if not was_cut:
            assert number >= 20
            return
    raise AssertionError("the update never ended")
