# SPDX-License-Identifier: Apache-2.0
"""An update as it happens: a bar on a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, TypeVar, cast

from ..update.events import Event, Phase, PhaseDone, PhaseStarted, Remark, UploadProgress
from .folding import fold
from .output import Stream

if TYPE_CHECKING:
    from rich.live import Live
    from rich.progress import Progress, TaskID

# A plain line at every tenth of the file is enough to see life in a CI log.
_PLAIN_STEPS = 10
_WIDTH = max(len(phase.value) for phase in Phase)
# Columns of a terminal below which the figures would leave no room for the bar.
_NARROW = 60


def format_phase(phase: str, text: str) -> str:
    """One line of the run: the step's name, padded, and what it did."""
    return f"{phase:<{_WIDTH}} {text}"


def format_rate(event: UploadProgress, since: UploadProgress | None = None) -> str:
    """``12.3 of 45.6 kB, 78.9 kB/s, 3 s left``; the rate counts what this run has sent.

    With `since`, the event of the first answer, it counts from there on: a device erases the slot
    before that answer, and what that takes tells nothing of what is left.
    """
    text = f"{event.offset / 1000:.1f} of {event.total / 1000:.1f} kB"
    sent = event.offset - (since.offset if since else event.resumed_at)
    seconds = event.seconds - (since.seconds if since else 0)
    if seconds > 0 and sent > 0:
        rate = sent / seconds
        left = (event.total - event.offset) / rate
        text += f", {rate / 1000:.1f} kB/s, {left:.0f} s left"
    return text


_Self = TypeVar("_Self")


class Lines:
    """What is written line by line: there is nothing to put away at the end."""

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave what was written."""


class PlainProgress(Lines):
    """Lines of text, for a log."""

    def __init__(self, stream: Stream, prefix: str = "") -> None:
        """Write to `stream`; every line begins with `prefix`."""
        self._stream = stream
        self._prefix = prefix
        self._tenth = -1
        self._first: UploadProgress | None = None

    def __call__(self, event: Event) -> None:
        """Write what happened."""
        if isinstance(event, UploadProgress):
            tenth = event.offset * _PLAIN_STEPS // max(event.total, 1)
            if tenth == self._tenth:
                return
            self._tenth = tenth
            self._first = self._first or event
            rate = format_rate(event, self._first)
            self._write(Phase.UPLOAD.value, f"{event.name} {rate}")
        elif isinstance(event, PhaseStarted):
            self._tenth, self._first = -1, None
            self._write(event.phase.value, event.text)
        elif isinstance(event, PhaseDone):
            self._write(event.phase.value, event.text)
        else:
            self._write("note", event.text)

    def _write(self, phase: str, text: str) -> None:
        print(self._prefix + format_phase(phase, text), file=self._stream, flush=True)


@contextmanager
def taken_away(live: Live) -> Iterator[None]:
    """Have nothing of `live` on the terminal meanwhile; then it is drawn again if it was before."""
    was_on, was_transient = live.is_started, live.transient
    live.transient = True
    live.stop()
    try:
        yield
    finally:
        live.transient = was_transient
        if was_on:
            live.start()


class TerminalProgress(AbstractContextManager["TerminalProgress"]):
    """The finished steps, a line each; below them the step under way, while uploading as a bar."""

    def __init__(self, stream: Stream, *, colour: bool) -> None:
        """Draw on `stream`, a terminal."""
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.table import Column

        self._console = Console(
            file=cast("TextIO", stream),
            no_color=not colour,
            highlight=False,
            soft_wrap=True,
            emoji=False,
        )
        phase = TextColumn(
            f"[bold cyan]{{task.fields[phase]:<{_WIDTH}}}",
            markup=True,
            table_column=Column(no_wrap=True, min_width=_WIDTH),
        )
        self._steps: Progress = Progress(
            phase, TextColumn("{task.description}", markup=False), SpinnerColumn()
        )
        figures = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        is_narrow = self._console.width < _NARROW
        self._bar: Progress = Progress(
            phase,
            BarColumn(bar_width=None),
            *((TaskProgressColumn(),) if is_narrow else figures),
            expand=True,
        )
        self._live = Live(
            Group(self._bar, self._steps),
            console=self._console,
            transient=True,
            refresh_per_second=12,
        )
        self._step: TaskID | None = None
        self._upload: TaskID | None = None

    def __enter__(self) -> TerminalProgress:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave what was reached on the screen and give the terminal back."""
        self._end_step()
        self._keep_bar()
        self._live.stop()

    def paused(self) -> AbstractContextManager[None]:
        """Take the drawing away meanwhile; see `Console.question`."""
        return taken_away(self._live)

    def __call__(self, event: Event) -> None:
        """Draw what happened."""
        if isinstance(event, UploadProgress):
            self._draw(event)
        elif isinstance(event, PhaseStarted):
            self._end_step()
            self._keep_bar()
            text = event.text
            if event.phase is Phase.UPLOAD:
                # It stays on the screen; below it is what goes on until there is a bar.
                self._write(event.phase.value, text)
                text = "waiting for the first answer; the device may erase the slot first"
            self._step = self._steps.add_task(text, phase=event.phase.value, total=None)
        elif isinstance(event, PhaseDone):
            self._end_step()
            self._keep_bar()
            self._write(event.phase.value, event.text)
        else:
            self._write("note", event.text)

    def _draw(self, event: UploadProgress) -> None:
        if self._upload is None:
            self._end_step()
            self._upload = self._bar.add_task(
                event.name, total=event.total, phase=Phase.UPLOAD.value
            )
        self._bar.update(self._upload, completed=event.offset, total=event.total)

    def _end_step(self) -> None:
        if self._step is not None:
            self._steps.remove_task(self._step)
            self._step = None

    def _keep_bar(self) -> None:
        """Let the bar stand where it is, with the next steps below it."""
        if self._upload is not None:
            self._console.print(self._bar.make_tasks_table(self._bar.tasks))
            self._bar.remove_task(self._upload)
            self._upload = None

    def _write(self, phase: str, text: str) -> None:
        from rich.text import Text

        style = "bold yellow" if phase == "note" else "bold cyan"
        line = fold(format_phase(phase, text), self._console.width)
        self._console.print(Text.assemble((line[:_WIDTH], style), line[_WIDTH:]))


class JsonLines(Lines):
    """One JSON object a line: every event, for a program that watches the update."""

    def __init__(self, stream: Stream) -> None:
        """Write to `stream`."""
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Write the event."""
        self.write(event_as_dict(event))

    def write(self, record: dict[str, object]) -> None:
        """Write one record as a line."""
        print(json.dumps(record), file=self._stream, flush=True)


def event_as_dict(event: Event) -> dict[str, object]:
    """Return the event as JSON-ready values; `event` names its kind. Bytes and seconds."""
    if isinstance(event, UploadProgress):
        return {
            "event": "progress",
            "name": event.name,
            "offset": event.offset,
            "total": event.total,
            "seconds": round(event.seconds, 3),
            "resumed_at": event.resumed_at,
        }
    if isinstance(event, Remark):
        return {"event": "remark", "text": event.text}
    kind = "started" if isinstance(event, PhaseStarted) else "done"
    return {"event": kind, "phase": event.phase.value, "text": event.text}
