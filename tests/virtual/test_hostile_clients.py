# SPDX-License-Identifier: Apache-2.0
"""Clients that mean no good, on the ways in that other programs have: the air, HCI, and UDP.

Nonsense at SMP level, 100,000 frames of it, is in `test_server.py`.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from bumble.transport.common import AsyncPipeSink, Transport

from boards import make_board, make_update
from link_talk import LinkTalk
from serving import serving
from west_dfu_ble.link import open_link
from west_dfu_ble.link.hci import HciLink
from west_dfu_ble.virtual import BackgroundDevice, LoopClock, RadioProfile
from west_dfu_ble.virtual.warped_time import run_warped

TINY = Path(__file__).resolve().parents[2] / "samples" / "tiny" / "build-swap"
# Bytes that the device and both stacks may have gained by what was sent, which is megabytes.
GROWTH = 300_000


def endless(rng: random.Random) -> bytes:
    """A fragment: the beginning of a frame that never ends, or something of nothing."""
    if rng.random() < 0.3:
        return struct.pack(">BBHHBB", 10, 0, 0xFFFF, 1, 0, 1) + rng.randbytes(400)
    return rng.randbytes(rng.randrange(1, 495))


def test_a_client_on_the_air_that_floods_and_one_that_says_nothing() -> None:
    async def test() -> None:
        board = make_board()
        radio = board.on_air(LoopClock())
        await radio.switch_on()

        async def attach() -> Transport:
            controller = radio.add_controller()
            return Transport(controller, AsyncPipeSink(controller))

        links = [HciLink("hci", "x", attach, board.address) for _ in range(3)]
        silent, flood, honest = links
        try:
            # While somebody is connected the device advertises no more, as real ones do.
            await silent.connect(5)
            await asyncio.sleep(600)
            await silent.disconnect()
            await flood.connect(5)
            rng, before = random.Random(4), 0
            for number in range(2000):
                await flood.send(endless(rng))
                if number == 500:
                    tracemalloc.start()
                    before = tracemalloc.get_traced_memory()[0]
                if number % 50 == 0:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(1)
            assert tracemalloc.get_traced_memory()[0] - before < GROWTH
            await flood.disconnect()
            await honest.connect(5)
            talk = LinkTalk(honest)
            await talk.upload(make_update())
            assert await talk.versions() == ["1.0.0", "2.0.0"]
            assert board.boots == 1
        finally:
            tracemalloc.stop()
            for link in links:
                await link.disconnect()
            await radio.close()

    run_warped(test())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child process")
def test_a_program_that_sends_nonsense_to_its_controller() -> None:
    """Bytes that are no HCI packets, and packets that are not what they seem to be."""
    rng = random.Random(6)

    def packet() -> bytes:
        body = rng.randbytes(rng.randrange(60))
        code = rng.choice([0x0C03, 0x2005, 0x2006, 0x200A, 0x200D, 0x2022, 0x2032, 0x0406])
        return (
            rng.choice(
                [
                    struct.pack("<BHB", 1, rng.choice([code, rng.randrange(1 << 16)]), len(body)),
                    struct.pack("<BHH", 2, rng.randrange(1 << 16), len(body)),
                    struct.pack("<BBB", 4, rng.randrange(256), len(body)),
                    rng.randbytes(5),
                ]
            )
            + body
        )

    with serving("-d", TINY, "--hci", "127.0.0.1:0") as served:
        host, port = served.link.rsplit(":", 2)[1:]
        for _ in range(20):
            with suppress(OSError), socket.create_connection((host, int(port)), 10) as hostile:
                for _ in range(200):
                    hostile.sendall(packet())

        async def honest() -> None:
            link = open_link(served.link, served.name, ask=passkey)
            await link.connect(20)
            try:
                assert await LinkTalk(link).echo("alive") == "alive"
            finally:
                await link.disconnect()

        async def passkey() -> int:
            return RadioProfile.passkey

        asyncio.run(asyncio.wait_for(honest(), 60))
    # Its own log, and nothing of the libraries'.
    assert "*** Booting MCUboot ***" in served.log
    assert all(line.isprintable() and "!!!" not in line for line in served.log.splitlines())


def test_a_client_that_floods_a_udp_port() -> None:
    rng = random.Random(4)
    with BackgroundDevice(make_board().profile) as device:
        address = device.udp_address
        floods = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
        nonsense = [endless(rng) for _ in range(500)]
        before = 0
        for number in range(20_000):
            floods[number % 100].sendto(nonsense[number % 500], address)
            if number == 1000:
                tracemalloc.start()
                before = tracemalloc.get_traced_memory()[0]
        for one in floods:
            one.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as honest:
            honest.settimeout(1)
            echo = struct.pack(">BBHHBB", 10, 0, 9, 0, 7, 0) + b"\xa1\x61\x64\x65alive"
            for _ in range(20):
                try:
                    honest.sendto(echo, address)
                    answer = honest.recv(2000)
                except TimeoutError:
                    continue  # the flood is not worked off yet
                break
        assert b"alive" in answer
        growth = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert growth < GROWTH
        assert device.boots == 1
        assert len(device.look(lambda board: board.log)) < 2001
