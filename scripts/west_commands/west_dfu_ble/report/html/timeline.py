# SPDX-License-Identifier: Apache-2.0
"""The update's steps on one axis of time: a row a step, a bar for each time that it was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...update import Phase, PhaseDone, PhaseStarted, Remark, TimedEvent
from .markup import Markup, tag
from .scale import axis, seconds

_UNITS, _THICK = 1000, 14


@dataclass(frozen=True)
class Stretch:
    """A step from its start to its end, in seconds; `is_done` if it ended well."""

    phase: Phase
    start: float
    end: float
    text: str
    is_done: bool


def stretches(events: Sequence[TimedEvent], end: float) -> list[Stretch]:
    """Return what was done when; a step that nothing ended lasts until the next, or until `end`."""
    found: list[Stretch] = []
    under_way: tuple[float, PhaseStarted] | None = None

    def close(at: float, text: str, *, is_done: bool) -> None:
        assert under_way is not None
        found.append(Stretch(under_way[1].phase, under_way[0], at, text, is_done))

    for timed in events:
        event = timed.event
        if isinstance(event, PhaseStarted):
            if under_way:
                close(timed.seconds, under_way[1].text, is_done=True)
            under_way = (timed.seconds, event)
        elif isinstance(event, PhaseDone):
            if under_way and under_way[1].phase is event.phase:
                close(timed.seconds, event.text, is_done=True)
                under_way = None
            else:
                found.append(Stretch(event.phase, timed.seconds, timed.seconds, event.text, True))
    if under_way:
        close(end, under_way[1].text, is_done=False)
    return found


def timeline(events: Sequence[TimedEvent], end: float, *, is_good: bool) -> Markup:
    """Return the drawing; without `is_good` the step that was under way at the end failed."""
    found = stretches(events, end)
    rows = [_row(phase, [s for s in found if s.phase is phase], end, is_good) for phase in Phase]
    drawn = [row for row in rows if row]
    scale = tag("div", tag("span"), axis(end, " s"), tag("span"), class_="row")
    return tag("div", *drawn, scale, class_="timeline")


def _row(phase: Phase, bars: Sequence[Stretch], end: float, is_good: bool) -> Markup:
    if not bars:
        return Markup("")
    total = sum(bar.end - bar.start for bar in bars)
    track = tag(
        "svg",
        tag("title", f"{phase.value}: {seconds(total)}"),
        *(_bar(bar, end, is_good) for bar in bars),
        viewBox=f"0 0 {_UNITS} {_THICK}",
        preserveAspectRatio="none",
        role="img",
        class_="track",
    )
    return tag(
        "div",
        tag("span", phase.value, class_="phase"),
        track,
        tag("span", seconds(total), class_="duration"),
        class_="row",
    )


def _bar(bar: Stretch, end: float, is_good: bool) -> Markup:
    scale = _UNITS / end if end > 0 else 0
    width = max((bar.end - bar.start) * scale, 3)
    kind = "step" if bar.is_done or is_good else "step failed"
    title = f"{bar.phase.value}, {seconds(bar.start)} to {seconds(bar.end)}: {bar.text}"
    return tag(
        "rect",
        tag("title", title),
        x=min(bar.start * scale, _UNITS - width),
        width=width,
        height=_THICK,
        class_=kind,
    )


def story(events: Sequence[TimedEvent]) -> Markup:
    """Return what was told, with its times: the drawing in words."""
    rows = [tag("tr", *cells) for cells in _told(events)]
    head = tag("tr", *(tag("th", word, scope="col") for word in ("Time", "Step", "What happened")))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="story")
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Steps")


def _told(events: Sequence[TimedEvent]) -> Iterator[list[Markup]]:
    for timed in events:
        event = timed.event
        if isinstance(event, PhaseStarted | PhaseDone):
            name = tag("td", event.phase.value)
        elif isinstance(event, Remark):
            name = tag("td", tag("span", "note", class_="badge tone-warning"))
        else:
            continue
        time = tag("td", tag("code", f"{timed.seconds:.3f} s"))
        yield [time, name, tag("td", event.text)]
