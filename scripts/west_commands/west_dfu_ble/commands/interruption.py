# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while a device is at work: what is under way is ended in good order, and then told."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType


class Interruption:
    """While it lasts, Ctrl-C ends what `ends` names, once there is something, and nothing else.

    asyncio's own handlers are gone when `asyncio.run` returns: a Ctrl-C right behind an update
    would leave nobody to say what the device runs. The signal is the main thread's; elsewhere
    whoever runs us there has it, and nothing is done.
    """

    def __init__(self) -> None:
        """Begin with nothing to end."""
        self._end: Callable[[], object] | None = None
        self._came = False
        self._before: Callable[[int, FrameType | None], object] | int | None = None

    def __enter__(self) -> Interruption:
        """Take over Ctrl-C."""
        with suppress(ValueError):
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give Ctrl-C back."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def ends(self, end: Callable[[], object]) -> None:
        """Have `end` called in the loop that runs, at Ctrl-C or at once if there was one."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            # A loop that is closed has nothing under way any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(end)

        self._end = wake
        if self._came:
            wake()

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True
        if self._end is not None:
            self._end()
