# SPDX-License-Identifier: Apache-2.0
"""One model for everything that is wrong: what, why, where, and what to do about it.

A rule of `check` builds a `Diagnostic`; so does every error that ends a command, which travels
as `DfuBleError` up to `cli`, the only place that prints it and ends the process. Errors are made
with `fault()` from the table in `faults.py`, so that each has a stable code, a name and an exit
status that somebody thought about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from pathlib import Path


class Severity(Enum):
    """How bad a finding is; ordered, `ERROR` highest."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """3 for an error, 2 for a warning, 1 for an information."""
        return {"error": 3, "warning": 2, "info": 1}[self.value]


class ExitStatus(IntEnum):
    """What the process ends with. 1 is never used: west and Python use it for their own ends."""

    DONE = 0
    USAGE = 2
    FINDINGS = 3
    UNDECIDED = 4
    SIGNING = 5
    NO_LINK = 6
    DEVICE = 7
    INTERRUPTED = 130


@dataclass(frozen=True)
class Location:
    """A place in a file; `line` counts from 1, `None` means the file as a whole."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Note:
    """One piece of evidence, with the place where it can be seen."""

    text: str
    location: Location | None = None


@dataclass(frozen=True)
class Help:
    """The smallest edit that mends it.

    `edit` is text to paste, without the words around it; `file` names where it belongs, as the
    user calls the file (``prj.conf``). `safe` is false for an edit that changes what the firmware
    does beyond the finding, so that nothing applies it unasked.
    """

    text: str
    edit: str = ""
    file: str = ""
    safe: bool = True


@dataclass(frozen=True)
class Diagnostic:
    """What was observed, why it matters to the update, where, and how to mend it.

    `message` is one clause, lower case, no full stop, and says the observed value; `why` is the
    consequence for the update; the cure stands in `helps` alone. `data` holds the values behind
    the words for machines (JSON-ready). `edit_at` is the line behind `location` that a person can
    edit, where it is known: a `.config` is generated.
    """

    code: str
    name: str
    severity: Severity
    message: str
    why: str = ""
    location: Location | None = None
    notes: tuple[Note, ...] = ()
    helps: tuple[Help, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
    edit_at: Location | None = None

    def place_below(self, folder: Path) -> Location | None:
        """Return the line to show in a review: one that a person edits, if it is in `folder`."""
        if self.edit_at is not None and self.edit_at.path.is_relative_to(folder):
            return self.edit_at
        return self.location


class DfuBleError(Exception):
    """A diagnostic that ends the command, with the exit status that it asks for."""

    def __init__(self, diagnostic: Diagnostic, status: ExitStatus) -> None:
        """Carry `diagnostic` to whoever decides; `status` is the process's exit status."""
        super().__init__(f"{diagnostic.code} {diagnostic.name}: {diagnostic.message}")
        self.diagnostic = diagnostic
        self.status = status
