# SPDX-License-Identifier: Apache-2.0
"""`check`: verify the build; nothing is written but the reports and fixes asked for, no radio."""

from __future__ import annotations

import argparse

from .. import builddir, report, rules
from ..builddir import Build
from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..report.console import Console
from .check_many import execute_many
from .evaluation import evaluate_build, show_report
from .locate import locate_build
from .report_files import ReportFiles


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Check the build and print the report; 0, 3 or 4 (with --exit-zero 0 instead of 3)."""
    if args.all or len(args.build_dir or []) > 1:
        if args.fix:
            raise _fixes_one_build()
        return _softened(args, execute_many(args, console))
    outcome = check_build(args, _read(args, console))
    show_report(args, console, outcome)
    if args.fix:
        from .fix import write_fixes

        write_fixes(outcome, None if args.fix is True else args.fix, console)
    return _softened(args, outcome.exit_status)


def _fixes_one_build() -> DfuBleError:
    return fault(
        "EN008",
        "--fix was given with several builds",
        why="Each build needs fragments of its own, and they would get in each other's way.",
        helps=["give --build-dir once, and run it for each build"],
    )


def _softened(args: argparse.Namespace, status: ExitStatus) -> ExitStatus:
    return ExitStatus.DONE if args.exit_zero and status is ExitStatus.FINDINGS else status


def _read(args: argparse.Namespace, console: Console) -> Build:
    """Read the build; if that fails, every report that was asked for says so."""
    path = locate_build(args)
    try:
        return builddir.load(path)
    except DfuBleError as error:
        files = ReportFiles(args.report, several=False)
        files.add_error(path, error.diagnostic)
        files.write()
        text = report.render_error(path, error.diagnostic, args.format)
        if text is not None:
            console.result(text)
        raise


def check_build(args: argparse.Namespace, build: Build) -> rules.CheckReport:
    """Evaluate the rules as the arguments ask and write the report files."""
    outcome = evaluate_build(args, build)
    files = ReportFiles(args.report, several=False)
    files.add(outcome)
    files.write()
    return outcome
