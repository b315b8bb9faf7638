# SPDX-License-Identifier: Apache-2.0
"""`check`: verify the build; nothing is written but the reports asked for, no radio."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from .. import report, rules
from ..builddir import Build
from ..diagnostics import ExitStatus, Severity
from ..faults import fault
from ..report.console import Console
from .locate import load_build
from .settings import settings


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Check the build and print the report; 0, 3 or 4 (with --exit-zero 0 instead of 3)."""
    if args.all or len(args.build_dir or []) > 1:
        from .check_many import execute_many

        return _softened(args, execute_many(args, console))
    outcome = check_build(args, load_build(args))
    console.result(report.render(outcome, args.format, colour=console.colour_out, cwd=Path.cwd()))
    return _softened(args, outcome.exit_status)


def _softened(args: argparse.Namespace, status: ExitStatus) -> ExitStatus:
    return ExitStatus.DONE if args.exit_zero and status is ExitStatus.FINDINGS else status


def check_build(args: argparse.Namespace, build: Build) -> rules.CheckReport:
    """Evaluate the rules as the arguments ask and write the report files."""
    config = settings(args, build)
    outcome = rules.evaluate(
        build,
        rules.CheckOptions(
            profile=config.profile,
            release=config.release,
            select=_names(args.select),
            ignore=_names(args.ignore),
            fail_on=config.fail_on or Severity.ERROR,
            strict=args.strict,
            severity=config.severity,
            waivers=config.waivers,
        ),
    )
    for name, path in args.report or []:
        _write(path, report.render(outcome, name, colour=False, cwd=Path.cwd()))
    return outcome


def _names(values: list[str] | None) -> tuple[str, ...]:
    return tuple(
        name.strip() for value in values or [] for name in value.split(",") if name.strip()
    )


def _write(path: Path, text: str) -> None:
    # To a temporary file first: a report is there whole or not at all.
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
        Path(name).replace(path)
    except OSError as error:
        raise fault(
            "EN008",
            f"the report can't be written: {error.strerror}",
            why="The check ran, but what it found would be lost.",
            location=path,
            helps=["give --report a path in a folder that exists and can be written"],
        ) from error
