# SPDX-License-Identifier: Apache-2.0
"""The real update against the device's own faults: it comes through, or says truly what is.

Every fault at every request of an update, and the power cut at every flash operation of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from mcuboot_images import digest_of, make_image
from smp_talk import encode_request
from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link.loopback import LoopbackLink
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import Patience
from west_dfu_ble.update import Candidate, Knowledge, Update, UpdateOptions
from west_dfu_ble.virtual import DeviceProfile, Fault, FaultKind, SlotProfile, VirtualDevice
from west_dfu_ble.virtual.warped_time import run_warped

ADDRESSES, SIZE = (0xC000, 0x40000), 0x10000
SWAP, REVERT = BootloaderMode.SWAP_USING_MOVE, BootloaderMode.DIRECT_XIP_WITH_REVERT
XIP, OVERWRITE = BootloaderMode.DIRECT_XIP, BootloaderMode.OVERWRITE_ONLY
MODES = [SWAP, REVERT, XIP, OVERWRITE]
# Echo, parameters, bootloader, states, ten uploads and what follows: an update has fewer requests.
REQUESTS = 26
OPTIONS = UpdateOptions(
    timeout=10, request_timeout=1, reboot_timeout=60, patience=Patience(first=3)
)


@cache
def firmware(mode: BootloaderMode, version: int, slot: int = 0) -> bytes:
    return make_image(
        (version, 0, 0), size=20_000, linked_for=ADDRESSES[slot], rom_fixed=mode.is_direct_xip
    )


class Run:
    """One update of one device with faults."""

    def __init__(self, mode: BootloaderMode, faults: Sequence[Fault]) -> None:
        slots = tuple(SlotProfile(0, n, ADDRESSES[n], SIZE) for n in (0, 1))
        profile = DeviceProfile(mode, slots, {(0, 0): firmware(mode, 1)})
        self.device = VirtualDevice(profile, faults=faults)
        files = [firmware(mode, 2, slot) for slot in ((0, 1) if mode.is_direct_xip else (0,))]
        self.good = {digest_of(data) for data in files}
        self.candidates = [
            Candidate(
                Path(f"{n}.bin"),
                image.parse(data, Path(f"{n}.bin")),
                n if len(files) > 1 else None,
            )
            for n, data in enumerate(files)
        ]
        self.error: DfuBleError | None = None
        knowledge = Knowledge(slots={(0, n): (ADDRESSES[n], SIZE) for n in (0, 1)})
        self.link = LoopbackLink(self.device)
        self.update = Update(self.link, self.candidates, knowledge, OPTIONS, lambda _event: None)
        run_warped(self._play())

    async def _play(self) -> None:
        try:
            await self.update.run()
        except DfuBleError as error:
            self.error = error
        finally:
            await self.link.disconnect()

    @property
    def code(self) -> str:
        return self.error.diagnostic.code if self.error else "done"

    def must_be_true(self) -> None:
        """What was reported is what the device runs, and will run next."""
        for _ in range(3):
            if not self.device.is_running:
                self.device.boot()
        held = self.device.running()
        assert held is not None
        state = self.update.state
        if self.code == "done":
            assert held.digest in self.good
            assert state is not None
            assert state.is_current
        if state is not None and state.is_current:
            assert state.running is not None
            assert state.running.hash == held.digest, state.sentence()
            promised = state.next
            self.device.flash.keep_power()
            self.device.boot()
            after = self.device.running()
            assert after is not None
            assert promised is not None
            assert promised.hash == after.digest, state.sentence()


def other_upload(mode: BootloaderMode) -> bytes:
    foreign = firmware(mode, 3, 1 if mode.is_direct_xip else 0)
    sha = hashlib.sha256(foreign).digest()
    first = {"off": 0, "len": len(foreign), "sha": sha, "data": foreign[:400]}
    return encode_request(2, 1, 1, first)


PASSING = [
    FaultKind.REQUEST_LOST,
    FaultKind.REQUEST_DUPLICATED,
    FaultKind.RESPONSE_LOST,
    FaultKind.RESPONSE_LATE,
    FaultKind.RESPONSE_DUPLICATED,
    FaultKind.DISCONNECT,
    FaultKind.VANISH,
]
# These may end an update with a diagnostic; then that has to be true.
UPSETTING = [
    FaultKind.REQUEST_CUT,
    FaultKind.RESPONSE_CUT,
    FaultKind.GARBAGE,
    FaultKind.BUFFERS_BUSY,
    FaultKind.SECOND_CLIENT,
    FaultKind.REBOOT,
]


def title(value: BootloaderMode | FaultKind) -> str:
    return value.title if isinstance(value, BootloaderMode) else value.value


@pytest.mark.parametrize("mode", MODES, ids=title)
@pytest.mark.parametrize("kind", PASSING + UPSETTING, ids=title)
def test_a_fault_at_every_request(kind: FaultKind, mode: BootloaderMode) -> None:
    for number in range(0, REQUESTS, 1 if mode is SWAP else 3):
        fault = Fault(kind, number, seconds=0.7, data=other_upload(mode), count=2)
        if kind is FaultKind.GARBAGE:
            fault = Fault(kind, number)
        run = Run(mode, [fault])
        run.must_be_true()
        if kind in PASSING:
            assert run.code == "done", (number, run.error and run.error.diagnostic)


@pytest.mark.parametrize("mode", [*MODES, BootloaderMode.SWAP_USING_OFFSET], ids=title)
def test_the_power_goes_at_every_flash_operation(mode: BootloaderMode) -> None:
    for number in range(1000):
        run = Run(mode, [Fault(FaultKind.POWER_CUT, number)])
        run.must_be_true()
        if number >= run.device.flash.operations:
            return  # it was over before the power could go
    raise AssertionError("an update never ended")


@pytest.mark.parametrize("mode", MODES, ids=title)
@pytest.mark.parametrize("kind", [FaultKind.FLASH_WRITE_ERROR, FaultKind.FLASH_ERASE_ERROR])
def test_a_flash_error_at_every_operation(kind: FaultKind, mode: BootloaderMode) -> None:
    for number in range(0, 90, 3):
        Run(mode, [Fault(kind, number, times=1)]).must_be_true()


@pytest.mark.parametrize("mode", [SWAP, XIP], ids=title)
def test_the_link_ends_at_many_bytes(mode: BootloaderMode) -> None:
    for byte in range(0, 22_000, 307):
        run = Run(mode, [Fault(FaultKind.DISCONNECT_AT_BYTE, byte)])
        run.must_be_true()
        assert run.code == "done", (byte, run.error and run.error.diagnostic)
