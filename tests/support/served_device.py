# SPDX-License-Identifier: Apache-2.0
"""A virtual board at the other end of a real socket, served from another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress

from crowd import served
from west_dfu_ble.link import LinkLost
from west_dfu_ble.link.console_framing import ConsoleReader, to_lines
from west_dfu_ble.link.loopback import LoopbackLink
from west_dfu_ble.virtual import VirtualDevice
from west_dfu_ble.virtual.udp_server import UdpServer

_HOST = "127.0.0.1"
Place = AbstractAsyncContextManager[str]


@contextmanager
def in_thread(place: Place, watch: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Serve there; gives the link that leads there. `watch` is called again and again."""
    ready, stop, link = threading.Event(), threading.Event(), ""

    async def serve() -> None:
        nonlocal link
        async with place as link:
            ready.set()
            while not stop.is_set():
                watch()
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield link
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@asynccontextmanager
async def over_udp(board: VirtualDevice) -> AsyncIterator[str]:
    """Serve the board behind UDP."""
    server = UdpServer(board)
    try:
        yield f"udp:{_HOST}:{await server.start(_HOST, 0)}"
    finally:
        await server.close()


@asynccontextmanager
async def over_console(board: VirtualDevice) -> AsyncIterator[str]:
    """Serve the board behind a serial console, which stays open while the board resets."""
    link = LoopbackLink(board, max_write=4096)

    async def answer(writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                writer.write(b"".join(to_lines(await link.receive())))
            except LinkLost:
                await link.connect(10)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await link.connect(10)
        answers = asyncio.ensure_future(answer(writer))
        console = ConsoleReader()
        while data := await reader.read(4096):
            for frame in console.feed(data):
                with suppress(LinkLost):
                    await link.send(frame)
        answers.cancel()
        writer.close()

    server = await asyncio.start_server(serve, _HOST, 0)
    try:
        yield f"serial:socket://{_HOST}:{server.sockets[0].getsockname()[1]}@1000000"
    finally:
        server.close()
        await link.disconnect()


PLACES: Mapping[str, Callable[[VirtualDevice], Place]] = {
    "hci": lambda board: served([board]),
    "udp": over_udp,
    "serial": over_console,
}
