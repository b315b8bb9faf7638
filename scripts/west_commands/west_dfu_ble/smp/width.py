# SPDX-License-Identifier: Apache-2.0
"""How many requests may be in flight: narrower with each loss, wider on evidence only. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

# Clean answers in a row that widen it, before the first loss.
_CLEAN_RUN = 16
# More in flight than this gained nothing on any link that was measured.
_WIDEST = 6


def width_limit(buffer_count: int | None) -> int:
    """Return how many requests may be in flight at most: two less than the server's buffers.

    Zephyr's default of 4 is taken for granted where nobody tells.
    """
    return min(max(1, (buffer_count or 4) - 2), _WIDEST)


def first_width(buffer_count: int | None) -> int:
    """Return how many requests to begin with: at most 2, and 1 if the buffers are not known."""
    return min(2, width_limit(buffer_count)) if buffer_count else 1


@dataclass
class Width:
    """The requests that may be in flight `now`, at most `limit`.

    It widens by one after a run of clean answers, which doubles with each loss.
    """

    now: int
    limit: int
    _clean: int = field(default=0, init=False)
    _clean_run: int = field(default=_CLEAN_RUN, init=False)

    def __post_init__(self) -> None:
        """Begin within the limit."""
        self.now = min(self.now, self.limit)

    def narrow(self) -> None:
        """Take a loss."""
        self._clean = 0
        self._clean_run *= 2
        self.now = max(1, self.now - 1)

    def count_clean(self, *, late: bool) -> None:
        """Take an answer that moved the upload on; one that came late begins a new run."""
        self._clean = 0 if late else self._clean + 1
        if self._clean >= self._clean_run and self.now < self.limit:
            self.now += 1
            self._clean = 0
