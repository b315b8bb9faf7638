# SPDX-License-Identifier: Apache-2.0
"""Texts and places as SARIF 2.1.0 writes them; section numbers are those of the standard."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from ..diagnostics import Diagnostic, Location

# The name that readers know for the root of the sources.
BASE = "%SRCROOT%"


def message(text: str) -> dict[str, str]:
    """Return a message object; braces are doubled, for single ones stand for arguments (3.11.5)."""
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def result_text(diagnostic: Diagnostic) -> str:
    """Return what was seen, why it matters, and the edits that mend it, in plain text."""
    paragraphs = [f"{diagnostic.message[:1].upper()}{diagnostic.message[1:]}."]
    if diagnostic.why:
        paragraphs.append(diagnostic.why)
    for helping in diagnostic.helps:
        edit = "".join(f"\n    {line}" for line in helping.edit.splitlines())
        paragraphs.append(f"Help: {helping.text}{':' if edit else ''}{edit}")
    return "\n\n".join(paragraphs)


def location(place: Location, cwd: Path) -> dict[str, Any]:
    """Return a location object for a place in a file."""
    physical: dict[str, Any] = {"artifactLocation": artifact(place.path, cwd)}
    if place.line is not None:
        physical["region"] = {"startLine": place.line}
    return {"physicalLocation": physical}


def artifact(path: Path, cwd: Path) -> dict[str, str]:
    """Return where a file is: relative to the base, which is `cwd`, or absolute if not below it."""
    absolute = _absolute(path, cwd)
    try:
        relative = absolute.relative_to(_absolute(cwd, cwd))
    except ValueError:
        return {"uri": absolute.as_uri()}
    return {"uri": _quoted(relative), "uriBaseId": BASE}


def base_uri(cwd: Path) -> str:
    """Return the base: the URI of a folder ends with a slash (3.14.14)."""
    return f"{_absolute(cwd, cwd).as_uri().rstrip('/')}/"


def _absolute(path: Path, cwd: Path) -> Path:
    # Links stay as they are, only `..` goes; `normpath` alone does that.
    return Path(os.path.normpath(Path.cwd() / cwd / path))


def _quoted(path: PurePath) -> str:
    # A name that is no valid text is quoted byte by byte, as `Path.as_uri` does.
    return quote(os.fsencode(path.as_posix()))
