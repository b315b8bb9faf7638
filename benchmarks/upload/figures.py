# SPDX-License-Identifier: Apache-2.0
"""What was measured, against what must be reached."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from .peers import CannotMeasure


@dataclass(frozen=True)
class Figure:
    """One upload, or the median of several: bytes/s, and requests that were lost in all `runs`."""

    rate: float
    lost: int
    runs: int = 1


@dataclass(frozen=True)
class Limits:
    """What a row must reach at least: ours / other, and the share of the air's capacity.

    `lost` is how many requests may be lost in each run.
    """

    ratio: float | None = None
    share: float | None = None
    lost: int = 0


@dataclass(frozen=True)
class Result:
    """A row of the table; `capacity` in bytes/s where the air's is known.

    `other_note` tells who the other side is where it is not smpclient; `failure` why there are no
    figures.
    """

    title: str
    ours: Figure | None
    other: Figure | None
    limits: Limits
    capacity: float | None = None
    other_note: str = ""
    failure: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as fast ours is."""
        return self.ours.rate / self.other.rate if self.ours and self.other else None

    @property
    def share(self) -> float | None:
        """Our part of what the air can carry."""
        return self.ours.rate / self.capacity if self.ours and self.capacity else None

    @property
    def is_reached(self) -> bool:
        """Whether ratio and share are what they must be, with no more lost than may be."""
        pairs = ((self.ratio, self.limits.ratio), (self.share, self.limits.share))
        enough = all(must is None or (is_ is not None and is_ >= must) for is_, must in pairs)
        if self.ours is None:
            return False
        return enough and self.ours.lost <= self.limits.lost * self.ours.runs

    def cells(self) -> list[str]:
        """Return the row of the table."""
        if self.ours is None:
            return [self.title, "", "", "", "", "", f"**not measured**: {self.failure}"]
        other = f"{self.other.rate / 1000:.1f}" if self.other else self.failure or "fails"
        return [
            self.title,
            other + (f" ({self.other_note})" if self.other_note else ""),
            f"{self.ours.rate / 1000:.1f}",
            _against(self.ratio, self.limits.ratio, 2),
            _against(self.share, self.limits.share, 3),
            str(self.ours.lost) + (f" (≤ {self.limits.lost} a run)" if self.limits.lost else ""),
            "reached" if self.is_reached else "**missed**",
        ]


HEADER = (
    "link",
    "smpclient 7.3.0, kB/s",
    "ours, kB/s",
    "ratio",
    "share of capacity",
    "lost",
    "",
)


def _against(value: float | None, must: float | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}f}" + (f" (≥ {must})" if must is not None else "")


def take_turns(
    rounds: int, ours: Callable[[], Figure], other: Callable[[], Figure]
) -> tuple[Figure | None, Figure | None, str]:
    """Run both, one after the other, so that a busy machine slows both; return the medians.

    A side that fails has no figure; the text says why.
    """
    mine: list[Figure] = []
    others: list[Figure] = []
    failure = ""
    for _ in range(rounds):
        try:
            mine.append(ours())
        except CannotMeasure as error:
            return None, None, str(error)
        if not failure:
            try:
                others.append(other())
            except CannotMeasure as error:
                failure, others = str(error), []
    return median(mine), median(others) if others else None, failure


def median(figures: list[Figure]) -> Figure:
    """Return the median rate, and all that was lost."""
    rate = statistics.median(figure.rate for figure in figures)
    return Figure(rate, sum(figure.lost for figure in figures), len(figures))
