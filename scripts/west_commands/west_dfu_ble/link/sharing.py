# SPDX-License-Identifier: Apache-2.0
"""One adapter for several links of a run: one scan, one attempt to connect, no device twice.

Stacks and controllers refuse a second scan of the same program (BlueZ: `InProgress`) and a second
attempt to connect, and many connect only while nobody scans. A link that is alone shares with
nobody and waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from .model import plain_address

Tell = Callable[..., None]
Receiver = Callable[[Tell], AbstractAsyncContextManager[None]]


class SharedScan:
    """A scan that is on while anybody listens, but for when somebody connects."""

    def __init__(self, receiver: Receiver) -> None:
        """`receiver` switches a scan on, and off at its end, and tells what is heard."""
        self._receiver = receiver
        self._listeners: list[Tell] = []
        self._scan: AbstractAsyncContextManager[None] | None = None
        self._quiet_since: float | None = None
        self._silence = 0.0
        self._settling = asyncio.Lock()
        self._connecting = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def silence(self) -> float:
        """Seconds in which nobody could hear anything so far, because somebody connected."""
        if self._quiet_since is None:
            return self._silence
        return self._silence + asyncio.get_running_loop().time() - self._quiet_since

    @asynccontextmanager
    async def listening(self, heard: Tell) -> AsyncIterator[None]:
        """Let `heard` be told what the scan hears. Raises what the receiver does."""
        self._listeners.append(heard)
        try:
            await self._settle()
            yield
        finally:
            self._listeners.remove(heard)
            await self._settle_at_last()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Wait for one's turn to connect, and to pair; the scan is off meanwhile."""
        async with self._connecting:
            self._quiet_since = asyncio.get_running_loop().time()
            try:
                with suppress(Exception):
                    await self._settle()
                yield
            finally:
                self._silence, self._quiet_since = self.silence, None
                await self._settle_at_last()

    async def _settle(self) -> None:
        """Switch the scan on or off, as it is wanted now."""
        async with self._settling:
            wanted = bool(self._listeners) and self._quiet_since is None
            if wanted and self._scan is None:
                scan = self._receiver(self._tell)
                await scan.__aenter__()
                self._scan = scan
            elif not wanted and self._scan is not None:
                scan, self._scan = self._scan, None
                await scan.__aexit__(None, None, None)

    async def _settle_at_last(self) -> None:
        """Settle even if the caller is cancelled: others go on listening."""
        task = asyncio.ensure_future(self._settle())
        self._tasks.add(task)
        task.add_done_callback(self._settled)
        # Whatever is wrong now, the next thing to be done will say it better.
        with suppress(Exception):
            await asyncio.shield(task)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # taken note of, so that asyncio does not report it as lost

    def _tell(self, *heard: Any) -> None:
        for listener in list(self._listeners):
            listener(*heard)


class Claims:
    """Which device each link of a run has: none takes another's, not even after a reset."""

    def __init__(self) -> None:
        """Nobody has any."""
        self._taken: dict[object, frozenset[str]] = {}

    def ask(self, owner: object, device: str | None) -> None:
        """Let `owner` have the device that is called so, if nobody has it."""
        if device is not None and not self.is_taken(owner, device):
            self.take(owner, device)

    def take(self, owner: object, *names: str | None) -> None:
        """Let `owner` have the device of this address and name, and no other any more."""
        self._taken[owner] = frozenset(plain_address(one) for one in names if one)

    def is_taken(self, owner: object, device: str) -> bool:
        """Whether somebody else than `owner` has the device of this address, or of this name."""
        plain = plain_address(device)
        return any(plain in taken for other, taken in self._taken.items() if other is not owner)
