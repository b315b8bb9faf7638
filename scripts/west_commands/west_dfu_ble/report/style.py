# SPDX-License-Identifier: Apache-2.0
"""Colour for a terminal: a handful of attributes, or none."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics import Severity

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE, _CYAN = 1, 2, 31, 32, 33, 34, 36
_SEVERITIES = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.INFO: _BLUE}


@dataclass(frozen=True)
class Style:
    """Wraps text in the codes of ECMA-48, or leaves it as it is."""

    colour: bool

    def bold(self, text: str) -> str:
        """What is read first."""
        return self._wrap(text, _BOLD)

    def dim(self, text: str) -> str:
        """What is there for the second look."""
        return self._wrap(text, _DIM)

    def mark(self, text: str) -> str:
        """The frame around the words: arrows and bars."""
        return self._wrap(text, _BOLD, _CYAN)

    def good(self, text: str) -> str:
        """All is well."""
        return self._wrap(text, _BOLD, _GREEN)

    def severity(self, severity: Severity, text: str) -> str:
        """The colour of how bad it is."""
        return self._wrap(text, _BOLD, _SEVERITIES[severity])

    def _wrap(self, text: str, *codes: int) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m"
