# SPDX-License-Identifier: Apache-2.0
"""What one document says of all the builds that were checked in a call."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ..diagnostics import Diagnostic


class Combined:
    """Collects the builds' reports in one format and joins them as that format has it.

    A format for machines has in its module `combine(texts) -> str` and `render_error(path,
    diagnostic) -> str`, the report of a build that could not be read. Those for people stand below
    each other; where such a format has no `render_error`, the error is shown as on the terminal.
    """

    def __init__(self, module: str, *, is_for_people: bool, several: bool) -> None:
        """Collect for the format that `module` renders; only with `several` are there many."""
        self._module = import_module(f".{module}", __package__)
        self._is_for_people = is_for_people
        self._several = several
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        """Take a rendered report."""
        self._texts.append(text)

    def add_error(self, path: Path, diagnostic: Diagnostic) -> None:
        """Take a build that could not be read, as that."""
        if hasattr(self._module, "render_error"):
            self.add(self._module.render_error(path, diagnostic))
        else:
            from .diagnostic import render_diagnostic

            self.add(render_diagnostic(diagnostic, colour=False))

    def text(self) -> str:
        """Return the report of them all."""
        if self._is_for_people or not self._several:
            return "\n\n".join(self._texts)
        return str(self._module.combine(self._texts))
