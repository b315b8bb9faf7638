# SPDX-License-Identifier: Apache-2.0
"""The fault matrix: the update of a build once for every fault in every phase.

Where in the update a phase is, a run without a fault has told. What counts is not that every run
succeeds, but that the device boots a valid image after each, and that what was reported is what the
device is in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ..update import Phase
from ..virtual import Fault, FaultCount, FaultKind, parse_fault
from .placing import Cue, PlacedFault, place
from .play import Run, Scene, play

# Two of four buffers leave no room for a second request in flight.
_HELD_BUFFERS = 2


@dataclass(frozen=True)
class Trial:
    """One run: the fault, where it struck, how it ended, and the seconds that it took longer.

    `code` is empty for an update that was done, else its error's. `runs_new` tells whether the
    device ran the new image afterwards. `is_true`: it booted a valid image, the one that was
    reported. `seconds` are the device's time.
    """

    kind: FaultKind
    phase: Phase
    code: str
    seconds: float
    runs_new: bool
    is_true: bool


def run_matrix(
    scene: Scene,
    tell: Callable[[int, int], None] = lambda _number, _count: None,
    kinds: Collection[FaultKind] = tuple(FaultKind),
) -> list[Trial]:
    """Play every fault in every phase that it can strike; `tell` gets number and count.

    Raises the `DfuBleError` of a run without a fault: then there is nothing to rehearse.
    """
    clean = play(scene)
    if clean.error is not None:
        raise clean.error
    cases = [(kind, *case) for kind in kinds for case in _cases(kind, clean)]
    trials = []
    for number, (kind, fault, phase) in enumerate(cases, 1):
        tell(number, len(cases))
        run = play(scene, (fault,))
        # A flash error that finds no such operation in the rest of the update strikes nobody.
        if run.device.struck:
            trials.append(_trial(kind, phase, run, clean))
    return trials


def _cases(kind: FaultKind, clean: Run) -> Iterator[tuple[Fault | Cue, Phase]]:
    """Return where a fault strikes: in the middle of each phase that has what it needs."""
    count = f"x{_HELD_BUFFERS}" if kind is FaultKind.BUFFERS_BUSY else ""
    fault = parse_fault(f"{kind.value}@0{count}")
    if kind.counts is FaultCount.NOTHING:
        # What holds from the start shows as soon as the device is asked.
        yield from [(fault, phase)] if (phase := _begins(kind, clean)) else []
        return
    for mark in clean.marks:
        placed = place(PlacedFault(fault, mark.phase), clean.marks, clean.end)
        if placed is not None:
            yield placed, mark.phase


def _begins(kind: FaultKind, clean: Run) -> Phase | None:
    if kind is not FaultKind.SLOW_ERASE:
        return Phase.INSPECT
    erases = [*(mark.progress.erases for mark in clean.marks[1:]), clean.end.erases]
    return next((m.phase for m, n in zip(clean.marks, erases, strict=True) if n), None)


def _trial(kind: FaultKind, phase: Phase, run: Run, clean: Run) -> Trial:
    code = run.error.diagnostic.code if run.error else ""
    return Trial(kind, phase, code, run.seconds - clean.seconds, run.runs_update, run.is_true)
