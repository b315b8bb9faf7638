# SPDX-License-Identifier: Apache-2.0
"""Outcomes as text: for people, for machines, for CI. Nothing here prints but `console`.

Each format is one module with `render(report, *, colour, cwd) -> str`, imported when it is used;
`Combined` says what it needs for several builds in one report.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .combined import Combined
from .words import headline

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic
    from ..rules import CheckReport

# Format -> the module that renders it.
FORMATS = {
    "human": "human",
    "concise": "concise",
    "json": "json_report",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "gitlab": "gitlab",
    "html": "html",
}


# These are shown as they come; the others are one document each. `options` offers the same names.
FOR_PEOPLE = ("human", "concise", "github")


def combined(name: str, *, several: bool = True) -> Combined:
    """Return what joins the reports of a call in the format `name`; `several` builds, or one."""
    return Combined(FORMATS[name], is_for_people=name in FOR_PEOPLE, several=several)


def render(report: CheckReport, name: str, *, colour: bool, cwd: Path) -> str:
    """Return `report` in the format `name` (a key of `FORMATS`), without a final line end.

    Paths are shown relative to `cwd` where that is shorter. Only formats for people have colour.
    """
    module = import_module(f".{FORMATS[name]}", __package__)
    return str(module.render(report, colour=colour, cwd=cwd))


def render_error(path: Path, diagnostic: Diagnostic, name: str) -> str | None:
    """Return, in the format `name`, that the build at `path` could not be read.

    `None` if the format has no form for it: then the error on standard error is all there is.
    """
    module = import_module(f".{FORMATS[name]}", __package__)
    return str(module.render_error(path, diagnostic)) if hasattr(module, "render_error") else None


__all__ = [
    "FORMATS",
    "FOR_PEOPLE",
    "Combined",
    "combined",
    "headline",
    "render",
    "render_error",
]
