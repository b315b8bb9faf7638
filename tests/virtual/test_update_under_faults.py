# SPDX-License-Identifier: Apache-2.0
"""The real update against the device's own faults: it comes through, or says truly what is.

Every fault at every request of an update, and the power cut at every flash operation of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from scenes import firmware, scene
from smp_talk import encode_request
from west_dfu_ble.diagnostics import ExitStatus
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.rehearsal import Run, play
from west_dfu_ble.update import ActivateMode
from west_dfu_ble.virtual import Fault, FaultKind

SWAP, REVERT = BootloaderMode.SWAP_USING_MOVE, BootloaderMode.DIRECT_XIP_WITH_REVERT
XIP, OVERWRITE = BootloaderMode.DIRECT_XIP, BootloaderMode.OVERWRITE_ONLY
MODES = [SWAP, REVERT, XIP, OVERWRITE]
# Echo, parameters, bootloader, states, ten uploads and what follows: an update has fewer requests.
REQUESTS = 26


def run_with(
    mode: BootloaderMode, fault: Fault, activate: ActivateMode = ActivateMode.CONFIRM
) -> Run:
    """Play an update; what was reported must be what the device is in, now and after a reset."""
    played = scene(mode)
    run = play(replace(played, options=replace(played.options, activate=activate)), [fault])
    said = (fault, run.error and run.error.diagnostic, run.sentence, run.log[-12:])
    assert run.is_true, said
    if run.error is not None:
        assert run.error.status in (ExitStatus.NO_LINK, ExitStatus.DEVICE), said
        if run.error.status is ExitStatus.NO_LINK:
            assert run.end.operations == run.marks[0].progress.operations, said
        is_back = any("Swap type: revert" in line for line in run.log) and not run.runs_update
        if is_back and not run.error.diagnostic.code.startswith("LK"):
            assert run.error.diagnostic.code == "DV506", said
    return run


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
        run = run_with(mode, fault)
        if kind in PASSING:
            assert run.error is None, (number, run.error.diagnostic)


@pytest.mark.parametrize("activate", [ActivateMode.TEST, ActivateMode.PERMANENT])
@pytest.mark.parametrize("mode", [SWAP, REVERT, OVERWRITE], ids=title)
@pytest.mark.parametrize("kind", [FaultKind.RESPONSE_LOST, FaultKind.REBOOT, FaultKind.VANISH])
def test_a_fault_without_a_trial_or_without_its_end(
    kind: FaultKind, mode: BootloaderMode, activate: ActivateMode
) -> None:
    for number in range(REQUESTS):
        run = run_with(mode, Fault(kind, number, seconds=0.7), activate)
        if run.error is None and run.state is not None and mode.reverts:
            running, following = run.state.running, run.state.next
            assert running is not None
            assert running.confirmed is (activate is ActivateMode.PERMANENT)
            assert (following is running) is running.confirmed


@pytest.mark.parametrize("mode", [*MODES, BootloaderMode.SWAP_USING_OFFSET], ids=title)
def test_the_power_goes_at_every_flash_operation(mode: BootloaderMode) -> None:
    for number in range(1000):
        run = run_with(mode, Fault(FaultKind.POWER_CUT, number))
        if not run.device.struck:
            return  # it was over before the power could go
    raise AssertionError("an update never ended")


@pytest.mark.parametrize("mode", MODES, ids=title)
@pytest.mark.parametrize("kind", [FaultKind.FLASH_WRITE_ERROR, FaultKind.FLASH_ERASE_ERROR])
def test_a_flash_error_at_every_operation(kind: FaultKind, mode: BootloaderMode) -> None:
    for number in range(0, 90, 3):
        run_with(mode, Fault(kind, number))


@pytest.mark.parametrize("mode", [SWAP, XIP], ids=title)
def test_the_link_ends_at_many_bytes(mode: BootloaderMode) -> None:
    for byte in range(0, 22_000, 307):
        run = run_with(mode, Fault(FaultKind.DISCONNECT_AT_BYTE, byte))
        assert run.error is None, (byte, run.error.diagnostic)
