# SPDX-License-Identifier: Apache-2.0
"""The fault matrix of a rehearsal: fault by phase, how it ended, and how much longer it took."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..faults import FAULTS
from ..update.events import Phase

if TYPE_CHECKING:
    from ..rehearsal import Trial

# Columns: of a line, and of a sign that the legend explains.
_WIDTH, _SIGN = 79, 8


def fault_table(trials: Sequence[Trial]) -> str:
    """Return the matrix: ``+1.0 s`` for an update that was done, else the error's code.

    The old image runs then; behind a code stands ``new`` where the new one does. A ``!`` marks a
    device that did not boot a valid image, or one that was not as reported. It fits 80 columns.
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
    told = [*_wrapped(_legend(trials)), "", *_wrapped(("", text) for text in _summary(trials))]
    return "\n".join([*lines, "", *told])


def _wrapped(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Break what is told of a sign, the text under its beginning."""
    for sign, text in entries:
        first = f"{sign:{_SIGN}}" if sign else ""
        yield from textwrap.wrap(
            text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first)
        )


def _legend(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """Say how to read a cell, and what each code means that stands in one."""
    codes = sorted({trial.code for trial in trials if trial.code})
    legend = [
        ("+1.0 s", "the update was done, so much later (the waiting; not the radio)"),
        ("-", "nothing happens in that phase that the fault could strike"),
    ]
    if codes:
        legend.append(("DVnnn", "it ended with that error, and the device runs the old image"))
    if any(trial.code and trial.runs_new for trial in trials):
        legend.append(("new", "the same, and it runs the new image"))
    return [*legend, *((code, FAULTS[code].meaning) for code in codes)]


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
        text = trial.code + (" new" if trial.runs_new else "")
    return text + ("" if trial.is_true else "!")


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
