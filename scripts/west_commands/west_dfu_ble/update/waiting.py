# SPDX-License-Identifier: Apache-2.0
"""Waiting with a time-out, and ending a task, such that a cancellation is never lost.

`asyncio.wait_for` swallows a cancellation that arrives together with the result (Python 3.11 and
earlier). An upload gets results all the time, so that Ctrl-C would now and then do nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

# How often a task that does not end is cancelled again: somebody below may have swallowed it.
_INSIST = 0.05


async def wait_future(future: asyncio.Future[_T], timeout: float | None) -> bool:
    """Wait for a plain future at most `timeout` seconds; return whether it is done.

    A future that is not done in time is cancelled.
    """
    if timeout is None:
        await future
        return True
    handle = asyncio.get_running_loop().call_later(timeout, future.cancel)
    try:
        await asyncio.wait({future})
    finally:
        handle.cancel()
    return not future.cancelled()


async def wait_task(work: Coroutine[Any, Any, _T], timeout: float | None = None) -> _T:
    """Do `work` as a task of its own and return its result.

    A cancellation ends the task first and is then raised, whatever the task made of it. Raises
    `asyncio.TimeoutError` if it takes longer than `timeout` seconds.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=timeout)
    except asyncio.CancelledError:
        await end_task(task)
        raise
    if not task.done():
        await end_task(task)
        raise asyncio.TimeoutError
    return task.result()


async def end_task(task: asyncio.Future[_T]) -> None:
    """Cancel a task until it has ended; how it ended is of no interest any more."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_INSIST)
    if not task.cancelled():
        # Taken note of, so that asyncio does not report it as lost.
        task.exception()
