# SPDX-License-Identifier: Apache-2.0
"""Whatever a device answers, the update neither crashes nor hangs, and never claims too much."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

import pytest

from tiny_device import TinyDevice, TinyLink, make_image, offer
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import Patience
from west_dfu_ble.update import Knowledge, Update, UpdateOptions
from west_dfu_ble.virtual.warped_time import run_warped

FUZZ_ROUNDS = int(os.environ.get("DFU_BLE_FUZZ_ROUNDS", "300"))
OLD, NEW = make_image("1.0.0"), make_image("2.0.0")
SWAP = Knowledge(mode=BootloaderMode.SWAP_USING_MOVE)


def fuzz(seed: int, rates: Sequence[float] = (0.01, 0.1, 1.0)) -> tuple[str, int]:
    """Play an update with spoiled answers; return how it ended, and how many were spoiled."""
    rng = random.Random(seed)
    rate = rng.choice(rates)
    spoiled = 0

    def mangle(frame: bytes) -> list[bytes]:
        nonlocal spoiled
        if rng.random() > rate:
            return [frame]
        spoiled += 1
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

    device = TinyDevice(OLD, NEW)
    options = UpdateOptions(
        timeout=10, request_timeout=1, patience=Patience(first=4), reboot_timeout=60, retries=2
    )
    link = TinyLink(device, mangle=mangle)
    update = Update(link, [offer(NEW)], SWAP, options, lambda _event: None)
    try:
        run_warped(update.run())
    except DfuBleError as error:
        return error.diagnostic.code, spoiled
    assert device.slots[0] is NEW
    return "done", spoiled


FUZZ_CODES = {"done", *(f"LK40{n}" for n in (6, 7)), *(f"DV5{n:02}" for n in range(1, 14))}


def test_fuzzed_answers_never_crash_or_hang_the_update() -> None:
    codes = {fuzz(seed)[0] for seed in range(FUZZ_ROUNDS)}
    assert {"done", "DV511"} <= codes <= FUZZ_CODES


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_fuzzed_answers() -> None:
    spoiled, seed = 0, FUZZ_ROUNDS
    while spoiled < 100_000:
        code, count = fuzz(seed, rates=(0.3, 0.5))
        assert code in FUZZ_CODES
        spoiled, seed = spoiled + count, seed + 1
