# SPDX-License-Identifier: Apache-2.0
"""The update of the virtual device, in every mode, with a fault at every request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from direct_link import DirectLink, Faults
from mcuboot_images import digest_of, make_image
from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import open_link
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import Patience
from west_dfu_ble.update import (
    ActivateMode,
    Candidate,
    Event,
    Knowledge,
    Outcome,
    Phase,
    PhaseDone,
    PhaseStarted,
    Update,
    UpdateOptions,
    UploadProgress,
)
from west_dfu_ble.virtual import (
    PLAYABLE_MODES,
    DeviceProfile,
    ServerProfile,
    SlotProfile,
    VirtualDevice,
)
from west_dfu_ble.virtual.warped_time import run_warped

PRIMARY, SECONDARY, SIZE = 0xC000, 0x40000, 0x10000
KNOWN = {(0, 0): (PRIMARY, SIZE), (0, 1): (SECONDARY, SIZE)}
SWAP = BootloaderMode.SWAP_USING_MOVE
XIP, REVERT = BootloaderMode.DIRECT_XIP, BootloaderMode.DIRECT_XIP_WITH_REVERT
OPTIONS = UpdateOptions(
    timeout=10, request_timeout=1, reboot_timeout=60, patience=Patience(first=3)
)


def firmware(mode: BootloaderMode, version: int, slot: int = 0, **more: Any) -> bytes:
    linked_for = SECONDARY if slot else PRIMARY
    more = {"size": 30_000, "linked_for": linked_for, "rom_fixed": mode.is_direct_xip, **more}
    return make_image((version, 0, 0), **more)


def board(mode: BootloaderMode, **changes: Any) -> VirtualDevice:
    return VirtualDevice(
        DeviceProfile(
            mode,
            (SlotProfile(0, 0, PRIMARY, SIZE), SlotProfile(0, 1, SECONDARY, SIZE)),
            {(0, 0): firmware(mode, 1)},
            scratch=SlotProfile(0, 2, 0x80000, 0x2000),
            **changes,
        )
    )


def candidates(mode: BootloaderMode, version: int = 2, **more: Any) -> list[Candidate]:
    slots = (0, 1) if mode.is_direct_xip else (0,)
    files = [firmware(mode, version, slot, **more) for slot in slots]
    names = ("app_update.bin", "mcuboot_secondary_app_update.bin")
    return [
        Candidate(Path(name), image.parse(data, Path(name)), slot if len(files) > 1 else None)
        for slot, (name, data) in enumerate(zip(names, files, strict=False))
    ]


class Run:
    """One update of one device."""

    def __init__(
        self,
        device: VirtualDevice,
        offered: list[Candidate],
        *,
        faults: Faults = lambda _number, _header: "",
        knowledge: Knowledge | None = None,
        **options: Any,
    ) -> None:
        self.device = device
        self.link = DirectLink(device, faults=faults)
        self.events: list[Event] = []
        self.offered = offered
        self.update = Update(
            self.link,
            offered,
            knowledge or Knowledge(slots=KNOWN),
            replace(OPTIONS, **options),
            self.events.append,
        )
        self.error: DfuBleError | None = None
        self.outcome: Outcome | None = None

    async def play(self) -> None:
        try:
            self.outcome = await self.update.run()
        except DfuBleError as error:
            self.error = error

    @property
    def code(self) -> str:
        return self.error.diagnostic.code if self.error else "done"

    def tells_the_truth(self) -> None:
        """The verdict and the last line are what is in the device's flash."""
        held = self.device.running()
        assert held is not None
        runs_new = held.digest in [c.image.digest for c in self.offered]
        state = self.update.state
        assert state is not None
        if self.code == "done":
            assert runs_new
            assert state.is_current
        if state.is_current:
            assert state.running is not None
            assert state.running.hash == held.digest
            before = state.next
            self.device.boot()
            after = self.device.running()
            assert after is not None
            assert before is not None
            assert before.hash == after.digest, state.sentence()


def play(device: VirtualDevice, offered: list[Candidate], **more: Any) -> Run:
    async def main() -> Run:
        run = Run(device, offered, **more)
        await run.play()
        return run

    return run_warped(main())


@pytest.mark.parametrize("mode", PLAYABLE_MODES, ids=lambda mode: mode.title)
def test_the_whole_update_and_a_second_one_back_into_the_first_slot(mode: BootloaderMode) -> None:
    device = board(mode)
    for version in (2, 3):
        run = play(device, candidates(mode, version))
        assert run.error is None
        phases = [e.phase for e in run.events if isinstance(e, PhaseDone)]
        left_out = set()
        if mode is XIP:
            left_out = {Phase.ACTIVATE, Phase.CONFIRM}
        if mode is BootloaderMode.OVERWRITE_ONLY:
            left_out = {Phase.CONFIRM}
        assert phases == [phase for phase in Phase if phase not in left_out]
        assert run.update.state is not None
        assert run.update.state.mode_is_told
        assert f"runs {version}.0.0" in run.update.state.sentence()
        assert "will run it again" in run.update.state.sentence()
        assert run.link.vanished == 0
        run.tells_the_truth()


@pytest.mark.parametrize("mode", [SWAP, REVERT, XIP, BootloaderMode.OVERWRITE_ONLY])
@pytest.mark.parametrize("trouble", ["lose", "lose answer", "drop", "drop answer", "reboot"])
def test_a_fault_at_every_request(mode: BootloaderMode, trouble: str) -> None:
    count = len(play(board(mode), candidates(mode)).link.requests)
    for number in range(1, count + 1):
        run = play(
            board(mode),
            candidates(mode),
            faults=lambda n, _h, at=number: trouble if n == at else "",
        )
        # Only a reboot between the first start of the new image and its confirmation undoes it.
        trial = trouble == "reboot" and mode.reverts and number >= count - 3
        assert run.code in (("done", "DV506") if trial else ("done",)), number
        run.tells_the_truth()


@pytest.mark.parametrize("mode", [SWAP, REVERT])
def test_without_confirming_the_device_goes_back(mode: BootloaderMode) -> None:
    device = board(mode)
    run = play(device, candidates(mode), activate=ActivateMode.TEST)
    assert run.code == "done"
    assert run.update.state is not None
    assert run.update.state.running is not None
    assert not run.update.state.running.confirmed
    assert "on trial" in run.update.state.sentence()
    run.tells_the_truth()
    held = device.running()
    assert held is not None
    assert held.digest == digest_of(firmware(mode, 1))


@pytest.mark.parametrize("mode", [SWAP, REVERT, BootloaderMode.OVERWRITE_ONLY])
def test_for_good_without_a_trial(mode: BootloaderMode) -> None:
    run = play(board(mode), candidates(mode), activate=ActivateMode.PERMANENT)
    assert run.code == "done"
    run.tells_the_truth()
    assert run.update.state is not None
    assert run.update.state.running is not None
    assert run.update.state.running.confirmed


@pytest.mark.parametrize("mode", [SWAP, REVERT])
def test_an_image_that_resets_before_it_is_confirmed_is_called_reverted(
    mode: BootloaderMode,
) -> None:
    device = board(mode)
    new = [c.image.digest for c in candidates(mode)]
    boot = device.boot

    def crash() -> float:
        seconds = boot()
        held = device.running()
        return seconds + boot() if held is not None and held.digest in new else seconds

    device.boot = crash  # type: ignore[method-assign]  # the new firmware does not last
    run = play(device, candidates(mode))
    assert run.code == "DV506"
    run.tells_the_truth()


@pytest.mark.parametrize("mode", [SWAP, XIP, REVERT, BootloaderMode.OVERWRITE_ONLY])
def test_an_image_that_the_bootloader_does_not_accept(mode: BootloaderMode) -> None:
    """Its digest is wrong: the server lists and activates it all the same."""
    bad = firmware(mode, 2, int(mode.is_direct_xip), wrong_digest=True)
    parsed = image.parse(bad, Path("bad.bin"))
    device = board(mode)
    run = play(device, [Candidate(Path("bad.bin"), parsed, None)])
    # In direct-xip with revert the bootloader erases both what it refuses and what it takes back.
    assert run.code == ("DV506" if mode is REVERT else "DV507")
    assert run.update.state is not None
    assert run.update.state.sentence().startswith("the device runs 1.0.0")
    run.tells_the_truth()


def test_refusals_before_anything_is_written() -> None:
    device = board(XIP)
    wrong = candidates(XIP)[:1]
    for offered, code in [
        (wrong, "DV502"),
        (candidates(XIP, 1, seed=1), "DV503"),
        (candidates(XIP, 1), "done"),
    ]:
        run = play(device, offered)
        assert run.code == code
        assert all(header.operation == 0 for header in run.link.requests)


def test_a_pending_image_is_in_the_way_until_it_is_erased() -> None:
    device = board(SWAP, server=ServerProfile(allow_erase_pending=True))
    play(device, candidates(SWAP, 2), activate=ActivateMode.UPLOAD_ONLY)
    first = play(device, candidates(SWAP, 2), activate=ActivateMode.TEST, reboot_timeout=1)
    assert first.code == "done"
    again = play(device, candidates(SWAP, 3))
    assert again.code == "DV505"


@pytest.mark.parametrize(
    "server",
    [
        ServerProfile(buf_size=384, reassembly=False),
        ServerProfile(buf_size=384, reassembly=False, parameters=False, bootloader_info=False),
        ServerProfile(version_2=False, legacy_rc=True, bootloader_info=False),
        ServerProfile(buf_count=2),
        ServerProfile(buf_count=8, image_check=True, slot_info=True, frugal_list=True),
        ServerProfile(erase_progressively=True, verbose_errors=True),
    ],
    ids=["no reassembly", "tells nothing", "old", "two buffers", "new", "progressive"],
)
@pytest.mark.parametrize("mode", [SWAP, REVERT])
def test_servers_of_all_kinds(server: ServerProfile, mode: BootloaderMode) -> None:
    run = play(board(mode, server=server), candidates(mode), knowledge=Knowledge(mode, KNOWN))
    assert run.code == "done"
    assert run.link.vanished == 0 or server.buf_count == 2
    run.tells_the_truth()


def test_ctrl_c_during_the_upload_and_the_next_run_resumes() -> None:
    device = board(SWAP)

    async def main() -> Run:
        run = Run(device, candidates(SWAP))
        task = asyncio.ensure_future(run.update.run())
        while not any(isinstance(e, UploadProgress) and e.offset > 9000 for e in run.events):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await run.update.abort()
        return run

    run = run_warped(main())
    assert run.update.state is not None
    assert run.update.state.is_current
    assert run.update.state.sentence().startswith("the device runs 1.0.0")
    assert not run.link.is_connected
    second = play(device, candidates(SWAP))
    progress = [e for e in second.events if isinstance(e, UploadProgress)]
    assert progress[0].resumed_at > 9000
    assert second.code == "done"


@pytest.mark.parametrize("tenth", range(1, 10))
def test_ctrl_c_is_never_lost_and_the_state_is_told(tenth: int) -> None:
    """Results and the cancellation arrive together: none may be swallowed."""
    device = board(SWAP)

    async def main() -> tuple[Update, int]:
        seen: list[Event] = []
        link = open_link("virtual", None, virtual=device)
        update = Update(link, candidates(SWAP), Knowledge(slots=KNOWN), OPTIONS, seen.append)
        task = asyncio.ensure_future(update.run())
        while not any(isinstance(e, UploadProgress) and e.offset > 3000 * tenth for e in seen):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        count = len(seen)
        await update.abort()
        return update, len(seen) - count

    update, more = asyncio.run(main())
    assert more == 0
    assert update.state is not None
    assert update.state.is_current
    held = device.running()
    assert held is not None
    assert update.state.running is not None
    assert update.state.running.hash == held.digest


def test_slow_flash_and_a_long_erase_are_waited_for() -> None:
    device = board(SWAP, erase_time=0.085, write_time=0.00001)
    run = play(device, candidates(SWAP), patience=Patience())
    assert run.code == "done"
    assert run.outcome is not None
    assert run.outcome.windows[0].lost_requests == 0
    assert run.link.vanished == 0


@pytest.mark.parametrize("mode", [SWAP, XIP, REVERT], ids=lambda mode: mode.title)
def test_over_two_real_bluetooth_stacks(mode: BootloaderMode) -> None:
    device = board(mode)
    seen: list[Event] = []
    link = open_link("virtual", None, virtual=device)
    update = Update(link, candidates(mode), Knowledge(slots=KNOWN), OPTIONS, seen.append)
    outcome = asyncio.run(update.run())
    assert "runs 2.0.0" in outcome.state.sentence()
    assert outcome.windows[0].lost_requests == outcome.windows[0].timeouts == 0
    assert outcome.windows[0].widest == 2
    uploads = [e.text for e in seen if isinstance(e, PhaseStarted) and e.phase is Phase.UPLOAD]
    assert "frames of 2475 bytes" in uploads[0]
