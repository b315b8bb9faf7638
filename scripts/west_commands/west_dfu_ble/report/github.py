# SPDX-License-Identifier: Apache-2.0
"""Annotations of GitHub Actions: one workflow command a finding, which GitHub shows at the line.

The form is that of GitHub's "Workflow commands for GitHub Actions":
``::error file=…,line=…,title=…::message``, where ``%``, line ends and, in a property, ``:`` and
``,`` are escaped. Whatever is no command is shown in the log as it is.
"""

from __future__ import annotations

from pathlib import Path

from ..diagnostics import Diagnostic, Location, Severity
from ..rules import CheckReport, Outcome, Status
from .words import headline, shown_path

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return one annotation for each finding and each rule that could not decide, and the counts.

    Paths are relative to `cwd`, which GitHub takes for the repository's root; what was set in a
    file of the repository is shown there, where a review can show it. A rule that could
    not decide is a warning where that ends the command (`--strict`), else a notice.
    """
    undecided = Severity.WARNING if report.options.strict else Severity.INFO
    lines = []
    for outcome in report.outcomes:
        if outcome.diagnostic is not None and outcome.waived is None:
            lines.append(_annotation(outcome.diagnostic, cwd, image=outcome.image))
        elif outcome.status is Status.UNKNOWN:
            title = f"{_title(outcome)} not evaluated"
            lines.append(_command(undecided, title, outcome.reason))
    return "\n".join([*lines, headline(report)])


def render_error(path: Path, diagnostic: Diagnostic) -> str:
    """Return the annotation of a build that could not be read."""
    return _annotation(diagnostic, Path.cwd(), image=str(path))


def _title(outcome: Outcome) -> str:
    image = f" ({outcome.image})" if outcome.image else ""
    return f"{outcome.code} {outcome.name}{image}"


def _annotation(diagnostic: Diagnostic, cwd: Path, *, image: str) -> str:
    where = f" ({image})" if image else ""
    return _command(
        diagnostic.severity,
        f"{diagnostic.code} {diagnostic.name}{where}",
        "\n".join(_message(diagnostic)),
        diagnostic.place_below(cwd),
        cwd,
    )


def _message(diagnostic: Diagnostic) -> list[str]:
    lines = [diagnostic.message]
    if diagnostic.why:
        lines.append(diagnostic.why)
    for helping in diagnostic.helps:
        lines.append(f"help: {helping.text}")
        lines += [f"    {line}" for line in helping.edit.splitlines()]
    lines.append(f"more: west dfu-ble explain {diagnostic.code}")
    return lines


def _command(
    severity: Severity,
    title: str,
    message: str,
    location: Location | None = None,
    cwd: Path | None = None,
) -> str:
    properties = {}
    if location is not None:
        path = Path(shown_path(location.path, cwd)) if cwd else location.path
        properties["file"] = path.as_posix()
        if location.line is not None:
            properties["line"] = str(location.line)
    properties["title"] = title
    shown = ",".join(f"{name}={text.translate(_PROPERTY)}" for name, text in properties.items())
    return f"::{_COMMANDS[severity]} {shown}::{message.translate(_DATA)}"
