# SPDX-License-Identifier: Apache-2.0
"""One report of several builds, in a format for machines."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ..diagnostics import Diagnostic


class Combined:
    """Collects the builds' reports in one format and joins them as that format has it.

    The format's module has `combine(texts) -> str` and `render_error(path, diagnostic) -> str`, the
    report of a build that could not be read. Formats for people have neither: they are shown as
    they come.
    """

    def __init__(self, module: str, *, is_for_people: bool) -> None:
        """Collect for the format that `module` renders."""
        self._module = None if is_for_people else import_module(f".{module}", __package__)
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        """Take a rendered report."""
        self._texts.append(text)

    def add_error(self, path: Path, diagnostic: Diagnostic) -> None:
        """Take a build that could not be read, as that."""
        if self._module is not None:
            self._texts.append(self._module.render_error(path, diagnostic))

    def text(self) -> str:
        """Return the report of them all."""
        return "" if self._module is None else str(self._module.combine(self._texts))
