# SPDX-License-Identifier: Apache-2.0
"""Outcomes as text: for people, for machines, for CI. Nothing here prints but `console`.

Each format is one module with `render(report, *, colour, cwd) -> str`, imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .combined import Combined
from .words import headline

if TYPE_CHECKING:
    from ..rules import CheckReport

# Format -> the module that renders it.
FORMATS = {
    "human": "human",
    "concise": "concise",
    "json": "json_report",
}


# These are shown as they come; the others are one document each.
FOR_PEOPLE = ("human", "concise", "github")


def combined(name: str) -> Combined:
    """Return what joins the reports of several builds in the format `name`."""
    return Combined(FORMATS[name], is_for_people=name in FOR_PEOPLE)


def render(report: CheckReport, name: str, *, colour: bool, cwd: Path) -> str:
    """Return `report` in the format `name` (a key of `FORMATS`), without a final line end.

    Paths are shown relative to `cwd` where that is shorter. Only formats for people have colour.
    """
    module = import_module(f".{FORMATS[name]}", __package__)
    return str(module.render(report, colour=colour, cwd=cwd))


__all__ = ["FORMATS", "FOR_PEOPLE", "Combined", "combined", "headline", "render"]
