# SPDX-License-Identifier: Apache-2.0
"""One line a finding, as compilers write them: ``file:line: error[KC150] message``."""

from __future__ import annotations

from pathlib import Path

from ..rules import CheckReport, Status
from .style import Style
from .words import headline, shown_location, shown_path


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return the findings in the rules' order, what was not evaluated, and the counts."""
    style = Style(colour)
    lines = []
    for outcome in report.outcomes:
        diagnostic = outcome.diagnostic
        if diagnostic is not None and outcome.waived is None:
            location = diagnostic.location
            where = (
                shown_location(location, cwd) if location else shown_path(report.build.path, cwd)
            )
            head = style.severity(
                diagnostic.severity, f"{diagnostic.severity.value}[{diagnostic.code}]"
            )
            lines.append(f"{where}: {head} {diagnostic.message}")
        elif outcome.status is Status.UNKNOWN:
            where = shown_path(report.build.path, cwd)
            lines.append(f"{where}: unknown[{outcome.code}] {outcome.reason}")
    return "\n".join([*lines, headline(report)])
