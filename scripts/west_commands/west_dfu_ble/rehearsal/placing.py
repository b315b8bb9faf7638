# SPDX-License-Identifier: Apache-2.0
"""Where a fault strikes: at a number, or in a phase of the update, whose length a clean run tells.

A fault in a phase is set when that phase begins, so that it strikes there whatever happened before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..update import Event, Phase, PhaseStarted
from ..virtual import Fault, FaultCount, FaultKind, Progress, VirtualDevice, parse_fault

_IN_PHASE = re.compile(r"([a-z0-9-]+)@([a-z]+?)(?:\+(\d{1,3})%)?((?:x\d+)?(?::\d+(?:\.\d+)?s)?)")
_MIDDLE = 0.5


@dataclass(frozen=True)
class PlacedFault:
    """A fault in a phase; `share` tells how far into it, 0 to 1. `phase` `None`: at `fault.at`."""

    fault: Fault
    phase: Phase | None = None
    share: float = _MIDDLE

    def __str__(self) -> str:
        where = str(self.fault.at) if self.phase is None else self.phase.value
        share = "" if self.phase is None or self.share == _MIDDLE else f"+{self.share:.0%}"
        return f"{self.fault.kind.value}@{where}{share}"


@dataclass(frozen=True)
class Mark:
    """How far the device had come when a phase began."""

    phase: Phase
    progress: Progress


@dataclass(frozen=True)
class Cue:
    """A fault that waits for its phase; `fault.at` counts from where that begins."""

    phase: Phase
    fault: Fault


class Prompter:
    """Sets each fault when its phase begins; for use as a `Listener`."""

    def __init__(self, device: VirtualDevice, cues: Sequence[Cue]) -> None:
        """Wait for the phases of an update of `device`."""
        self._device = device
        self._cues = list(cues)

    def __call__(self, event: Event) -> None:
        """Look whether a phase begins that a fault waits for."""
        if isinstance(event, PhaseStarted):
            for cue in [cue for cue in self._cues if cue.phase is event.phase]:
                self._cues.remove(cue)
                at = cue.fault.at + _count(cue.fault.kind, self._device.progress)
                self._device.add_fault(replace(cue.fault, at=at))


def parse_placed_fault(text: str) -> PlacedFault:
    """Read a fault as `parse_fault` does, or with a phase: ``disconnect@upload``.

    ``power-cut@reset+25%`` is a quarter into the phase; without a share it is the middle.
    Raises `ValueError`.
    """
    found = _IN_PHASE.fullmatch(text)
    if found is None:
        return PlacedFault(parse_fault(text))
    names = {phase.value: phase for phase in Phase}
    fault = parse_fault(f"{found[1]}@0{found[4]}")
    if found[2] not in names:
        raise ValueError(f"{found[2]!r} is no phase of an update; these are: {', '.join(names)}")
    share = int(found[3]) / 100 if found[3] else _MIDDLE
    if share > 1:
        raise ValueError(f"{text!r}: a phase ends at 100 %")
    return PlacedFault(fault, names[found[2]], share)


def place(placed: PlacedFault, marks: Sequence[Mark], end: Progress) -> Fault | Cue | None:
    """Return the fault at its place, which a clean run's `marks` give for its phase.

    `None` if nothing happens in that phase that it could strike.
    """
    if placed.phase is None or placed.fault.kind.counts is FaultCount.NOTHING:
        return placed.fault
    for mark, following in zip(marks, [*(m.progress for m in marks[1:]), end], strict=True):
        if mark.phase is not placed.phase:
            continue
        length = _count(placed.fault.kind, following) - _count(placed.fault.kind, mark.progress)
        at = min(int(length * placed.share), length - 1)
        if placed.fault.kind is FaultKind.FLASH_ERASE_ERROR:
            # It meets the next erase, which a later place might find in another phase.
            at, length = 0, following.erases - mark.progress.erases
        if length:
            return Cue(placed.phase, replace(placed.fault, at=at))
    return None


def _count(kind: FaultKind, progress: Progress) -> int:
    return {
        FaultCount.REQUESTS: progress.requests,
        FaultCount.BYTES: progress.bytes,
        FaultCount.OPERATIONS: progress.operations,
    }[kind.counts]
