# SPDX-License-Identifier: Apache-2.0
"""Whatever a device answers, the update neither crashes nor hangs, and never claims too much."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence

import pytest

from lies import lie
from tiny_device import TinyDevice, TinyLink, make_image, offer
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.report.preview import preview_as_dict
from west_dfu_ble.report.status import state_as_dict, state_table
from west_dfu_ble.smp import Patience
from west_dfu_ble.update import DeviceState, Knowledge, Update, UpdateOptions, operations
from west_dfu_ble.virtual.warped_time import run_warped

FUZZ_ROUNDS = int(os.environ.get("DFU_BLE_FUZZ_ROUNDS", "300"))
OLD, NEW = make_image("1.0.0"), make_image("2.0.0")
SWAP = Knowledge(mode=BootloaderMode.SWAP_USING_MOVE)
OPTIONS = UpdateOptions(
    timeout=10, request_timeout=1, patience=Patience(first=4), reboot_timeout=60, retries=2
)
Spoil = Callable[[bytes, random.Random], list[bytes]]


def noise(frame: bytes, rng: random.Random) -> list[bytes]:
    """Bytes that changed on their way, were cut off, or never were an answer."""
    data = bytearray(frame)
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    choice = rng.randrange(5)
    if choice == 0:
        return [rng.randbytes(rng.randrange(1, 200))]
    if choice == 1:
        return [bytes(data[: rng.randrange(len(data))])]
    if choice == 2:
        return [frame, frame]
    return [bytes(data)]


def lies(frame: bytes, rng: random.Random) -> list[bytes]:
    """Sound frames with nonsense in them."""
    return [lie(frame, rng)]


def fuzz(seed: int, spoil: Spoil, rates: Sequence[float] = (0.01, 0.1, 1.0)) -> tuple[str, int]:
    """Play an update with spoiled answers; return how it ended, and how many were spoiled."""
    rng = random.Random(seed)
    rate = rng.choice(rates)
    spoiled = 0

    def mangle(frame: bytes) -> list[bytes]:
        nonlocal spoiled
        if rng.random() > rate:
            return [frame]
        spoiled += 1
        return spoil(frame, rng)

    device = TinyDevice(OLD, NEW)
    link = TinyLink(device, mangle=mangle)
    update = Update(link, [offer(NEW)], SWAP, OPTIONS, lambda _event: None)
    try:
        run_warped(update.run())
    except DfuBleError as error:
        return error.diagnostic.code, spoiled
    finally:
        show(update.state)
        assert update.sentence().isprintable()
    # Who lies about what it runs is believed.
    assert device.slots[0] is NEW or spoil is lies
    return "done", spoiled


def show(state: DeviceState | None) -> None:
    """Look at what is known of the device as people and programs do."""
    if state is not None:
        assert state_table(state).replace("\n", "").isprintable()
        json.dumps(state_as_dict(state), allow_nan=False)


# A lie about the bootloader's mode, the version or the slot may be a reason to refuse, too.
CODES = {"done", *(f"LK40{n}" for n in (6, 7)), *(f"DV5{n:02}" for n in range(1, 14)), "IM304"}


@pytest.mark.parametrize("spoil", [noise, lies], ids=["noise", "lies"])
def test_fuzzed_answers_never_crash_or_hang_the_update(spoil: Spoil) -> None:
    codes = {fuzz(seed, spoil)[0] for seed in range(FUZZ_ROUNDS)}
    assert {"done", "DV511"} <= codes <= CODES


def fuzz_step(number: int, spoil: Spoil) -> str:
    """Do a preview or one of the single steps with spoiled answers; return how it ended."""
    rng = random.Random(number)
    device = TinyDevice(OLD, NEW)
    device.slots[1] = NEW

    def mangle(frame: bytes) -> list[bytes]:
        return spoil(frame, rng) if rng.random() < 0.2 else [frame]

    link = TinyLink(device, mangle=mangle)
    steps = (
        operations.read_status,
        operations.activate_image,
        operations.confirm_running,
        operations.erase_slot,
        operations.reset_device,
    )
    try:
        if number % 6 == len(steps):
            update = Update(link, [offer(NEW)], SWAP, OPTIONS, lambda _event: None)
            json.dumps(preview_as_dict(run_warped(update.preview())), allow_nan=False)
        else:
            step = steps[number % 6]
            show(run_warped(step(link, SWAP, OPTIONS, lambda _event: None)))
    except DfuBleError as error:
        return error.diagnostic.code
    return "done"


@pytest.mark.parametrize("spoil", [noise, lies], ids=["noise", "lies"])
def test_nor_a_single_step_or_a_preview(spoil: Spoil) -> None:
    assert {"done"} < {fuzz_step(number, spoil) for number in range(FUZZ_ROUNDS)} <= CODES


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("spoil", [noise, lies], ids=["noise", "lies"])
def test_a_hundred_thousand_fuzzed_answers(spoil: Spoil) -> None:
    spoiled, seed = 0, FUZZ_ROUNDS
    while spoiled < 50_000:  # of each kind
        code, count = fuzz(seed, spoil, rates=(0.3, 0.5))
        assert code in CODES
        spoiled, seed = spoiled + count, seed + 1
