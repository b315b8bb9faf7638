# SPDX-License-Identifier: Apache-2.0
"""One frame after the other, each of them whole."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

# A frame that is not through by then never will be.
_GRACE = 5.0


class Sender:
    """Lets one frame at a time onto the medium, and lets none be broken off half way.

    Whoever waits for an answer may give up at any moment; half a frame left behind would swallow
    the next one, since the device goes on waiting for its rest.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._current: asyncio.Task[None] | None = None

    async def run(self, writing: Coroutine[Any, Any, None]) -> None:
        """Wait for the frames before, then run `writing` to its end, even if cancelled.

        A cancelled caller is kept for at most 5 s. Raises what `writing` raises.
        """
        try:
            await self._turn.acquire()
        except BaseException:
            writing.close()
            raise
        try:
            self._current = task = asyncio.ensure_future(writing)
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait([task], timeout=_GRACE)
                task.cancel()
                raise
        finally:
            self._turn.release()

    def stop(self) -> None:
        """Break off what is being written: the link is going down."""
        if self._current is not None:
            self._current.cancel()
