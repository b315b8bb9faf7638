# SPDX-License-Identifier: Apache-2.0
"""The gateway: another virtual device behind UDP is the server that it stands before."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import cbor2
import pytest

from boards import make_board, make_update
from link_talk import LinkTalk
from smp_talk import encode_request
from west_dfu_ble.commands.forward import start_gateway
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import Link, LinkLost, LinkTraits, open_link
from west_dfu_ble.link.virtual import VirtualLink
from west_dfu_ble.smp import McumgrParameters
from west_dfu_ble.update import UpdateOptions, operations
from west_dfu_ble.virtual import RadioProfile, ServerProfile, VirtualDevice
from west_dfu_ble.virtual.gateway import Gateway
from west_dfu_ble.virtual.peripheral import VirtualRadio
from west_dfu_ble.virtual.udp_server import UdpServer

PARAMETERS = (0, 0, 6)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


@dataclass(frozen=True)
class OnAir:
    """A gateway's air, as the link `virtual` wants it."""

    gateway: Gateway
    radio: VirtualRadio

    @property
    def address(self) -> str:
        return self.gateway.radio.address

    shown_passkey = None

    def on_air(self) -> VirtualRadio:
        return self.radio


@dataclass
class Before:
    """A gateway before a server, and how to reach both."""

    gateway: Gateway
    server: UdpServer
    port: int

    async def connect(self) -> VirtualLink:
        link = VirtualLink(OnAir(self.gateway, VirtualRadio(self.gateway)))
        await link.connect(5)
        return link


class Counted:
    """A link that counts what is in flight."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.in_flight = self.most = 0
        self.connect, self.disconnect = link.connect, link.disconnect

    @property
    def traits(self) -> LinkTraits:
        return self._link.traits

    @property
    def is_connected(self) -> bool:
        return self._link.is_connected

    async def send(self, frame: bytes) -> None:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await self._link.send(frame)

    async def receive(self) -> bytes:
        answer = await self._link.receive()
        self.in_flight -= 1
        return answer


class Console(Counted):
    """One that has a console's short line buffers."""

    @property
    def traits(self) -> LinkTraits:
        return replace(super().traits, sure_frame=super().traits.max_write)


def make_gateway(spec: str | Link, **options: Any) -> Gateway:
    link = open_link(spec, None) if isinstance(spec, str) else spec
    chosen = UpdateOptions(**{"timeout": 1, "retries": 0, "request_timeout": 0.3, **options})

    async def ask_buffers() -> McumgrParameters:
        return await operations.usable_buffers(link, chosen, lambda _event: None)

    return Gateway(link, ask_buffers, RadioProfile(name="Front"))


@asynccontextmanager
async def before(
    board: VirtualDevice, medium: Callable[[Link], Link] = lambda link: link
) -> AsyncIterator[Before]:
    server = UdpServer(board)
    port = await server.start("127.0.0.1", 0)
    gateway = make_gateway(medium(open_link(f"udp:127.0.0.1:{port}", None)))
    await gateway.start()
    there = Before(gateway, server, port)
    try:
        yield there
    finally:
        await gateway.close()
        await there.server.close()


def test_an_upload_goes_through_in_pieces_and_in_order() -> None:
    async def test() -> None:
        board, image = make_board(), make_update()
        async with before(board) as there:
            link = await there.connect()
            talk = LinkTalk(link)
            await talk.upload(image, chunk=1400)
            assert await talk.versions() == ["1.0.0", "2.0.0"]
            await link.disconnect()
        assert there.gateway.forwarded > 15
        assert not there.gateway.log

    run(test())


@pytest.mark.parametrize(
    ("server", "told"),
    [
        # A datagram holds less than this server's buffers.
        (ServerProfile(buf_size=2475, buf_count=6), (1472, 6)),
        (ServerProfile(buf_size=512, buf_count=2), (512, 2)),
        # A server that does not tell: Zephyr's defaults.
        (ServerProfile(parameters=False), (384, 4)),
    ],
    ids=["larger than the link", "smaller", "not told"],
)
def test_the_front_has_the_buffers_of_the_server(
    server: ServerProfile, told: tuple[int, int]
) -> None:
    async def test() -> None:
        async with before(make_board(server=server)) as there:
            link = await there.connect()
            talk = LinkTalk(link)
            answer = await talk.ask(*PARAMETERS, {})
            assert (answer["buf_size"], answer["buf_count"]) == told
            # One byte more is dropped without an answer, by the front as by the server.
            room = told[0] - len(encode_request(2, 0, 0, {"d": "x" * 300})) + 300
            await talk.send(2, 0, 0, {"d": "x" * (room + 1)})
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(link.receive(), 0.2)
            assert f"frames have at most {told[0]} bytes" in there.gateway.log[-1]
            assert await talk.echo("and on") == "and on"
            await link.disconnect()

    run(test())


@pytest.mark.parametrize(("medium", "most"), [(Console, 1), (Counted, 3)])
def test_a_console_gets_one_request_at_a_time(medium: type[Counted], most: int) -> None:
    async def test() -> None:
        consoles: list[Counted] = []

        def through(link: Link) -> Link:
            consoles.append(medium(link))
            return consoles[0]

        async with before(make_board(), through) as there:
            link = await there.connect()
            talk = LinkTalk(link)
            for _ in range(3):
                await talk.send(2, 0, 0, {"d": "x"})
            for _ in range(3):
                await asyncio.wait_for(link.receive(), 5)
            assert consoles[0].most == most
            await link.disconnect()

    run(test())


def test_two_clients_with_the_same_numbers_get_their_own_answers() -> None:
    async def test() -> None:
        async with before(make_board()) as there:
            front = UdpServer(there.gateway)
            spec = f"udp:127.0.0.1:{await front.start('127.0.0.1', 0)}"
            links = [open_link(spec, None), open_link(spec, None)]
            for link in links:
                await link.connect(5)
            for link, who in zip(links, "ab", strict=True):
                await link.send(encode_request(2, 0, 0, {"d": who}, sequence=7))
            for link, who in zip(links, "ab", strict=True):
                answer = await link.receive()
                assert answer[6] == 7
                assert cbor2.loads(answer[8:]) == {"r": who}
                await link.disconnect()
            await front.close()

    run(test())


def test_a_reset_drops_the_link_until_the_server_is_back() -> None:
    async def test() -> None:
        board = make_board()
        async with before(board) as there:
            link = await there.connect()
            talk = LinkTalk(link)
            assert await talk.ask(2, 0, 5, {}) == {}  # the answer still comes through
            with pytest.raises(LinkLost):
                await link.receive()
            assert not there.gateway.is_running
            await link.disconnect()
            link = await there.connect()
            assert await LinkTalk(link).echo("back") == "back"
            assert board.boots == 2
            assert list(there.gateway.log) == [
                "Gone: the server resets",
                "Back, with frames of up to 1472 bytes, 4 buffers",
            ]
            await link.disconnect()

    run(test())


def test_a_reset_that_the_server_refuses_drops_nothing() -> None:
    async def test() -> None:
        async with before(make_board(server=ServerProfile(os_group=False))) as there:
            link = await there.connect()
            talk = LinkTalk(link)
            assert await talk.ask(2, 0, 5, {}) == {"rc": 8}
            await asyncio.sleep(0.5)
            assert await talk.versions() == ["1.0.0"]
            await link.disconnect()

    run(test())


def test_a_server_that_goes_takes_the_link_with_it() -> None:
    async def test() -> None:
        async with before(make_board()) as there:
            link = await there.connect()
            await there.server.close()
            await LinkTalk(link).send(2, 0, 0, {"d": "refused by the host"})
            with pytest.raises(LinkLost):
                await link.receive()
            there.server = UdpServer(make_board())
            await there.server.start("127.0.0.1", there.port)
            await link.connect(10)
            assert await LinkTalk(link).echo("another") == "another"
            await link.disconnect()
            assert there.gateway.log[0].startswith("Gone: ")

    run(test())


def test_a_server_that_is_not_there_or_says_nothing() -> None:
    async def code_at(port: int) -> str:
        spec = f"udp:127.0.0.1:{port}"
        with pytest.raises(DfuBleError) as caught:
            await start_gateway(make_gateway(spec), spec)
        assert f"127.0.0.1:{port}" in caught.value.diagnostic.message
        return caught.value.diagnostic.code

    async def test() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            port: int = mute.getsockname()[1]
            assert await code_at(port) == "LK406"
        assert await code_at(port) == "LK403"

    run(test())
