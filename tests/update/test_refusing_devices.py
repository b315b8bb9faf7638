# SPDX-License-Identifier: Apache-2.0
"""Devices that refuse, or take a request and do something else: each is told by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbor2
import pytest

from tiny_device import TinyDevice, TinyLink, make_image, offer
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import HEADER_SIZE, Patience, decode_header
from west_dfu_ble.update import Event, Knowledge, Remark, Update, UpdateOptions, operations
from west_dfu_ble.virtual.warped_time import run_warped

OLD, NEW = make_image("1.0.0"), make_image("2.0.0")
SWAP = Knowledge(mode=BootloaderMode.SWAP_USING_MOVE)
Map = dict[str, Any]
# Gets the device, what was asked and what the device answered; returns what it answers instead.
Twist = Callable[["Twisted", Map, Map], Map]

READ_STATE, SET_STATE, UPLOAD, ERASE = (1, 0, 0), (1, 0, 2), (1, 1, 2), (1, 5, 2)
ECHO, RESET = (0, 0, 2), (0, 5, 2)


class Twisted(TinyDevice):
    """Answers requests of one kind (group, command, operation) in its own way."""

    def __init__(self, kind: tuple[int, int, int], twist: Twist) -> None:
        super().__init__(OLD, NEW)
        self.kind, self.twist, self.count = kind, twist, 0

    def answer(self, frame: bytes) -> tuple[Map, bool]:
        """Do what a sound device does, and say something else."""
        header, body = decode_header(frame), cbor2.loads(frame[HEADER_SIZE:])
        if (header.group, header.command, header.operation) != self.kind:
            return super().answer(frame)
        self.count += 1
        before = self.pending, self.trial, list(self.slots)
        payload, resets = super().answer(frame)
        said = self.twist(self, body, payload)
        if "rc" in said or "err" in said:
            self.pending, self.trial, self.slots = before
            resets = False
        return said, resets


def group_error(code: int) -> Twist:
    return lambda _device, _asked, _said: {"err": {"group": 1, "rc": code}}


def protocol_error(code: int, times: int = 1 << 30) -> Twist:
    return lambda device, _asked, said: {"rc": code} if device.count <= times else said


def mismatch(_device: Twisted, asked: Map, said: Map) -> Map:
    return {**said, "match": False} if said["off"] == len(NEW.data) else said


def forgets(device: Twisted, asked: Map, said: Map) -> Map:
    device.length = 0 if asked["off"] else device.length
    return {"off": 0} if asked["off"] else said


def ignores_the_test(device: Twisted, asked: Map, said: Map) -> Map:
    device.pending = ""
    return said


def ignores_the_confirmation(device: Twisted, asked: Map, said: Map) -> Map:
    device.trial = "hash" not in asked
    return said


def loses_the_image(device: Twisted, asked: Map, said: Map) -> Map:
    device.slots[1], device.pending = None, ""
    return {}


def runs_nothing(device: Twisted, asked: Map, said: Map) -> Map:
    if device.boots > 1:
        for image in said["images"]:
            image["active"] = False
    return said


def boots_another(device: Twisted, asked: Map, said: Map) -> Map:
    device.slots[1] = make_image("3.0.0")
    device.pending = ""
    return {}


def play(device: TinyDevice, **options: Any) -> tuple[DfuBleError | None, list[Event], Update]:
    """Update the device; what is said of it at the end is what it is."""
    chosen = UpdateOptions(
        timeout=10, request_timeout=1, patience=Patience(first=4), reboot_timeout=60, **options
    )
    events: list[Event] = []
    update = Update(TinyLink(device), [offer(NEW)], SWAP, chosen, events.append)
    error = None
    try:
        run_warped(update.run())
    except DfuBleError as raised:
        error = raised
    assert update.state is not None
    if update.state.is_current and update.state.running is not None:
        running = device.slots[0]
        assert running is not None
        assert update.state.running.hash == running.digest
        assert update.state.running.confirmed is not device.trial
    return error, events, update


@pytest.mark.parametrize(
    ("kind", "twist", "code", "words"),
    [
        (UPLOAD, mismatch, "DV512", "with another hash than the file has"),
        (UPLOAD, forgets, "DV508", "forgot the upload 4 times"),
        (UPLOAD, group_error(9), "DV505", "= help: if the running image is on trial, keep it"),
        (UPLOAD, group_error(28), "DV505", "throw it away: --erase"),
        (UPLOAD, protocol_error(6), "DV505", "no slot free for the upload"),
        (UPLOAD, group_error(25), "DV502", "linked for the other slot"),
        (UPLOAD, group_error(27), "DV503", "runs this version or a higher one"),
        (UPLOAD, protocol_error(11), "DV501", "the device's application refused it"),
        (UPLOAD, protocol_error(2), "DV501", "more buffers: CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT"),
        (SET_STATE, ignores_the_test, "DV511", "does not list it as pending"),
        (SET_STATE, protocol_error(8), "DV501", "CONFIG_MCUMGR_GRP_IMG=y"),
        (SET_STATE, ignores_the_confirmation, "DV511", "the image stays on trial"),
        (SET_STATE, loses_the_image, "DV512", "lost the image 3 times"),
        (RESET, protocol_error(8), "DV501", "refused to reset"),
        (RESET, protocol_error(10), "DV507", "still waits in slot 1"),
        (RESET, boots_another, "DV507", "and slot 1 holds 3.0.0"),
        (READ_STATE, runs_nothing, "DV507", "does not say which image it runs"),
    ],
)
def test_each_is_told_by_its_name(
    kind: tuple[int, int, int], twist: Twist, code: str, words: str
) -> None:
    error, _, _ = play(Twisted(kind, twist))
    assert error is not None
    assert error.diagnostic.code == code
    assert error.status is ExitStatus.DEVICE
    assert words in rendered(error)


def rendered(error: DfuBleError) -> str:
    """The diagnostic as the user reads it."""
    from west_dfu_ble.report.diagnostic import render_diagnostic

    return render_diagnostic(error.diagnostic, colour=False)


@pytest.mark.parametrize(
    ("kind", "twist"),
    [
        (UPLOAD, protocol_error(2, times=2)),
        (UPLOAD, protocol_error(10, times=2)),
        (SET_STATE, protocol_error(10, times=2)),
        (RESET, protocol_error(10, times=2)),
        (ECHO, protocol_error(8)),
        (ERASE, group_error(1)),
    ],
)
def test_what_passes_is_lived_with(kind: tuple[int, int, int], twist: Twist) -> None:
    device = Twisted(kind, twist)
    error, _, update = play(device, erase=True)
    assert error is None
    assert device.slots[0] is NEW
    assert not device.trial
    assert update.sentence().startswith("the device runs 2.0.0")


@pytest.mark.parametrize(("code", "named"), [(9, "DV505"), (13, "DV501")])
def test_an_erase_that_is_refused(code: int, named: str) -> None:
    error, _, _ = play(Twisted(ERASE, group_error(code)), erase=True)
    assert error is not None
    assert error.diagnostic.code == named
    assert ("dfu-ble reset lets it run" in rendered(error)) is (code == 9)


@pytest.mark.parametrize("swaps", [True, False])
def test_without_a_test_command_the_bootloader_decides(swaps: bool) -> None:
    """Nobody tells the mode: it may be direct-xip, which has no such command."""
    device = Twisted(SET_STATE, protocol_error(8))
    boot = device.boot

    def by_version() -> None:
        boot()
        if swaps:
            device.slots.reverse()

    device.boot = by_version  # type: ignore[method-assign]  # a bootloader of its own
    events: list[Event] = []
    update = Update(TinyLink(device), [offer(NEW)], Knowledge(), UpdateOptions(), events.append)
    if swaps:
        assert run_warped(update.run()).state.running is not None
    else:
        with pytest.raises(DfuBleError, match="is not what the bootloader chose"):
            run_warped(update.run())
    assert any(isinstance(e, Remark) and "no test command" in e.text for e in events)


def ignores_the_erase(device: Twisted, asked: Map, said: Map) -> Map:
    device.slots[1] = NEW
    return said


@pytest.mark.parametrize(
    ("step", "kind", "twist", "words"),
    [
        (operations.activate_image, SET_STATE, ignores_the_test, "does not list it as set"),
        (operations.activate_image, SET_STATE, protocol_error(8), "no command to set the image"),
        (operations.confirm_running, SET_STATE, ignores_the_confirmation, "stays on trial"),
        (operations.erase_slot, ERASE, ignores_the_erase, "slot 1 is not empty"),
        (operations.erase_slot, ERASE, group_error(9), "does not erase slot 1"),
        (operations.reset_device, RESET, protocol_error(8), "CONFIG_REBOOT=y"),
    ],
)
def test_a_single_step_is_not_done_because_the_device_says_so(
    step: Callable[..., Any], kind: tuple[int, int, int], twist: Twist, words: str
) -> None:
    device = Twisted(kind, twist)
    device.slots[1], device.trial = NEW, step is operations.confirm_running
    with pytest.raises(DfuBleError) as caught:
        run_warped(step(TinyLink(device), SWAP, UpdateOptions(), lambda _event: None))
    assert caught.value.status is ExitStatus.DEVICE
    assert words in rendered(caught.value)


def test_a_device_that_takes_the_reset_and_stays_up() -> None:
    class Stubborn(TinyLink):
        def reboot(self) -> None:
            """Go on as if nothing had been asked for."""

    link = Stubborn(TinyDevice(OLD, NEW))
    with pytest.raises(DfuBleError, match="was asked 3 times and did not reset"):
        run_warped(operations.reset_device(link, SWAP, UpdateOptions(), lambda _event: None))
    assert sum((h.group, h.command) == (0, 5) for h in link.requests) == 3
