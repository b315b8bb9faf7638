# SPDX-License-Identifier: Apache-2.0
"""The time of a virtual device on the air: the host's, or faster."""

from __future__ import annotations

import asyncio
import time

_FAR = 3600.0


class Clock:
    """Seconds of the device; `speed` of them pass in one second of the host."""

    def __init__(self, speed: float = 1.0) -> None:
        """Start at the host's monotonic time, so that several clocks agree."""
        self._speed = speed
        self._start = time.monotonic()

    @property
    def speed(self) -> float:
        """How many seconds of the device pass in one second of the host."""
        return self._speed

    def now(self) -> float:
        """Return the time in seconds."""
        return self._start + (time.monotonic() - self._start) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Let the device's time pass."""
        await asyncio.sleep(seconds / self._speed)

    async def sleep_until(self, when: float) -> None:
        """Wait until a time of the device; not at all if it has passed."""
        await asyncio.sleep(max(0.0, when - self.now()) / self._speed)

    async def wait(self, event: asyncio.Event, *, until: float | None) -> None:
        """Wait for `event`, at most until a time of the device (`None`: as long as it takes)."""
        seconds = _FAR if until is None else max(0.0, until - self.now()) / self._speed
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((waiting,), timeout=seconds)
        finally:
            waiting.cancel()


class LoopClock(Clock):
    """The time of the event loop that runs, also of one that skips it (`warped_time`)."""

    def now(self) -> float:
        """Return the time in seconds."""
        return asyncio.get_running_loop().time()
