# SPDX-License-Identifier: Apache-2.0
"""Updates of several devices as they happen: a line each on a terminal, lines with names elsewhere.

For machines: JSON lines, each with the key `device`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from ..update import DeviceResult
from ..update.events import (
    Event,
    Listener,
    Phase,
    PhaseDone,
    PhaseStarted,
    UploadProgress,
)
from .console import Console, can_draw
from .devices import VERDICTS, reason, result_as_dict, verdict
from .output import Stream
from .progress import (
    JsonLines,
    Lines,
    PlainProgress,
    event_as_dict,
    format_phase,
    format_rate,
    taken_away,
)

if TYPE_CHECKING:
    from rich.progress import Progress


_LONGEST_NAME = 40  # columns of a terminal


class DevicesProgress(AbstractContextManager["DevicesProgress"], Protocol):
    """Shows what happens to several devices between entering and leaving it."""

    def listener(self, device: str) -> Listener:
        """Return who is told of what happens to `device`."""

    def finished(self, result: DeviceResult) -> None:
        """Show how the update of a device ended."""


def devices_progress(
    console: Console, format_name: str, devices: Sequence[str], *, plain: bool = False
) -> DevicesProgress:
    """Return who shows it: a line each on a terminal, text elsewhere, JSON where asked for.

    With `plain` a terminal gets text too, for a log stands between the lines.
    """
    if format_name == "json":
        return DeviceJsonLines(console.out)
    if can_draw(console.err) and not plain:
        bars = DeviceBars(console.err, devices, colour=console.colour_err)
        console.drawings.append(bars)
        return bars
    return DeviceLines(console.err, devices)


class DeviceLines(Lines):
    """Lines of text that begin with the device, for a log."""

    def __init__(self, stream: Stream, devices: Sequence[str]) -> None:
        """Write to `stream`, with room for the longest name."""
        self._stream = stream
        self._width = max(map(len, devices), default=0)

    def listener(self, device: str) -> Listener:
        """Return what writes the lines of `device`."""
        return PlainProgress(self._stream, prefix=f"{device:<{self._width}}  ")

    def finished(self, result: DeviceResult) -> None:
        """Write how it ended."""
        text = reason(result) or result.sentence
        line = f"{result.device:<{self._width}}  {format_phase(verdict(result), text)}"
        print(line, file=self._stream, flush=True)


class DeviceJsonLines(Lines):
    """A JSON object a line for every event and every verdict."""

    def __init__(self, stream: Stream) -> None:
        """Write to `stream`."""
        self._lines = JsonLines(stream)

    def listener(self, device: str) -> Listener:
        """Return what writes the events of `device`."""
        return lambda event: self._lines.write({**event_as_dict(event), "device": device})

    def finished(self, result: DeviceResult) -> None:
        """Write the verdict."""
        self._lines.write(result_as_dict(result))


class DeviceBars:
    """One line for each device: name, step, bar, what is under way."""

    def __init__(self, stream: Stream, devices: Sequence[str], *, colour: bool) -> None:
        """Draw on `stream`, a terminal."""
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        # A long text at the end must not push the names away.
        names = min(max(map(len, devices), default=0), _LONGEST_NAME)
        width = max(len(text) for text in (*(phase.value for phase in Phase), *VERDICTS))
        self._progress: Progress = Progress(
            TextColumn("{task.fields[device]}", markup=False, table_column=Column(min_width=names)),
            TextColumn(
                "{task.fields[step]}",
                style="bold cyan",
                markup=False,
                table_column=Column(min_width=width),
            ),
            BarColumn(bar_width=20),
            TextColumn(
                "{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)
            ),
            expand=True,
            console=RichConsole(
                file=cast("TextIO", stream), no_color=not colour, highlight=False, emoji=False
            ),
            refresh_per_second=12,
        )
        self._first: dict[str, UploadProgress] = {}
        self._rows = {
            device: self._progress.add_task("", total=1, device=device, step="waiting")
            for device in devices
        }

    def __enter__(self) -> DevicesProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the lines as they are and give the terminal back."""
        self._progress.stop()

    def paused(self) -> AbstractContextManager[None]:
        """Take the lines away meanwhile; see `Console.question`."""
        return taken_away(self._progress.live)

    def listener(self, device: str) -> Listener:
        """Return what draws the line of `device`."""
        return partial(self._draw, device)

    def finished(self, result: DeviceResult) -> None:
        """Let the line say how it ended."""
        text = reason(result) or result.sentence
        self._progress.update(self._rows[result.device], step=verdict(result), description=text)

    def _draw(self, device: str, event: Event) -> None:
        row = self._rows[device]
        if isinstance(event, UploadProgress):
            # What comes before the first answer is the erasing of the slot.
            rate = format_rate(event, self._first.setdefault(device, event))
            self._progress.update(row, completed=event.offset, total=event.total, description=rate)
        elif isinstance(event, PhaseStarted | PhaseDone):
            self._first.pop(device, None)
            self._progress.update(row, step=event.phase.value, description=event.text)
        else:
            self._progress.update(row, description=event.text)
