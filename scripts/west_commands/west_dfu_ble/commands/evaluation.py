# SPDX-License-Identifier: Apache-2.0
"""Evaluate the rules as the arguments ask, and show what came of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import report, rules
from ..builddir import Build
from ..diagnostics import Severity
from ..report.console import Console
from .settings import settings


def evaluate_build(args: argparse.Namespace, build: Build) -> rules.CheckReport:
    """Evaluate the rules as the arguments ask."""
    config = settings(args, build)
    return rules.evaluate(
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
            severity_at=config.severity_at,
            baseline=args.baseline,
        ),
    )


def _names(values: list[str] | None) -> tuple[str, ...]:
    return tuple(
        name.strip() for value in values or [] for name in value.split(",") if name.strip()
    )


def show_report(
    args: argparse.Namespace, console: Console, outcome: rules.CheckReport, *, end: str = ""
) -> None:
    """Write the report in the format asked for; `end` stands behind it."""
    tell = console.prose if args.format == "human" else console.result
    tell(report.render(outcome, args.format, colour=console.colour_out, cwd=Path.cwd()) + end)
