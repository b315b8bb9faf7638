# SPDX-License-Identifier: Apache-2.0
"""The files that `--report` asks for: each holds all builds of the call, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from .. import report, rules
from ..diagnostics import Diagnostic
from ..faults import fault
from .whole_file import write_whole


class ReportFiles:
    """Collects what goes into the files until all builds are checked."""

    def __init__(self, targets: Sequence[tuple[str, Path]] | None, *, several: bool) -> None:
        """Take `targets` (format, path), and whether `several` builds come or one."""
        self._files = [
            (name, path, report.combined(name, several=several)) for name, path in targets or ()
        ]

    def add(self, outcome: rules.CheckReport) -> None:
        """Take the report of a build."""
        for name, _, combined in self._files:
            combined.add(report.render(outcome, name, colour=False, cwd=Path.cwd()))

    def add_error(self, build: Path, diagnostic: Diagnostic) -> None:
        """Take a build that could not be read, so that no older report passes for this one."""
        for _, _, combined in self._files:
            combined.add_error(build, diagnostic)

    def write(self) -> None:
        """Write the files. Raises `DfuBleError` EN008 for one that can't be written."""
        for _, path, combined in self._files:
            _write(path, chain(combined.parts(), "\n"))


def write_report(path: Path, text: str) -> None:
    """Write a report and the end of its last line. Raises `DfuBleError` EN008 if that fails."""
    _write(path, (text, "\n"))


def _write(path: Path, parts: Iterable[str]) -> None:
    try:
        write_whole(path, parts)
    except OSError as error:
        raise fault(
            "EN008",
            f"the report can't be written: {error.strerror}",
            why="What it would hold is lost.",
            location=path,
            helps=["give --report a path in a folder that exists and can be written"],
        ) from error
