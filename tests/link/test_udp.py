# SPDX-License-Identifier: Apache-2.0
"""The link `udp`, with real datagrams on this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from smp_echo import EchoServer, echo_answer, echo_request
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.link import LinkLost, open_link

HOSTS = {"127.0.0.1": ("127.0.0.1", 1472), "[::1]": ("::1", 1452)}


class _Device(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # until Python 3.12 the real class is none of its base
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        for answer in EchoServer().feed(data):
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def device(host: str, port: int = 0) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Device, local_addr=(host, port))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0)


def unused_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@pytest.mark.parametrize("host", HOSTS)
def test_one_frame_is_one_datagram(host: str) -> None:
    address, limit = HOSTS[host]

    async def test() -> None:
        async with device(address) as port:
            link = open_link(f"udp:{host}:{port}", None)
            await link.connect(5)
            assert link.traits.peer == f"{address}:{port}"
            assert (link.traits.max_write, link.traits.frame_limit) == (limit, limit)
            for text in ("hello", "x" * (limit - len(echo_request("x" * 1000)) + 1000)):
                await link.send(echo_request(text))
                assert await asyncio.wait_for(link.receive(), 5) == echo_answer(text)
            with pytest.raises(ValueError, match=f"at most {limit} bytes, not {limit + 1}"):
                await link.send(bytes(limit + 1))
            await link.disconnect()
            await link.disconnect()
            with pytest.raises(LinkLost):
                await link.receive()

    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError as error:
        pytest.skip(f"this machine has no {address}: {error}")
    asyncio.run(test())


def test_a_port_where_nobody_listens_is_lk403() -> None:
    port = unused_port()
    with pytest.raises(DfuBleError) as caught:
        asyncio.run(open_link(f"udp:127.0.0.1:{port}", None).connect(0.2))
    diagnostic = caught.value.diagnostic
    assert diagnostic.code == "LK403"
    assert diagnostic.message == f"nothing can be reached at UDP 127.0.0.1:{port}"
    assert "was seen" not in diagnostic.why
    assert caught.value.status is ExitStatus.NO_LINK


def test_a_name_that_nobody_knows_is_lk402() -> None:
    with pytest.raises(DfuBleError) as caught:
        asyncio.run(open_link("udp:device.invalid:1337", None).connect(0.2))
    assert str(caught.value).startswith("LK402 device-not-found: there is no host 'device.invalid'")


def test_a_device_that_reboots_is_lost_and_waited_for() -> None:
    async def test() -> None:
        async with device("127.0.0.1") as port:
            link = open_link(f"udp:127.0.0.1:{port}", None)
            await link.connect(5)
        await link.send(echo_request("anybody?"))
        with pytest.raises(LinkLost):
            await asyncio.wait_for(link.receive(), 5)
        connecting = asyncio.ensure_future(link.connect(10))
        await asyncio.sleep(0.3)
        async with device("127.0.0.1", port):
            await connecting
            await link.send(echo_request("back"))
            assert await asyncio.wait_for(link.receive(), 5) == echo_answer("back")
            await link.disconnect()

    asyncio.run(test())
