# SPDX-License-Identifier: Apache-2.0
"""`check` on several build directories in one call: what CI runs after a test plan was built.

One after the other, so that memory does not grow with their number: of each build only its line
in the table stays, and its text where a report is to hold them all. A build that can't be read is
a line too, and does not stop the others.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import builddir, report
from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..report.console import Console
from .evaluation import evaluate_build, show_report
from .report_files import ReportFiles


@dataclass(frozen=True)
class Row:
    """What the table says of one build."""

    path: Path
    status: ExitStatus
    text: str


def execute_many(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Check every build that was named or found; 3 if any has findings, else 4, else 0."""
    paths = list(_paths(args))
    rows: list[Row] = []
    combined = report.combined(args.format)
    files = ReportFiles(args.report, several=True)
    for number, path in enumerate(paths, 1):
        row = _check_one(args, console, path, combined, files)
        rows.append(row)
        console.note(f"[{number}/{len(paths)}] {_VERDICTS[row.status]:<11} {path}: {row.text}")
    files.write()
    if args.format in report.FOR_PEOPLE:
        console.result(_table(rows))
    else:
        console.results(combined.parts())
    statuses = {row.status for row in rows}
    for status in (ExitStatus.FINDINGS, ExitStatus.UNDECIDED):
        if status in statuses:
            return status
    return ExitStatus.DONE


_VERDICTS = {
    ExitStatus.DONE: "passed",
    ExitStatus.FINDINGS: "failed",
    ExitStatus.UNDECIDED: "undecided",
}


def _check_one(
    args: argparse.Namespace,
    console: Console,
    path: Path,
    combined: report.Combined,
    files: ReportFiles,
) -> Row:
    for_people = args.format in report.FOR_PEOPLE
    try:
        outcome = evaluate_build(args, builddir.load(path))
    except DfuBleError as error:
        if error.status is not ExitStatus.UNDECIDED:
            raise
        console.error(error.diagnostic)
        files.add_error(path, error.diagnostic)
        text = report.render_error(path, error.diagnostic, args.format)
        if not for_people:
            combined.add_error(path, error.diagnostic)
        elif text is not None:
            console.result(text)
        return Row(path, error.status, f"{error.diagnostic.code} {error.diagnostic.message}")
    files.add(outcome)
    if not for_people:
        combined.add(report.render(outcome, args.format, colour=False, cwd=Path.cwd()))
    elif outcome.findings or outcome.exit_status is not ExitStatus.DONE:
        show_report(args, console, outcome, end="\n")
    return Row(path, outcome.exit_status, report.headline(outcome))


def _table(rows: list[Row]) -> str:
    width = max(len(str(row.path)) for row in rows)
    lines = [f"{row.path!s:<{width}}  {_VERDICTS[row.status]:<9}  {row.text}" for row in rows]
    counts = [
        f"{sum(row.status is status for row in rows)} {verdict}"
        for status, verdict in _VERDICTS.items()
    ]
    return "\n".join([*lines, f"{len(rows)} builds: {', '.join(counts)}"])


def _paths(args: argparse.Namespace) -> Iterator[Path]:
    yield from args.build_dir or []
    for folder in args.all or []:
        found = list(_builds_below(folder))
        if not found:
            raise fault(
                "EN001",
                f"there is no build directory below `{folder}`",
                location=folder,
                helps=["give --all the folder that `west build` or twister built into"],
            )
        yield from found


def _builds_below(folder: Path) -> Iterator[Path]:
    """Find build directories, not looking into one for others: its images have folders too."""
    for name, folders, _ in os.walk(folder):
        path = Path(name)
        if builddir.is_build_directory(path):
            folders.clear()
            yield path
        folders.sort()
