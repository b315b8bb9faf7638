# SPDX-License-Identifier: Apache-2.0
"""`rehearse --faults`: the update of this build once for every fault in every phase.

Each run has a virtual device of its own behind a link without a radio, in a time that jumps over
waits, so that the whole matrix takes seconds. Where in the update a phase is, a run without a
fault has told. What counts is not that every run succeeds, but that the device boots a valid image
after each, and that what was reported is what the device is in.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..builddir import Build
from ..diagnostics import DfuBleError
from ..link.loopback import LoopbackLink
from ..report.faults import Trial
from ..smp import image_group
from ..update import (
    Candidate,
    Event,
    Phase,
    PhaseStarted,
    Update,
    UpdateOptions,
    knowledge_from_build,
)
from ..virtual import DeviceProfile, Fault, FaultKind, VirtualDevice
from ..virtual.warped_time import run_warped

_FLASH = (FaultKind.FLASH_WRITE_ERROR, FaultKind.FLASH_ERASE_ERROR, FaultKind.POWER_CUT)
# Bytes of the other client's first chunk.
_FIRST = 256
# How late an answer is, and how slow an erase: well beyond the client's patience, and within it.
_SECONDS = {FaultKind.RESPONSE_LATE: 4.0, FaultKind.SLOW_ERASE: 20.0}


@dataclass(frozen=True)
class Marks:
    """How far the device had come when a phase began."""

    phase: Phase
    requests: int
    operations: int
    received: int


def run_matrix(
    profile: DeviceProfile,
    candidates: Sequence[Candidate],
    build: Build,
    tell: Callable[[int, int], None],
) -> list[Trial]:
    """Run every fault in every phase that it can strike; `tell` gets number and count."""
    rehearsal = _Rehearsal(profile, candidates, build)
    clean = rehearsal.run(())
    if clean.error is not None:
        raise clean.error
    cases = [
        (kind, phase, at)
        for kind in FaultKind
        for phase, at in _places(kind, clean.marks, clean.end)
    ]
    foreign = _foreign_upload(profile)
    trials = []
    for number, (kind, phase, at) in enumerate(cases, 1):
        tell(number, len(cases))
        fault = Fault(kind, at, seconds=_SECONDS.get(kind, 0.0), count=2, data=foreign)
        run = rehearsal.run((fault,))
        code = run.error.diagnostic.code if run.error else ""
        trials.append(Trial(kind, phase, code, run.seconds - clean.seconds, run.is_true))
    return trials


def _foreign_upload(profile: DeviceProfile) -> bytes:
    """Return the first request of a client that uploads something else: what runs already."""
    data = profile.factory[0, min(slot for image, slot in profile.factory if image == 0)]
    digest = hashlib.sha256(data).digest()
    request = image_group.upload_first(data[:_FIRST], len(data), digest, 0)
    return request.encode(sequence=0, version=1)


def _places(kind: FaultKind, marks: Sequence[Marks], end: Marks) -> list[tuple[Phase, int]]:
    """Return where a fault strikes: in the middle of each phase that has what it needs."""
    places = []
    for mark, following in zip(marks, [*marks[1:], end], strict=True):
        if kind in _FLASH:
            first, last = mark.operations, following.operations
        elif kind is FaultKind.DISCONNECT_AT_BYTE:
            first, last = mark.received, following.received
        elif kind is FaultKind.SLOW_ERASE:
            first, last = 0, mark.phase is Phase.UPLOAD
        else:
            first, last = mark.requests, following.requests
        if last > first:
            places.append((mark.phase, (first + last) // 2))
    return places


@dataclass
class _Run:
    """What one run left behind."""

    marks: list[Marks]
    end: Marks
    error: DfuBleError | None
    seconds: float
    is_true: bool


class _CountingLink(LoopbackLink):
    """Counts the frames and bytes that it sends."""

    frames = 0
    sent_bytes = 0

    async def send(self, frame: bytes) -> None:
        self.frames += 1
        self.sent_bytes += len(frame)
        await super().send(frame)


class _Rehearsal:
    def __init__(
        self, profile: DeviceProfile, candidates: Sequence[Candidate], build: Build
    ) -> None:
        self._profile = profile
        self._candidates = candidates
        self._knowledge = knowledge_from_build(build)

    def run(self, faults: Sequence[Fault]) -> _Run:
        device = VirtualDevice(self._profile, faults=faults)
        link = _CountingLink(device)
        marks: list[Marks] = []

        def mark(phase: Phase) -> Marks:
            return Marks(phase, link.frames, device.flash.operations, link.sent_bytes)

        def listen(event: Event) -> None:
            if isinstance(event, PhaseStarted):
                marks.append(mark(event.phase))

        update = Update(link, self._candidates, self._knowledge, UpdateOptions(), listen)
        error: DfuBleError | None = None
        seconds = 0.0

        async def play() -> None:
            nonlocal error, seconds
            start = asyncio.get_running_loop().time()
            try:
                await update.run()
            except DfuBleError as raised:
                error = raised
            finally:
                await link.disconnect()
                seconds = asyncio.get_running_loop().time() - start

        run_warped(play())
        end = mark(Phase.CONFIRM)
        return _Run(marks, end, error, seconds, _is_true(device, update, error))


def _is_true(device: VirtualDevice, update: Update, error: DfuBleError | None) -> bool:
    """Whether the device boots, and runs what was reported last."""
    # A power cut that struck while it booted strikes once; the device is started again.
    for _ in range(3):
        if not device.is_running:
            device.boot()
    held, state = device.running(), update.state
    if held is None:
        return False
    if state is None or not state.is_current:
        return error is not None
    return state.running is not None and state.running.hash == held.digest
