# SPDX-License-Identifier: Apache-2.0
"""Bytes that arrived and wait to be taken, in order, until the link is down."""

from __future__ import annotations

import asyncio
from collections import deque

from .model import LinkLost

# Nobody answers with this much at once: a device that fills it sends without being asked.
_LIMIT = 1 << 20


class Inbox:
    """A queue between a link's callbacks and its `receive()`; used within one event loop.

    What arrived before the link went down is still handed out; then every `get` raises `LinkLost`.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._lost: str | None = None
        self._changed = asyncio.Event()

    def put(self, piece: bytes) -> None:
        """Take what arrived. More than 1 MiB that nobody takes ends the link."""
        if self._lost is not None or not piece:
            return
        if self._size + len(piece) > _LIMIT:
            self.close("the device sends faster than anybody asks it to")
            return
        self._pieces.append(piece)
        self._size += len(piece)
        self._changed.set()

    def close(self, reason: str) -> None:
        """Note that nothing more will arrive, and why; the first reason stays."""
        if self._lost is None:
            self._lost = reason
        self._changed.set()

    @property
    def lost(self) -> str | None:
        """Why nothing more will arrive; `None` while the link is up."""
        return self._lost

    async def get(self) -> bytes:
        """Wait for the next bytes. Raises `LinkLost` once the link is down and all is taken."""
        while not self._pieces:
            if self._lost is not None:
                raise LinkLost(self._lost)
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces.popleft()
        self._size -= len(piece)
        return piece
