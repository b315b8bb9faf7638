# SPDX-License-Identifier: Apache-2.0
"""The fault matrix of a rehearsal: fault by phase, how it ended, and how much longer it took."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..faults import FAULTS
from ..update.events import Phase

if TYPE_CHECKING:
    from ..rehearsal import Trial


def fault_table(trials: Sequence[Trial]) -> str:
    """Return the matrix: ``+1.0 s`` for an update that was done, else the error's code.

    A code is followed by what runs then, the ``old`` image or the ``new`` one. A ``!`` marks a
    device that did not boot a valid image, or one that was not as reported.
    """
    phases = [phase for phase in Phase if any(trial.phase is phase for trial in trials)]
    cells = {(trial.kind, trial.phase): _cell(trial) for trial in trials}
    kinds = list(dict.fromkeys(trial.kind for trial in trials))
    rows = [("fault", *(phase.value for phase in phases))]
    rows += [(kind.value, *(cells.get((kind, phase), "-") for phase in phases)) for kind in kinds]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", *_legend(trials), "", *_summary(trials)])


def _legend(trials: Sequence[Trial]) -> list[str]:
    """Say how to read a cell, and what each code means that stands in one."""
    codes = sorted({trial.code for trial in trials if trial.code})
    return [
        "+1.0 s  the update was done all the same, so much later (the waiting; not the radio)",
        "-       nothing happens in that phase that the fault could strike",
        *(f"{code:6}  {FAULTS[code].meaning}" for code in codes),
    ]


def _summary(trials: Sequence[Trial]) -> list[str]:
    done = sum(not trial.code for trial in trials)
    wrong = sum(not trial.is_true for trial in trials)
    ended = len(trials) - done
    old = sum(bool(trial.code) and not trial.runs_new for trial in trials)
    counts = f"{len(trials)} faults: {done} updates done all the same"
    if ended:
        counts += f", {ended} ended with an error ({old} run the old image, {ended - old} the new)"
    truth = "after each the device booted a valid image, and it was as reported"
    if wrong:
        truth = f"after {wrong} of them (!) the device was not as reported"
    return [counts, truth]


def _cell(trial: Trial) -> str:
    text = f"{max(trial.seconds, 0.0):+.1f} s"
    if trial.code:
        text = f"{trial.code} {'new' if trial.runs_new else 'old'}"
    return text + ("" if trial.is_true else " !")


def trials_as_json(trials: Sequence[Trial]) -> str:
    """Return the matrix as a JSON array; `seconds` is what the run took longer."""
    rows = [
        {
            "fault": trial.kind.value,
            "phase": trial.phase.value,
            "error": trial.code or None,
            "seconds": round(trial.seconds, 3),
            "runs_new": trial.runs_new,
            "as_reported": trial.is_true,
        }
        for trial in trials
    ]
    return json.dumps(rows, indent=2)
