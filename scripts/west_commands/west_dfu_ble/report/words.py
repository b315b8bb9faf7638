# SPDX-License-Identifier: Apache-2.0
"""Words, figures and paths as every report writes them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Location

if TYPE_CHECKING:
    from ..rules import CheckReport


# XML 1.0 has no way to write these, not even as references (section 2.2); HTML has none either.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean(text: str, instead: str = "") -> str:
    """Return the text without what XML and HTML can't hold, or with `instead` in its place."""
    return _FORBIDDEN.sub(instead, text)


def headline(report: CheckReport) -> str:
    """Return the counts in one line: ``23 rules: 19 passed, 3 errors, 1 not evaluated``.

    A rule may look at several images: ``23 rules, 24 outcomes: …`` then.
    """
    s = report.summary
    parts = [f"{s.passed} passed"]
    parts += [
        count(number, word)
        for number, word in ((s.errors, "error"), (s.warnings, "warning"))
        if number
    ]
    if s.infos:
        parts.append(f"{s.infos} info")
    if s.waived:
        parts.append(f"{s.waived} waived")
    if s.not_applicable:
        parts.append(f"{s.not_applicable} not applicable")
    if s.unknown:
        parts.append(f"{s.unknown} not evaluated")
    outcomes = len(report.outcomes)
    several = f", {count(outcomes, 'outcome')}" if outcomes != s.rules else ""
    return f"{count(s.rules, 'rule')}{several}: {', '.join(parts)}"


def count(number: int, word: str) -> str:
    """Return ``1 error`` or ``2 errors``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def size(number: int) -> str:
    """Return bytes as people read them: ``488 kB`` where it is a whole number of KiB."""
    if number and number % 1024 == 0:
        return f"{number // 1024} KiB"
    return f"{number} bytes"


def kib(number: int) -> str:
    """Return bytes in KiB with one decimal, to be compared at a glance: ``192.8 KiB``."""
    return f"{number / 1024:.1f} KiB"


def shortened(text: str, longest: int) -> str:
    """Return at most `longest` characters, with an ellipsis where some were left out."""
    return text if len(text) <= longest else f"{text[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def percent(part: int, whole: int) -> str:
    """Return the share: ``12 %``."""
    return f"{100 * part / whole:.0f} %" if whole > 0 else "more than 100 %"


def shown_path(path: Path, cwd: Path) -> str:
    """Return `path` relative to `cwd`, where that is shorter."""
    text = str(path)
    if not path.is_absolute():
        return text
    try:
        relative = os.path.relpath(path, cwd)
    except ValueError:  # another drive
        return text
    return relative if len(relative) < len(text) else text


def shown_location(location: Location, cwd: Path) -> str:
    """Return ``path:line`` with the path as `shown_path` has it."""
    path = shown_path(location.path, cwd)
    return path if location.line is None else f"{path}:{location.line}"


def fingerprint(code: str, image: str, diagnostic: Diagnostic | None, *more: str) -> str:
    """Return what stays the same while lines move: made of rule, image, symbol and `more`."""
    symbol = str(diagnostic.data.get("symbol", "")) if diagnostic else ""
    parts = (code, image, symbol, *more)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
