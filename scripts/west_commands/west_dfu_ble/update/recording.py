# SPDX-License-Identifier: Apache-2.0
"""Keep what an update told, with the time of each event, for a report that is written later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .events import Event, Listener


@dataclass(frozen=True)
class TimedEvent:
    """An event, and the seconds between the recorder's beginning and it."""

    seconds: float
    event: Event


class Recorder:
    """A `Listener` that keeps every event and hands it on to another."""

    def __init__(self, listener: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin now, by `clock` (seconds)."""
        self._listener = listener
        self._clock = clock
        self._began = clock()
        self._events: list[TimedEvent] = []

    def __call__(self, event: Event) -> None:
        """Keep the event and hand it on."""
        self._events.append(TimedEvent(self._clock() - self._began, event))
        self._listener(event)

    @property
    def events(self) -> tuple[TimedEvent, ...]:
        """What was told so far."""
        return tuple(self._events)
