# SPDX-License-Identifier: Apache-2.0
"""The link `serial`: over a TCP socket, and over a real pseudo-terminal where there is one."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from smp_echo import EchoServer, echo_answer, echo_request
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.link import LinkLost, open_link
from west_dfu_ble.link.console_framing import ConsoleReader, to_lines

LOG = b"[00:00:01.234,000] <inf> smp: request\r\n"


class Console(NamedTuple):
    """A server of the test: where it is, and how to cut it off."""

    port: int
    cut: Callable[[], Awaitable[None]]


@asynccontextmanager
async def console_server() -> AsyncIterator[Console]:
    """Answer echo like a device on a console, with log lines in between."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        console, server = ConsoleReader(), EchoServer()
        while data := await reader.read(4096):
            for frame in console.feed(data):
                for answer in server.feed(frame):
                    writer.write(LOG + LOG.join(to_lines(answer)) + LOG)

    async def cut() -> None:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Console(server.sockets[0].getsockname()[1], cut)
    finally:
        await cut()


def test_frames_travel_as_console_lines_over_a_socket() -> None:
    async def test() -> None:
        async with console_server() as console:
            link = open_link(f"serial:socket://127.0.0.1:{console.port}", None)
            await link.connect(5)
            traits = link.traits
            assert (traits.kind, traits.splits_frames, traits.buffer_overhead) == (
                "serial",
                False,
                4,
            )
            assert traits.max_write == traits.frame_limit == 65533
            for text in ("hello", "x" * 3000):
                await link.send(echo_request(text))
                assert await asyncio.wait_for(link.receive(), 5) == echo_answer(text)
            await link.disconnect()
            assert not link.is_connected
            with pytest.raises(LinkLost):
                await link.send(echo_request("late"))
            await link.connect(5)
            await link.send(echo_request("again"))
            assert await asyncio.wait_for(link.receive(), 5) == echo_answer("again")
            with pytest.raises(ValueError, match="at most 65533 bytes"):
                await link.send(bytes(65534))
            await link.disconnect()

    asyncio.run(test())


def test_a_port_that_vanishes_is_a_lost_link_and_is_waited_for_afterwards() -> None:
    async def test() -> None:
        async with console_server() as console:
            link = open_link(f"serial:socket://127.0.0.1:{console.port}", None)
            await link.connect(5)
            await link.send(echo_request("hello"))
            await asyncio.wait_for(link.receive(), 5)
            await console.cut()
            with pytest.raises(LinkLost, match="disconnected"):
                await asyncio.wait_for(link.receive(), 5)
            assert not link.is_connected
            loop = asyncio.get_running_loop()
            before = loop.time()
            with pytest.raises(DfuBleError, match="LK403"):
                await link.connect(1)
            assert loop.time() - before >= 0.5
            await link.disconnect()

    asyncio.run(test())


def fails(spec: str) -> DfuBleError:
    async def connect() -> None:
        link = open_link(spec, None)
        try:
            await link.connect(30)
        finally:
            assert not link.is_connected
            await link.disconnect()

    with pytest.raises(DfuBleError) as caught:
        asyncio.run(asyncio.wait_for(connect(), 10))
    return caught.value


def test_a_port_that_is_not_there_lists_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    class Port(NamedTuple):
        device: str
        description: str

    missing = "COM99" if sys.platform == "win32" else "/dev/ttyNOSUCH"
    monkeypatch.setattr(
        "serial.tools.list_ports.comports", lambda: [Port("/dev/ttyACM0", "J-Link OB")]
    )
    error = fails(f"serial:{missing}")
    assert error.diagnostic.code == "LK401"
    assert error.diagnostic.message == f"there is no serial port {missing!r}"
    assert error.diagnostic.notes[1].text == "there is: /dev/ttyACM0 (J-Link OB)"
    assert error.status is ExitStatus.NO_LINK
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    [_, note] = fails(f"serial:{missing}").diagnostic.notes
    assert note.text == "this computer has no serial port at all"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no file as a port")
def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    file = tmp_path / "not-a-port"
    file.write_text("")
    assert fails(f"serial:{file}").diagnostic.message == f"there is no serial port '{file}'"


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (
            PermissionError(13, "Permission denied"),
            "the serial port 'X' may not be used by this user",
            "dialout",
        ),
        (OSError(16, "Device or resource busy"), "the serial port 'X' is in use", "close the"),
    ],
)
def test_a_port_that_cannot_be_used_says_why(
    error: OSError, message: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serial

    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(error.errno, f"could not open port: {error}")

    monkeypatch.setattr("serial.serial_for_url", refuse)
    diagnostic = fails("serial:X").diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK403", message)
    assert remedy in diagnostic.helps[0].text


def test_a_socket_where_nobody_listens_is_lk403() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"socket://127.0.0.1:{unused.getsockname()[1]}"
        diagnostic = fails(f"serial:{url}").diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK403", f"nothing answers at {url}")


def test_a_url_that_pyserial_does_not_know_is_lk408() -> None:
    diagnostic = fails("serial:nosuch://place").diagnostic
    assert diagnostic.code == "LK408"
    assert diagnostic.message == "the serial port 'nosuch://place' cannot be opened as written"


@pytest.mark.skipif(sys.platform != "linux", reason="speeds have names of their own elsewhere")
@pytest.mark.parametrize(("at", "speed"), [("", 115200), ("@1000000", 1000000), ("@57600", 57600)])
def test_the_line_has_the_speed_that_was_asked_for(at: str, speed: int) -> None:
    import termios

    device, terminal = os.openpty()

    async def test() -> None:
        link = open_link(f"serial:{os.ttyname(terminal)}{at}", None)
        await link.connect(5)
        assert termios.tcgetattr(terminal)[4:6] == [getattr(termios, f"B{speed}")] * 2
        await link.disconnect()

    try:
        asyncio.run(test())
    finally:
        os.close(device)
        os.close(terminal)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_real_terminal_carries_frames_is_kept_from_others_and_can_vanish() -> None:
    async def test() -> None:
        try:
            device, terminal = os.openpty()
        except OSError as error:
            pytest.skip(f"no pseudo-terminal is to be had here: {error.strerror}")
        name = os.ttyname(terminal)
        os.close(terminal)
        link = open_link(f"serial:{name}@1000000", None)
        await link.connect(5)
        with pytest.raises(DfuBleError, match=r"LK403 connect-failed: .*in use"):
            await open_link(f"serial:{name}", None).connect(1)
        await link.send(echo_request("x" * 400))
        console, frames = ConsoleReader(), list[bytes]()
        while not frames:
            frames += console.feed(await asyncio.to_thread(os.read, device, 4096))
        assert frames == [echo_request("x" * 400)]
        os.write(device, LOG + b"".join(to_lines(echo_answer("x"))))
        assert await asyncio.wait_for(link.receive(), 5) == echo_answer("x")
        os.close(device)
        with pytest.raises(LinkLost):
            await asyncio.wait_for(link.receive(), 5)
        await link.disconnect()

    asyncio.run(test())
