# SPDX-License-Identifier: Apache-2.0
"""What one document says of all the builds that were checked in a call."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from ..diagnostics import Diagnostic


class Combined:
    """Collects the builds' reports in one format and joins them as that format has it.

    A format for machines has in its module `combine(texts) -> str` and `render_error(path,
    diagnostic) -> str`, the report of a build that could not be read. Those for people stand below
    each other; where such a format has no `render_error`, the error is shown as on the terminal.

    So that memory hardly grows with the number of builds, reports wait compressed, and a format
    that has `stream(texts) -> Iterator[str]` is put together piece by piece.
    """

    def __init__(self, module: str, *, is_for_people: bool, several: bool) -> None:
        """Collect for the format that `module` renders; only with `several` are there many."""
        self._module = import_module(f".{module}", __package__)
        self._is_for_people = is_for_people
        self._several = several
        self._texts = _Packed()

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

    def parts(self) -> Iterator[str]:
        """Yield the report of them all, in pieces."""
        if self._is_for_people or not self._several:
            for number, text in enumerate(self._texts):
                yield f"\n\n{text}" if number else text
        elif hasattr(self._module, "stream"):
            yield from self._module.stream(self._texts)
        else:
            yield str(self._module.combine(list(self._texts)))

    def text(self) -> str:
        """Return the report of them all."""
        return "".join(self.parts())


class _Packed:
    """Texts that are kept compressed, and unpacked one at a time; much of each is the same."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []

    def append(self, text: str) -> None:
        # What is no text (a file name's stray bytes) comes back as it was.
        self._packed.append(zlib.compress(text.encode("utf-8", "surrogatepass"), 1))

    def __iter__(self) -> Iterator[str]:
        for packed in self._packed:
            yield zlib.decompress(packed).decode("utf-8", "surrogatepass")
