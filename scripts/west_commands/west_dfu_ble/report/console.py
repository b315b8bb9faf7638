# SPDX-License-Identifier: Apache-2.0
"""Where text meets the terminal: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ..diagnostics import Diagnostic
from .folding import fold
from .output import Output


def wants_colour(stream: Output) -> bool:
    """Whether `stream` gets colour: a terminal, unless ``NO_COLOR`` or ``TERM=dumb`` says no.

    ``FORCE_COLOR`` gives colour to files and pipes too (https://no-color.org,
    https://force-color.org).
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return can_draw(stream)


def can_draw(stream: Output) -> bool:
    """Whether `stream` is a terminal on which a line can be drawn anew."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Drawing(Protocol):
    """Something that draws a part of the terminal anew, again and again."""

    def paused(self) -> AbstractContextManager[None]:
        """Draw nothing meanwhile."""


@dataclass(frozen=True)
class Console:
    """The two streams of a process and whether each takes colour.

    `drawings` are those that may draw on the terminal.
    """

    out: Output
    err: Output
    colour_out: bool
    colour_err: bool
    drawings: list[Drawing] = field(default_factory=list, compare=False)

    @classmethod
    def for_process(cls) -> Console:
        """Return the console of this process, as its streams are now."""
        out, err = Output(sys.stdout), Output(sys.stderr)
        return cls(out, err, wants_colour(out), wants_colour(err))

    def result(self, text: str) -> None:
        """Write a result to standard output, and flush, so that order with errors is kept."""
        print(text, file=self.out, flush=True)

    def prose(self, text: str) -> None:
        """Write a result for people, in lines that fit their terminal."""
        self.result(fold(text, self.out.columns))

    def results(self, parts: Iterable[str]) -> None:
        """Write a result that comes in pieces to standard output."""
        for part in parts:
            print(part, end="", file=self.out)
        self.result("")

    def note(self, text: str) -> None:
        """Write a remark to standard error."""
        self.out.flush()
        print(fold(text, self.err.columns), file=self.err, flush=True)

    def step(self, name: str, text: str) -> None:
        """Write to standard error what a step did, as the progress of an update does."""
        from .progress import format_phase

        line = format_phase(name, text)
        if self.colour_err:
            head = len(line) - len(text)
            line = f"\033[1;36m{line[:head]}\033[0m{text}"
        self.note(line)

    @property
    def is_interactive(self) -> bool:
        """Whether somebody sits at a terminal and can be asked."""
        return bool(sys.stdin and sys.stdin.isatty() and self.err.isatty())

    @contextmanager
    def question(self, text: str) -> Iterator[None]:
        """Show a question; nothing is drawn over it, nor over what is typed, until it is over."""
        with ExitStack() as stack:
            for drawing in self.drawings:
                stack.enter_context(drawing.paused())
            print(text, end="", file=self.err, flush=True)
            yield

    def error(self, diagnostic: Diagnostic) -> None:
        """Write a diagnostic that ends the command to standard error."""
        from .diagnostic import render_diagnostic

        self.note(render_diagnostic(diagnostic, colour=self.colour_err))
