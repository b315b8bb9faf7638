# SPDX-License-Identifier: Apache-2.0
"""How fast the bytes arrived: for each file the rate over time, as the device acknowledged it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...update import TimedEvent, UploadProgress
from ..words import percent
from .markup import Markup, join, tag
from .scale import axis, ceiling, seconds, ticks

_WIDTH, _HEIGHT = 1000, 200
# Enough to see a stall, few enough that a single answer is no spike.
_BINS, _ANSWERS_A_BIN = 60, 3


@dataclass(frozen=True)
class Curve:
    """An upload: `points` are (seconds since its start, bytes that the device has)."""

    name: str
    total: int
    points: tuple[tuple[float, int], ...]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.points[-1][0]

    @property
    def sent(self) -> int:
        """Bytes that went over the link in this run."""
        return self.points[-1][1] - self.points[0][1]

    @property
    def average(self) -> float:
        """Bytes a second."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0


def curves(events: Sequence[TimedEvent]) -> list[Curve]:
    """Return the uploads in their order; one that was taken up again is one of its own."""
    found: list[Curve] = []
    points: list[tuple[float, int]] = []
    last: UploadProgress | None = None
    for event in (timed.event for timed in events):
        if not isinstance(event, UploadProgress):
            continue
        if last and (event.name != last.name or event.seconds < last.seconds):
            found.append(Curve(last.name, last.total, tuple(points)))
            points = []
        points = points or [(0.0, event.resumed_at)]
        points.append((event.seconds, event.offset))
        last = event
    if last:
        found.append(Curve(last.name, last.total, tuple(points)))
    return found


def rates(curve: Curve) -> list[tuple[float, float, float]]:
    """Return (start, end, bytes a second) of each stretch of time, from 0 to the end."""
    number = min(_BINS, (len(curve.points) - 1) // _ANSWERS_A_BIN)
    if number < 1 or curve.seconds <= 0:
        return []
    width = curve.seconds / number
    edges = [bytes_at(curve, width * edge) for edge in range(number + 1)]
    return [
        (width * at, width * (at + 1), max(edges[at + 1] - edges[at], 0) / width)
        for at in range(number)
    ]


def bytes_at(curve: Curve, time: float) -> float:
    """Return how many bytes the device had, between two answers in proportion."""
    before = curve.points[0]
    for point in curve.points[1:]:
        if point[0] >= time:
            span = point[0] - before[0]
            share = (time - before[0]) / span if span > 0 else 1.0
            return before[1] + (point[1] - before[1]) * share
        before = point
    return before[1]


def throughput(events: Sequence[TimedEvent]) -> Markup:
    """Return a plot for each upload; nothing if nothing was uploaded."""
    return join(*(_figure(curve) for curve in curves(events)))


def _figure(curve: Curve) -> Markup:
    said = (
        f"{curve.sent / 1000:.1f} kB in {seconds(curve.seconds)}, "
        f"{curve.average / 1000:.1f} kB/s on average"
    )
    if curve.points[-1][1] < curve.total:
        said += f"; {percent(curve.points[-1][1], curve.total)} of the file are on the device"
    caption = tag("figcaption", tag("b", curve.name), f" · {said}")
    found = rates(curve)
    if not found:
        return tag("figure", caption, class_="throughput")
    top = ceiling(max(rate for _, _, rate in found) / 1000, 5)
    marks = ticks(top, 5)
    labels = [tag("span", f"{mark:.6g}", style=f"bottom:{100 * mark / top:.2f}%") for mark in marks]
    plot = tag(
        "svg",
        tag("title", f"{curve.name}: {said}"),
        *(tag("path", d=_level(mark, top), class_="grid") for mark in marks),
        tag("path", d=_area(found, curve.seconds, top), class_="area"),
        tag("path", d=_level(curve.average / 1000, top), class_="average"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
    )
    return tag(
        "figure",
        caption,
        tag("div", "kB/s", class_="unit"),
        tag("div", *labels, class_="levels", aria_hidden="true"),
        tag("div", plot, class_="plot"),
        axis(curve.seconds, " s"),
        class_="throughput",
    )


def _level(value: float, top: float) -> str:
    return f"M0 {_HEIGHT * (1 - value / top):.1f}H{_WIDTH}"


def _area(found: Sequence[tuple[float, float, float]], end: float, top: float) -> str:
    steps = [
        f"V{_HEIGHT * (1 - rate / 1000 / top):.1f}H{_WIDTH * until / end:.1f}"
        for _, until, rate in found
    ]
    return f"M0 {_HEIGHT}{''.join(steps)}V{_HEIGHT}Z"
