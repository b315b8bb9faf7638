# SPDX-License-Identifier: Apache-2.0
"""One diagnostic as people read it: what, where, why, evidence, and how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ..diagnostics import Diagnostic, Help, Note
from .style import Style
from .words import shown_location


def render_diagnostic(
    diagnostic: Diagnostic, colour: bool, *, cwd: Path | None = None, image: str = ""
) -> str:
    """Return the diagnostic in several lines, without a final line end.

    Paths are relative to `cwd` (default: the current directory) where that is shorter. `image`
    names the image that it is about, if the message does not.
    """
    style = Style(colour)
    return "\n".join(_lines(diagnostic, style, cwd or Path.cwd(), image))


def _lines(diagnostic: Diagnostic, style: Style, cwd: Path, image: str) -> Iterator[str]:
    head = style.severity(diagnostic.severity, f"{diagnostic.severity.value}[{diagnostic.code}]")
    where = style.dim(f" (image `{image}`)") if image else ""
    yield f"{head} {style.bold(f'{diagnostic.name}: {diagnostic.message}')}{where}"
    if diagnostic.location is not None:
        yield f"  {style.mark('-->')} {shown_location(diagnostic.location, cwd)}"
    if diagnostic.why:
        yield from _item("why: ", diagnostic.why, style)
    for note in diagnostic.notes:
        yield from _item("note:", _note(note, cwd), style)
    for helping in diagnostic.helps:
        yield from _item("help:", helping.text, style)
        yield from _edit(helping)
    yield from _item("more:", f"{_command()} explain {diagnostic.code}", style)


def _command() -> str:
    """Return what the reader types to call this program: where there is no west, not `west ...`."""
    return "dfu-ble" if Path(sys.argv[0]).stem == "dfu-ble" else "west dfu-ble"


def _item(label: str, text: str, style: Style) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"   {style.mark('=')} {style.bold(label)} {first}"
    for line in rest:
        yield f"           {line}"


def _note(note: Note, cwd: Path) -> str:
    if note.location is None:
        return note.text
    return f"{note.text} ({shown_location(note.location, cwd)})"


def _edit(helping: Help) -> Iterator[str]:
    for line in helping.edit.splitlines():
        yield f"             {line}"
