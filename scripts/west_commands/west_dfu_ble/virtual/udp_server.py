# SPDX-License-Identifier: Apache-2.0
"""Serve a virtual device over UDP, one SMP frame a datagram, as Zephyr's UDP transport does.

Source of the form: Zephyr `subsys/mgmt/mcumgr/transport/src/smp_udp.c`.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .clock import Clock

if TYPE_CHECKING:
    from .served import ServedDevice

# Clients that the device remembers; an older one is forgotten and may ask again.
_MOST_CLIENTS = 64


class UdpServer(asyncio.DatagramProtocol):
    """Listens between `start` and `close`; nobody is answered while the device boots."""

    def __init__(self, device: ServedDevice) -> None:
        """Serve `device`, as it is."""
        self._device = device
        self._clock = Clock()
        self._work = asyncio.Event()
        device.on_change(self._work.set)
        # Address -> number: answers go to whom the device calls so, also when others have come.
        self._clients: dict[Any, int] = {}
        self._numbers = itertools.count()
        self._transport: asyncio.DatagramTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chooses for 0. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self._transport = transport
        self._task = asyncio.create_task(self._live())
        chosen: int = transport.get_extra_info("sockname")[1]
        return chosen

    async def close(self) -> None:
        """Stop listening; the device stays as it is."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take one frame; what is sent to a device that boots is lost."""
        if addr not in self._clients:
            if len(self._clients) == _MOST_CLIENTS:
                del self._clients[next(iter(self._clients))]
            self._clients[addr] = next(self._numbers)
        self._device.take(data, self._clock.now(), self._clients[addr])
        # A datagram is a whole frame: what is not one does not swallow the next.
        self._device.disconnected()
        self._work.set()

    def error_received(self, exc: Exception) -> None:
        """Take no notice of a client that is not there any more."""

    async def _live(self) -> None:
        while True:
            now = self._clock.now()
            if self._device.tick(now):
                await self._clock.sleep(self._device.boot_seconds)
                continue
            answer = self._device.serve(now)
            self._device.take_hang_up()
            if answer is None:
                self._work.clear()
                await self._clock.wait(self._work, until=self._device.reset_at)
                continue
            await self._clock.sleep(answer.seconds)
            if self._transport and answer.frame:
                for addr in (a for a, n in self._clients.items() if n == answer.client):
                    self._transport.sendto(answer.frame, addr)
            self._device.sent()
