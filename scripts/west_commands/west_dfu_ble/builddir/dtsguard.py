# SPDX-License-Identifier: Apache-2.0
"""Let `dtlib` parse a `zephyr.dts` only if that can't reach outside the file or run away.

`dtlib` is made for sources that one trusts: it follows ``/include/`` and ``/incbin/`` to any file,
computes expressions of any size, and takes time that grows with the square of a property's length.
A `zephyr.dts` is its own output and uses none of that.
"""

from __future__ import annotations

import re
import time
from itertools import count
from pathlib import Path
from typing import Any

from .textfile import shorten

# Strings and comments are matched only to be passed over (newer Zephyrs write file paths into
# comments). One that does not end is matched to the end of the file, lest each quote in it is tried
# anew, here and in dtlib.
_SCREEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|(?P<string>\\?\Z))|/\*.*?(?:\*/|(?P<comment>\Z))|//[^\n]*'
    r"|(?P<refused>/include/|/incbin/|/plugin/|\()|(?P<end>[;{])",
    re.DOTALL,
)
# Characters; the longest statement seen is a flash memory's SFDP table of 300.
_STATEMENT = 16_000
# Seconds of processor time; a devicetree of 20 kB takes 0.03.
_TIME = 1.0
_MESSAGE = re.compile(r"^.*?:(\d+) \(column \d+\): (?:parse error: )?(.*)$", re.DOTALL)


class GuardedError(Exception):
    """Why the file was not parsed, and the line, if known."""

    def __init__(self, problem: str, line: int | None) -> None:
        """Take the problem as one clause."""
        super().__init__(problem)
        self.problem = problem
        self.line = line


def parse_guarded(path: Path, text: str) -> Any:
    """Return dtlib's root node of the `zephyr.dts` at `path`, whose content is `text`.

    Raises `GuardedError` for whatever keeps it from being parsed.
    """
    _screen(text)
    from devicetree import dtlib

    deadline = time.process_time() + _TIME
    tokens = count(1)

    class Bounded(dtlib.DT):  # type: ignore[misc]  # dtlib publishes no types
        """Gives up after a time: both methods are called again and again by all that loops."""

        def _next_token(self) -> Any:
            if next(tokens) % 64 == 0:  # asking for the time takes longer than a token
                _check(deadline)
            return super()._next_token()

        def _ref2node(self, s: str) -> Any:
            _check(deadline)
            return super()._ref2node(s)

    try:
        return Bounded(str(path)).root
    except dtlib.DTError as error:
        match = _MESSAGE.match(str(error))
        problem = match[2] if match else str(error).replace(str(path), path.name)
        raise GuardedError(shorten(problem, 100), int(match[1]) if match else None) from None
    except RecursionError:
        raise GuardedError("it nests too deep", None) from None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        # dtlib's own slips on input that dtc would refuse
        raise GuardedError(shorten(f"{type(error).__name__}: {error}", 100), None) from None


def _screen(text: str) -> None:
    start = 0
    for match in _SCREEN.finditer(text):
        if match.lastgroup in ("string", "comment"):
            line = text.count("\n", 0, match.start()) + 1
            raise GuardedError(f"a {match.lastgroup} does not end", line)
        if match["refused"]:
            line = text.count("\n", 0, match.start()) + 1
            raise GuardedError(f"it holds `{match['refused']}`, which no built file does", line)
        if match["end"]:
            if match.start() - start > _STATEMENT:
                line = text.count("\n", 0, start) + 1
                raise GuardedError(f"a statement is longer than {_STATEMENT} characters", line)
            start = match.end()


def _check(deadline: float) -> None:
    if time.process_time() > deadline:
        raise GuardedError(f"it takes more than {_TIME:g} s", None)
