# SPDX-License-Identifier: Apache-2.0
"""The fault matrix of a rehearsal: fault by phase, how it ended, and how much longer it took."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..update.events import Phase

if TYPE_CHECKING:
    from ..virtual import FaultKind


@dataclass(frozen=True)
class Trial:
    """One run: the fault, where it struck, how it ended, and the seconds that it took longer.

    `code` is empty for an update that was done. `is_true` tells whether the device ran a valid
    image afterwards, the one that was reported.
    """

    kind: FaultKind
    phase: Phase
    code: str
    seconds: float
    is_true: bool


def fault_table(trials: Sequence[Trial]) -> str:
    """Return the matrix: ``+1.0 s`` for an update that was done, else the error's code.

    A ``!`` marks a device that did not boot a valid image, or one that was not as reported.
    """
    phases = [phase for phase in Phase if any(trial.phase is phase for trial in trials)]
    cells = {(trial.kind, trial.phase): _cell(trial) for trial in trials}
    kinds = list(dict.fromkeys(trial.kind for trial in trials))
    rows = [("fault", *(phase.value for phase in phases))]
    rows += [(kind.value, *(cells.get((kind, phase), "") for phase in phases)) for kind in kinds]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    done = sum(not trial.code for trial in trials)
    wrong = sum(not trial.is_true for trial in trials)
    return "\n".join(
        [
            *lines,
            "",
            f"{len(trials)} faults: {done} updates done all the same, {len(trials) - done} ended "
            "with an error; `dfu-ble explain CODE` tells what it means",
            "after each the device booted a valid image, and it was as reported"
            if not wrong
            else f"after {wrong} of them (!) the device was not as reported",
        ]
    )


def _cell(trial: Trial) -> str:
    mark = "" if trial.is_true else " !"
    return (trial.code or f"{max(trial.seconds, 0.0):+.1f} s") + mark


def trials_as_json(trials: Sequence[Trial]) -> str:
    """Return the matrix as a JSON array; `seconds` is what the run took longer."""
    rows = [
        {
            "fault": trial.kind.value,
            "phase": trial.phase.value,
            "error": trial.code or None,
            "seconds": round(trial.seconds, 3),
            "as_reported": trial.is_true,
        }
        for trial in trials
    ]
    return json.dumps(rows, indent=2)
