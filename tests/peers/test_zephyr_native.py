# SPDX-License-Identifier: Apache-2.0
"""Our links against Zephyr's own SMP servers over UDP, on a terminal, and inside a shell."""

from __future__ import annotations

import asyncio

import pytest

from smp_sessions import answered, echo_of, session_with
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import LinkLost
from west_dfu_ble.smp import McumgrParameters, os_group
from west_dfu_ble.update import Knowledge
from west_dfu_ble.update.frame_size import FrameSizes
from zephyr_native import zephyr_native

pytestmark = pytest.mark.peer


@pytest.mark.parametrize(("config", "limit"), [("udp", 1472), ("udp6", 1452)])
def test_datagrams_up_to_the_limit_are_answered(config: str, limit: int) -> None:
    async def test(link: str) -> None:
        async with session_with(link) as session:
            assert session.link.traits.frame_limit == limit
            parameters = os_group.parse_parameters(await session.request(os_group.parameters()))
            assert parameters == McumgrParameters(2048, 2)
            frame = await FrameSizes(Knowledge()).find(session, parameters)
            assert frame.size == limit
            # The answer is a byte longer than the question, and has to fit as well.
            text = echo_of(limit - 1)
            payload = await session.request(os_group.echo(text))
            assert os_group.parse_echo(payload) == text

    with zephyr_native(config) as link:
        asyncio.run(test(link))


@pytest.mark.parametrize(
    ("config", "size"),
    [
        # Zephyr's default of two line buffers, filled at once by a terminal without a baud rate.
        ("serial", 176),
        # The same inside a shell, whose prompt and log share the terminal.
        ("shell", 176),
        ("serial_bigrx", 380),
        ("serial_buf96", 92),
        ("serial_buf2048", 2044),
    ],
)
def test_the_frame_size_is_what_the_console_takes(config: str, size: int) -> None:
    async def test(link: str) -> None:
        async with session_with(link) as session:
            parameters = os_group.parse_parameters(await session.request(os_group.parameters()))
            frame = await FrameSizes(Knowledge()).find(session, parameters)
            assert frame.size == size
            for text in (echo_of(size), "short", echo_of(size)):
                payload = await session.request(os_group.echo(text))
                assert os_group.parse_echo(payload) == text

    with zephyr_native(config) as link:
        asyncio.run(test(link))


def test_a_server_that_does_not_tell_its_buffers() -> None:
    async def test(link: str) -> None:
        async with session_with(link) as session:
            with pytest.raises(DfuBleError, match="DV501"):
                await session.request(os_group.parameters())
            frame = await FrameSizes(Knowledge()).find(session, None)
            assert frame.size == 380

    with zephyr_native("serial_noparams") as link:
        asyncio.run(test(link))


def test_a_terminal_that_goes_away_is_a_lost_link() -> None:
    async def test() -> None:
        with zephyr_native("serial") as link:
            context = session_with(link)
            session = await context.__aenter__()
        with pytest.raises(LinkLost):
            await session.request(os_group.echo("gone?"), timeout=5)
        await context.__aexit__(None, None, None)

    asyncio.run(test())


def test_a_udp_server_that_goes_away_is_noticed_and_found_again() -> None:
    async def test() -> None:
        with zephyr_native("udp") as link:
            context = session_with(link)
            session = await context.__aenter__()
        with pytest.raises(LinkLost):
            await session.request(os_group.echo("gone?"), timeout=5)
        with zephyr_native("udp"):
            await session.open(10)
            await answered(session)
        await context.__aexit__(None, None, None)

    asyncio.run(test())
