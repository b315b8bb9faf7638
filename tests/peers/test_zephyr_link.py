# SPDX-License-Identifier: Apache-2.0
"""Our serial link and protocol against Zephyr 4.4's own SMP server in QEMU."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import pytest

from smp_sessions import answered, echo_of, session_with
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import LinkLost
from west_dfu_ble.smp import McumgrParameters, Request, image_group, os_group
from west_dfu_ble.update import Knowledge
from west_dfu_ble.update.frame_size import FrameSizes
from zephyr_qemu import ZephyrServer

pytestmark = pytest.mark.peer
Start = Callable[..., ZephyrServer]

TARGETS = [
    ("qemu_cortex_m0", "serial"),
    ("qemu_cortex_m0", "serial_buf256"),
    ("qemu_cortex_m0", "serial_buf512"),
    ("mps2_an385", "serial_recovery_buf400"),
    ("mps2_an385", "serial_recovery_buf2048"),
]
WITH_IMAGES = [target for target in TARGETS if target[1] not in ("serial_buf256", "serial_buf512")]


@pytest.mark.parametrize("target", TARGETS, ids=" ".join)
def test_the_server_tells_its_buffers_and_takes_frames_that_fill_them(
    target: tuple[str, str], zephyr_qemu: Start
) -> None:
    server = zephyr_qemu(*target)

    async def test() -> None:
        async with session_with(server.link) as session:
            parameters = os_group.parse_parameters(await session.request(os_group.parameters()))
            assert parameters == McumgrParameters(server.buffer_size, server.buffer_count)
            largest = server.buffer_size - session.link.traits.buffer_overhead
            # The answer is one byte longer than the request and needs a buffer of the same size.
            text = echo_of(largest)
            payload = await session.request(os_group.echo(text))
            assert os_group.parse_echo(payload) == text
            with pytest.raises(DfuBleError, match="LK406"):
                await session.request(os_group.echo(echo_of(largest + 1)), timeout=0.7)
            payload = await session.request(os_group.echo("and on"))
            assert os_group.parse_echo(payload) == "and on"

    asyncio.run(test())


@pytest.mark.parametrize("target", WITH_IMAGES, ids=" ".join)
def test_the_server_tells_its_images_and_its_bootloader(
    target: tuple[str, str], zephyr_qemu: Start
) -> None:
    server = zephyr_qemu(*target)

    async def test() -> None:
        async with session_with(server.link) as session:
            state = image_group.parse_state(await session.request(image_group.read_state()))
            running = state.active()
            assert running is not None
            assert (running.slot, running.confirmed, len(running.hash)) == (0, True, 32)

    asyncio.run(test())


def test_requests_in_flight_are_all_answered_and_in_order(zephyr_qemu: Start) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")

    async def test() -> None:
        async with session_with(server.link) as session:
            for width in (2, 3, 4):
                # Two lines each, as many as the console has buffers.
                texts = [letter * 150 for letter in "abcd"[:width]]
                payloads = await asyncio.gather(
                    *(session.request(os_group.echo(text)) for text in texts)
                )
                assert [os_group.parse_echo(payload) for payload in payloads] == texts
            assert session.counts.strays == 0

    asyncio.run(test())


def test_a_server_that_dies_is_a_lost_link(zephyr_qemu: Start) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")

    async def test() -> None:
        async with session_with(server.link) as session:
            server.kill()
            with pytest.raises(LinkLost):
                await session.request(os_group.echo("gone?"), timeout=5)

    asyncio.run(test())


def test_a_reset_leaves_the_port_open_and_the_server_comes_back(zephyr_qemu: Start) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")

    async def test() -> None:
        async with session_with(server.link) as session:
            await session.request(os_group.reset())
            await asyncio.sleep(1)
            await answered(session)
            assert session.link.is_connected

    asyncio.run(test())


def test_mcuboots_serial_recovery_takes_a_whole_image(zephyr_qemu: Start) -> None:
    """MCUboot's own SMP server: no echo, one buffer, no flags; it writes to the primary slot."""
    server = zephyr_qemu("mps2_an385", "serial_recovery")
    other = bytearray(server.signed_image.read_bytes())
    other[20] = 9  # the major version in the header; recovery does not look at the hash

    async def test() -> None:
        async with session_with(server.link) as session:
            into_recovery = Request("reset into recovery", True, 0, 5, {"boot_mode": 1})
            await session.request(into_recovery)
            await asyncio.sleep(2)
            parameters = os_group.parse_parameters(
                await session.request(os_group.parameters(), attempts=5)
            )
            assert parameters == McumgrParameters(1024, 1)
            frame = await FrameSizes(Knowledge()).find(session, parameters)
            assert frame.size == 1020
            offset, room, digest = 0, frame.size - 32, hashlib.sha256(other).digest()
            while offset < len(other):
                data = bytes(other[offset : offset + room - (64 if offset == 0 else 0)])
                request = (
                    image_group.upload_next(data, offset)
                    if offset
                    else image_group.upload_first(data, len(other), digest, 0)
                )
                payload = await session.request(request, timeout=15)
                after = image_group.parse_upload(payload).offset
                assert after == offset + len(data)
                offset = after
            state = image_group.parse_state(await session.request(image_group.read_state()))
            assert [(image.slot, image.version) for image in state] == [(0, "9.0.0")]
            assert state.active() is None

    asyncio.run(test())
