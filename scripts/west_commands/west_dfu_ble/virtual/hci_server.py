# SPDX-License-Identifier: Apache-2.0
"""Serve a virtual device to other programs: Bluetooth controllers (HCI, H4) over TCP.

Whoever connects gets a controller of its own on the device's air. Bumble's `tcp-server` transport
neither closes its socket nor knows one client from the next.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser

if TYPE_CHECKING:
    from .peripheral import VirtualRadio
    from .radio import AirController

_PIECE = 4096
# Bytes that wait for a client that does not read; one that waits longer is cut off.
_WAITING = 1 << 20


class HciServer:
    """Listens between `start` and `close`."""

    def __init__(self, radio: VirtualRadio) -> None:
        """Serve controllers of a radio that is switched on."""
        self._radio = radio
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chooses for 0. Raises `OSError`."""
        self._server = await asyncio.start_server(self._serve, host, port)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Cut off every client and stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        controller = self._radio.add_controller()
        controller.set_packet_sink(_Sink(writer))
        try:
            await _feed(reader, controller)
        except asyncio.CancelledError:
            pass  # `close`, or the end of the program
        finally:
            self._clients.discard(task)
            self._radio.remove_controller(controller)
            writer.close()
            with suppress(Exception):
                await writer.wait_closed()


async def _feed(reader: asyncio.StreamReader, controller: AirController) -> None:
    parser = PacketParser(controller)
    with suppress(OSError, InvalidPacketError):
        while data := await reader.read(_PIECE):
            parser.feed_data(data)


class _Sink:
    """Where a controller's packets go."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def on_packet(self, packet: bytes) -> None:
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _WAITING:
            self._writer.transport.abort()
        else:
            self._writer.write(packet)
