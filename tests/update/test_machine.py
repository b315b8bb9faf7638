# SPDX-License-Identifier: Apache-2.0
"""The state machine against a tiny device: every fault at every request ends in the truth."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from tiny_device import TinyDevice, TinyLink, make_image, offer
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import Header, Patience, decode_header
from west_dfu_ble.update import (
    ActivateMode,
    Event,
    Knowledge,
    Outcome,
    Phase,
    PhaseDone,
    Preview,
    Remark,
    Update,
    UpdateOptions,
    UploadProgress,
)
from west_dfu_ble.virtual.warped_time import run_warped

OLD, NEW = make_image("1.0.0"), make_image("2.0.0")
SWAP = Knowledge(mode=BootloaderMode.SWAP_USING_MOVE)


@dataclass
class Run:
    """One update and how it ended."""

    link: TinyLink
    options: UpdateOptions = field(
        default_factory=lambda: UpdateOptions(
            timeout=10, request_timeout=1, patience=Patience(first=4), reboot_timeout=60
        )
    )
    events: list[Event] = field(default_factory=list)
    outcome: Outcome | None = None
    error: DfuBleError | None = None

    def __post_init__(self) -> None:
        self.update = Update(self.link, [offer(NEW)], SWAP, self.options, self.events.append)

    async def play(self) -> Run:
        try:
            self.outcome = await self.update.run()
        except DfuBleError as error:
            self.error = error
        return self

    @property
    def code(self) -> str:
        return self.error.diagnostic.code if self.error else "done"

    def phases(self) -> list[Phase]:
        return [event.phase for event in self.events if isinstance(event, PhaseDone)]

    def tells_the_truth(self) -> None:
        """The verdict and the last line are what the device's slots say."""
        device = self.link.device
        runs_new = device.slots[0] is NEW
        if self.code == "done":
            assert runs_new
            assert not device.trial
        state = self.update.state
        if state is not None and state.is_current and state.running is not None:
            assert state.running.hash == (NEW if runs_new else OLD).digest
            assert state.running.confirmed is not device.trial


def play(link: TinyLink, **options: object) -> Run:
    run = Run(link)
    if options:
        run = Run(link, UpdateOptions(**{**vars(run.options), **options}))
    return run_warped(run.play())


def test_the_whole_update() -> None:
    run = play(TinyLink(TinyDevice(OLD, NEW)))
    assert run.error is None
    assert run.phases() == list(Phase)
    run.tells_the_truth()
    assert run.update.state is not None
    assert run.update.state.sentence() == (
        f"the device runs 2.0.0 (slot 0, hash {NEW.digest.hex()[:8]}) "
        "and will run it again after a reset"
    )
    progress = [e for e in run.events if isinstance(e, UploadProgress)]
    assert (progress[-1].offset, progress[-1].total) == (len(NEW.data), len(NEW.data))
    assert run.link.is_connected is False


@pytest.mark.parametrize(
    ("mode", "confirmed", "phases"),
    [
        (ActivateMode.TEST, False, list(Phase)[:-1]),
        (ActivateMode.PERMANENT, True, list(Phase)[:-1]),
        (ActivateMode.UPLOAD_ONLY, True, list(Phase)[:3]),
    ],
)
def test_activate_modes(mode: ActivateMode, confirmed: bool, phases: list[Phase]) -> None:
    run = play(TinyLink(TinyDevice(OLD, NEW)), activate=mode)
    assert run.error is None
    assert run.phases() == phases
    assert run.update.state is not None
    running = run.update.state.running
    assert running is not None
    assert running.confirmed is confirmed
    if mode is ActivateMode.TEST:
        assert "unless it is confirmed" in run.update.state.sentence()
    if mode is ActivateMode.UPLOAD_ONLY:
        assert running.hash == OLD.digest


REQUESTS = 58  # of an update without a fault; each of them is hit below


def test_the_number_of_requests_is_known() -> None:
    run = play(TinyLink(TinyDevice(OLD, NEW)))
    assert len(run.link.requests) == REQUESTS


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
@pytest.mark.parametrize("trouble", ["lose", "lose answer", "drop", "drop answer", "reboot"])
def test_one_fault_at_any_request_and_the_update_still_ends_well(trouble: str, number: int) -> None:
    link = TinyLink(
        TinyDevice(OLD, NEW), faults=lambda count, _header: trouble if count == number else ""
    )
    run = play(link)
    run.tells_the_truth()
    # A reboot between the first start of the new image and its confirmation is the revert that
    # the bootloader is there for; it is called by its name.
    reverts = trouble == "reboot" and number > REQUESTS - 4
    assert run.code in (("DV506", "done") if reverts else ("done",))
    if run.code == "DV506":
        assert link.device.slots[0] is OLD


@pytest.mark.parametrize("seed", range(80))
def test_many_faults_end_in_the_truth(seed: int) -> None:
    rng = random.Random(seed)
    rate = rng.choice([0.02, 0.1, 0.3])
    kinds = rng.sample(["lose", "lose answer", "drop", "drop answer", "reboot"], 3)

    def faults(_count: int, _header: Header) -> str:
        return rng.choice(kinds) if rng.random() < rate else ""

    run = play(TinyLink(TinyDevice(OLD, NEW), faults=faults))
    run.tells_the_truth()
    if run.error and run.code.startswith("LK"):
        wrote = any(h.operation == 2 for h in run.link.requests)
        assert run.error.status is (ExitStatus.DEVICE if wrote else ExitStatus.NO_LINK)


def test_an_image_that_crashes_is_called_reverted() -> None:
    device = TinyDevice(OLD, NEW)
    original = device.boot

    def boot() -> None:
        original()
        if device.slots[0] is NEW:
            original()

    device.boot = boot  # type: ignore[method-assign]  # the new firmware resets at once
    run = play(TinyLink(device))
    assert run.code == "DV506"
    assert run.update.state is not None
    assert run.update.state.sentence().startswith("the device runs 1.0.0")


def test_an_image_that_the_bootloader_refuses_is_not_running() -> None:
    device = TinyDevice(OLD, NEW)

    def boot() -> None:
        device.boots += 1
        device.pending, device.slots[1] = "", None

    device.boot = boot  # type: ignore[method-assign]  # as MCUboot does with a bad signature
    run = play(TinyLink(device))
    assert run.code == "DV507"
    assert "the bootloader refused it" in str(run.error)


def test_a_device_that_does_not_come_back() -> None:
    run = play(TinyLink(TinyDevice(OLD, NEW), boot_time=1e6))
    assert run.code == "DV510"
    assert run.update.state is not None
    assert run.update.state.sentence().startswith("when last seen, the device runs 1.0.0")


def test_a_link_that_never_lasts_gives_up_with_the_status_of_a_device_written_to() -> None:
    run = play(TinyLink(TinyDevice(OLD, NEW), faults=lambda count, _h: "drop" if count > 9 else ""))
    assert run.code == "LK407"
    assert run.error is not None
    assert run.error.status is ExitStatus.DEVICE
    run = play(TinyLink(TinyDevice(OLD, NEW), faults=lambda _count, _h: "drop"))
    assert (run.code, run.error and run.error.status) == ("LK407", ExitStatus.NO_LINK)
    assert sum(isinstance(event, Remark) for event in run.events) == 5


def test_a_mute_device_is_told_as_one() -> None:
    run = play(TinyLink(TinyDevice(OLD, NEW), faults=lambda _count, _h: "lose"))
    assert (run.code, run.error and run.error.status) == ("LK406", ExitStatus.NO_LINK)


def test_ctrl_c_in_the_middle_of_the_upload_tells_the_state_of_the_device() -> None:
    async def scenario() -> Run:
        run = Run(TinyLink(TinyDevice(OLD, NEW)))
        task = asyncio.ensure_future(run.update.run())
        while not any(isinstance(e, UploadProgress) and e.offset > 5000 for e in run.events):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        before = len(run.link.requests)
        await run.update.abort()
        assert len(run.link.requests) == before + 1
        return run

    run = run_warped(scenario())
    assert run.update.state is not None
    assert run.update.state.is_current
    assert run.update.state.sentence().startswith("the device runs 1.0.0")
    assert run.link.is_connected is False


def test_a_second_run_resumes_where_the_first_was_interrupted() -> None:
    device = TinyDevice(OLD, NEW)
    first = play(TinyLink(device, faults=lambda count, _h: "drop" if count > 30 else ""), retries=0)
    assert first.code == "LK407"
    second = play(TinyLink(device))
    assert second.code == "done"
    progress = [e for e in second.events if isinstance(e, UploadProgress)]
    assert progress[0].resumed_at > 5000


def test_the_same_image_again_changes_nothing_and_on_trial_is_only_confirmed() -> None:
    device = TinyDevice(OLD, NEW)
    assert play(TinyLink(device), activate=ActivateMode.TEST).code == "done"
    assert device.trial
    again = play(TinyLink(device))
    assert (again.code, again.phases()) == (
        "done",
        [Phase.CONNECT, Phase.INSPECT, Phase.CONFIRM],
    )
    assert not device.trial
    once_more = play(TinyLink(device))
    assert (once_more.code, once_more.phases()) == ("done", [Phase.CONNECT, Phase.INSPECT])
    assert not any(header.operation == 2 for header in once_more.link.requests)
    said = once_more.update.sentence()
    assert said.startswith("the device already runs 2.0.0")
    assert said.endswith("will run it again after a reset; nothing was uploaded")


def test_an_image_that_is_there_already_is_not_sent_again() -> None:
    device = TinyDevice(OLD, NEW)
    assert play(TinyLink(device), activate=ActivateMode.UPLOAD_ONLY).code == "done"
    link = TinyLink(device)
    run = play(link)
    assert run.code == "done"
    assert (1, 1) not in [(h.group, h.command) for h in link.requests]


def test_another_image_that_waits_is_in_the_way_unless_it_is_erased() -> None:
    other = make_image("1.5.0")
    device = TinyDevice(OLD, NEW, other)
    device.slots[1], device.pending = other, "test"
    run = play(TinyLink(device))
    assert run.code == "DV505"
    assert run.error is not None
    assert any("--erase" in one.text for one in run.error.diagnostic.helps)
    original = device._upload  # the tiny server, like Zephyr, forgets a pending image it erases

    def erase_first(body: dict[str, object]) -> dict[str, object]:
        if device.slots[1] is None:
            device.pending = ""
        return original(body)

    device._upload = erase_first  # type: ignore[method-assign]
    assert play(TinyLink(device), erase=True).code == "done"


@pytest.mark.parametrize("moves", [True, False])
def test_a_foreign_upload_is_noticed_and_not_fought(moves: bool) -> None:
    other = make_image("3.0.0")
    device = TinyDevice(OLD, NEW, other)
    device.length, device.expected, device.received = len(other.data), b"x", bytearray(4000)

    def faults(_count: int, header: Header) -> str:
        if moves and (header.group, header.command) == (1, 1):
            device.received += bytes(100)
        return ""

    run = play(TinyLink(device, faults=faults))
    assert run.code == ("DV509" if moves else "done")


def test_a_foreign_upload_that_begins_later_is_named() -> None:
    device = TinyDevice(OLD, NEW)

    def faults(count: int, _header: Header) -> str:
        if count == 30:
            device.expected, device.received = b"theirs", bytearray(300)
        return ""

    run = play(TinyLink(device, faults=faults))
    assert run.code == "DV509"


@pytest.mark.parametrize("moves", [True, False])
def test_a_foreign_upload_that_begins_while_the_link_is_down_is_not_fought(moves: bool) -> None:
    device = TinyDevice(OLD, NEW)
    queries = 0

    def faults(count: int, header: Header) -> str:
        nonlocal queries
        if count == 30:
            device.expected, device.received = b"theirs", bytearray(300)
            return "drop"
        if count > 30 and queries < 2 and (header.group, header.command) == (1, 1):
            queries += 1
            device.received += bytes(100 * moves)
        return ""

    run = play(TinyLink(device, faults=faults))
    assert run.code == ("DV509" if moves else "done")
    if moves:
        assert device.expected == b"theirs"
        assert "it went from byte 400 to 500 while nothing was sent" in str(run.error)


def test_a_server_that_knows_only_smp_v1_is_asked_again_in_v1() -> None:
    device = TinyDevice(OLD, NEW)
    original = device.answer

    def answer(frame: bytes) -> tuple[dict[str, object], bool]:
        return ({"rc": 13}, False) if frame[0] & 0x18 else original(frame)

    device.answer = answer  # type: ignore[method-assign]
    run = play(TinyLink(device))
    assert run.code == "done"
    assert sum(header.version for header in run.link.requests) == 1


def test_buffers_that_hold_no_upload_are_named() -> None:
    device = TinyDevice(OLD, NEW)
    original = device.answer

    def answer(frame: bytes) -> tuple[dict[str, object], bool]:
        header = decode_header(frame)
        tells = (header.group, header.command) == (0, 6)
        return ({"buf_size": 9, "buf_count": 4}, False) if tells else original(frame)

    device.answer = answer  # type: ignore[method-assign]
    run = play(TinyLink(device))
    assert run.code == "DV508"
    assert "frames of 9 bytes" in str(run.error)


def test_a_preview_writes_nothing_and_tells_what_would_be_done() -> None:
    async def scenario() -> tuple[Run, Preview]:
        run = Run(TinyLink(TinyDevice(OLD, NEW)))
        return run, await run.update.preview()

    run, preview = run_warped(scenario())
    assert preview.frame.size == 512
    assert (preview.width, preview.total) == (2, len(NEW.data))
    assert 40 <= preview.requests <= 42
    # 10 ms a round trip, two in flight.
    assert preview.seconds == pytest.approx(preview.requests * 0.005, rel=0.3)
    assert {(h.group, h.command) for h in run.link.requests if h.operation == 2} == {(0, 0)}
    assert not run.link.is_connected
    reached = run_warped(Run(TinyLink(TinyDevice(NEW))).update.preview())
    assert (reached.plan.is_reached, reached.requests) == (True, 0)
