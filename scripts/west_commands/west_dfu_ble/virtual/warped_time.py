# SPDX-License-Identifier: Apache-2.0
"""An event loop that does not wait: when nothing is ready, its clock jumps to the next timer.

For coroutines that talk to nothing outside of their process; an hour of time-outs passes at once.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


# Seconds that pass whenever somebody looks at the clock: no two timers are for the same moment, so
# that they go off in the order in which they were set.
_TICK = 1e-7


class _NeverWaits(selectors.DefaultSelector):
    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise AssertionError("nothing will ever happen: every task waits for another")
        if not events and timeout:
            self.skipped += timeout
        return events


class WarpedLoop(asyncio.SelectorEventLoop):
    """The loop; its time is what was skipped, and next to nothing for work.

    So a run takes the same time on every host, and a slow one never runs into a time-out.
    """

    def __init__(self) -> None:
        self._never_waits = _NeverWaits()
        super().__init__(self._never_waits)

    def time(self) -> float:
        """Return the loop's own time, in seconds."""
        self._never_waits.skipped += _TICK
        return self._never_waits.skipped


def run_warped(main: Coroutine[Any, Any, _T], limit: float = 3600.0) -> _T:
    """Run `main` as `asyncio.run` does, for at most `limit` seconds of its own time."""
    loop = WarpedLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(main, limit))
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        if pending:
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
