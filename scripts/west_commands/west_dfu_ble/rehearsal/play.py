# SPDX-License-Identifier: Apache-2.0
"""One run of an update against a device of its own, in a time that jumps over waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ..diagnostics import DfuBleError
from ..link import open_link
from ..link.loopback import LoopbackLink
from ..update import (
    Candidate,
    DeviceState,
    Event,
    Knowledge,
    PhaseStarted,
    Update,
    UpdateOptions,
)
from ..virtual import (
    DeviceProfile,
    Fault,
    LoopClock,
    Progress,
    ReachableDevice,
    SlotImage,
    VirtualDevice,
)
from ..virtual.warped_time import run_warped
from .placing import Cue, Mark, Prompter

if TYPE_CHECKING:
    from ..link import Link

# Bytes of an ATT write that are not its value.
_ATT_HEADER = 3
# Seconds, as `link.hci` asks for it.
_SUPERVISION = 2.0
# The device is started again so often: a power cut that struck while it booted strikes once.
_STARTS = 3


class Over(Enum):
    """What carries the SMP frames; the value is how the command line calls it.

    SMP: nothing but the device's own buffers. BLE: two real Bluetooth stacks with GATT, over a
    virtual air that takes no time.
    """

    SMP = "smp"
    BLE = "ble"


@dataclass(frozen=True)
class Scene:
    """What is played: the device, the images on offer, what is known, how the update is done."""

    profile: DeviceProfile
    candidates: Sequence[Candidate]
    knowledge: Knowledge
    options: UpdateOptions = field(default_factory=UpdateOptions)
    over: Over = Over.SMP


@dataclass(frozen=True)
class Run:
    """What one run left behind.

    `running` is the image that ran at the end, `runs_update` whether it is one of those on offer,
    `log` what the device had said until then; `device` has been reset once more since, to see what
    stays. `marks` tell where each phase began, `end` how far the device had come at the end;
    `state` is what the update knew of the device at last, `sentence` the same in words; `error` why
    it ended early; `seconds` how long it took, in the device's time. `is_true`: the device booted a
    valid image, it was the one that was reported, and so it was after a reset.
    """

    device: VirtualDevice
    running: SlotImage | None
    runs_update: bool
    log: tuple[str, ...]
    marks: tuple[Mark, ...]
    end: Progress
    state: DeviceState | None
    sentence: str
    error: DfuBleError | None
    seconds: float
    is_true: bool


def play(
    scene: Scene,
    faults: Sequence[Fault | Cue] = (),
) -> Run:
    """Update a new device once, with `faults`. Never raises `DfuBleError`: see `Run.error`."""
    device = VirtualDevice(scene.profile, faults=[f for f in faults if isinstance(f, Fault)])
    prompter = Prompter(device, [f for f in faults if isinstance(f, Cue)])
    marks: list[Mark] = []

    def listen(event: Event) -> None:
        if isinstance(event, PhaseStarted):
            marks.append(Mark(event.phase, device.progress))
        prompter(event)

    async def update() -> tuple[Update, DfuBleError | None, float]:
        loop = asyncio.get_running_loop()
        link = _link_to(device, scene.over)
        work = Update(link, scene.candidates, scene.knowledge, scene.options, listen)
        start = loop.time()
        error: DfuBleError | None = None
        try:
            await work.run()
        except DfuBleError as raised:
            error = raised
        finally:
            await link.disconnect()
        return work, error, loop.time() - start

    work, error, seconds = run_warped(update())
    end = device.progress
    _start(device)
    held, log = device.running(), tuple(device.log)
    offered = {one.image.digest for one in scene.candidates}
    runs_update = held is not None and held.digest in offered
    is_true = (
        held is not None
        and (runs_update or error is not None)
        and _is_true(held, work.state, is_done=error is None)
        and _others_are_true(device, scene, work.state, is_done=error is None)
        and _stays(device, work.state)
    )
    return Run(
        device=device,
        running=held,
        runs_update=runs_update,
        log=log,
        marks=tuple(marks),
        end=end,
        state=work.state,
        sentence=work.sentence(),
        error=error,
        seconds=seconds,
        is_true=is_true,
    )


def _link_to(device: VirtualDevice, over: Over) -> Link:
    if over is Over.SMP:
        max_write = device.profile.radio.mtu - _ATT_HEADER
        return LoopbackLink(device, max_write=max_write, loss_delay=_SUPERVISION)
    on_air = ReachableDevice(device, LoopClock(), loss_delay=_SUPERVISION)
    return open_link("virtual", None, virtual=on_air)


def _is_true(held: SlotImage, state: DeviceState | None, *, is_done: bool) -> bool:
    """Whether the image that runs is the one that was reported.

    If an update was not done, the report may say that it does not know.
    """
    if state is None or not state.is_current:
        return not is_done
    return state.running is not None and state.running.hash == held.digest


def _others_are_true(
    device: VirtualDevice, scene: Scene, state: DeviceState | None, *, is_done: bool
) -> bool:
    """Whether the images of other cores are those that were reported, and the update's if done."""
    for number in scene.profile.images[1:]:
        held = device.running(number)
        offered = {one.image.digest for one in scene.candidates if one.image_number == number}
        if is_done and offered and (held is None or held.digest not in offered):
            return False
        if state is None or not state.is_current or held is None:
            continue
        listed = state.images.at(device.active_slot(number) or 0, number)
        if listed is None or listed.hash != held.digest:
            return False
    return True


def _stays(device: VirtualDevice, state: DeviceState | None) -> bool:
    """Whether a device that is reset once more boots a valid image, the one that was promised."""
    device.boot()
    _start(device)
    held = device.running()
    if state is None or not state.is_current:
        return held is not None
    return held is not None and state.next is not None and state.next.hash == held.digest


def _start(device: VirtualDevice) -> None:
    for _ in range(_STARTS):
        if not device.is_running:
            device.boot()
