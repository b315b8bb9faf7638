# SPDX-License-Identifier: Apache-2.0
"""The link straight into a virtual device."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from boards import make_board, make_update
from link_talk import LinkTalk
from mcuboot_images import digest_of
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import LinkLost
from west_dfu_ble.link.loopback import LoopbackLink
from west_dfu_ble.virtual import Fault, FaultKind, VirtualDevice


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def test_an_update_at_a_hundred_times_the_speed() -> None:
    async def update() -> None:
        image = make_update(size=30_000)
        link = LoopbackLink(make_board(), speed=100)
        await link.connect(1)
        talk = LinkTalk(link)
        await talk.upload(image)
        await talk.ask(2, 1, 0, {"hash": digest_of(image)})
        assert await talk.ask(2, 0, 5, {}) == {}
        with pytest.raises(LinkLost, match="the device was reset"):
            await link.receive()
        await link.connect(1)
        assert await LinkTalk(link).versions() == ["2.0.0", "1.0.0"]
        await link.disconnect()
        assert not link.is_connected
        with pytest.raises(LinkLost):
            await link.send(b"x")

    run(update())


def test_what_finds_no_buffer_is_lost() -> None:
    async def burst() -> None:
        link = LoopbackLink(make_board())
        await link.connect(1)
        talk = LinkTalk(link)
        for number in range(8):
            await talk.send(2, 0, 0, {"d": f"n{number}"})
        answers = [await talk.frame() for _ in range(4)]
        assert [frame[6] for frame in answers] == [1, 2, 3, 4]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(talk.frame(), 0.1)
        await link.disconnect()

    run(burst())


def test_a_device_that_does_not_run_is_not_found() -> None:
    board = make_board()
    board.images[0].areas[0].erase(0, board.images[0].areas[0].size)
    board.boot()

    async def connect() -> None:
        link = LoopbackLink(board)
        try:
            await link.connect(0.05)
        finally:
            await link.disconnect()

    with pytest.raises(DfuBleError) as caught:
        run(connect())
    assert caught.value.diagnostic.code == "LK402"


@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT, FaultKind.REBOOT])
def test_the_device_ends_the_link(kind: FaultKind) -> None:
    async def test() -> None:
        board = make_board()
        link = LoopbackLink(VirtualDevice(board.profile, faults=[Fault(kind, 1)]), speed=10)
        await link.connect(1)
        talk = LinkTalk(link)
        assert await talk.echo("0") == "0"
        with pytest.raises(LinkLost):
            await talk.echo("1")
        await link.connect(1)
        assert await LinkTalk(link).echo("2") == "2"
        await link.disconnect()

    run(test())
