# SPDX-License-Identifier: Apache-2.0
"""GitLab's Code Quality report, which a merge request shows: one issue a finding.

The form is that of GitLab's documentation, "Code Quality report format": a JSON array whose
elements have `description`, `check_name`, `fingerprint`, `severity` and `location`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..diagnostics import Diagnostic, Location, Severity
from ..rules import CheckReport, Status
from .words import fingerprint, shown_path

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return an issue for each finding that is not waived and each rule that could not decide.

    Paths are relative to `cwd`, which GitLab takes for the repository's root; what was set in a
    file of the repository is shown there, where a merge request can show it. A rule that could not
    decide is `minor` where that ends the command (`--strict`), else `info`.
    """
    build = _path(report.build.path, cwd)
    undecided = Severity.WARNING if report.options.strict else Severity.INFO
    issues = []
    for outcome in report.outcomes:
        # Of several builds the same finding is several issues; GitLab tells them apart by this.
        mark = fingerprint(outcome.code, outcome.image, outcome.diagnostic, build)
        check = f"{outcome.code} {outcome.name}"
        if outcome.diagnostic is not None and outcome.waived is None:
            issues.append(_issue(outcome.diagnostic, check, mark, build, cwd, outcome.image))
        elif outcome.status is Status.UNKNOWN:
            text = f"{check} not evaluated: {outcome.reason}"
            issues.append(_entry(text, check, mark, undecided, build, 1))
    return json.dumps(issues, indent=1)


def render_error(path: Path, diagnostic: Diagnostic) -> str:
    """Return the issue of a build that could not be read."""
    build = _path(path, Path.cwd())
    check = f"{diagnostic.code} {diagnostic.name}"
    mark = fingerprint(diagnostic.code, "", diagnostic, build)
    return json.dumps([_issue(diagnostic, check, mark, build, Path.cwd(), "")], indent=1)


def combine(texts: list[str]) -> str:
    """Return one array with the issues of several builds."""
    return json.dumps([issue for text in texts for issue in json.loads(text)], indent=1)


def _issue(
    diagnostic: Diagnostic, check: str, mark: str, build: str, cwd: Path, image: str
) -> dict[str, Any]:
    where = diagnostic.place_below(cwd) or Location(Path(build))
    text = f"{check}: {diagnostic.message}" + (f" (image {image})" if image else "")
    text += "".join(f"; {one.text} {one.edit}".rstrip() for one in diagnostic.helps[:1])
    path = _path(where.path, cwd)
    return _entry(text, check, mark, diagnostic.severity, path, where.line or 1)


def _entry(
    text: str, check: str, mark: str, severity: Severity, path: str, line: int
) -> dict[str, Any]:
    return {
        "description": " ".join(text.split()),
        "check_name": check,
        "fingerprint": mark,
        "severity": _SEVERITIES[severity],
        "location": {"path": path, "lines": {"begin": line}},
    }


def _path(path: Path, cwd: Path) -> str:
    return Path(shown_path(path, cwd)).as_posix()
