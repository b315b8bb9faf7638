# SPDX-License-Identifier: Apache-2.0
"""A serial port, or what pyserial takes for one.

`serial:/dev/ttyACM0@1000000`, `serial:COM3`, `serial:socket://HOST:PORT`.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from contextlib import suppress
from typing import Any

import serial
from serial.tools import list_ports

from ..diagnostics import DfuBleError
from ..faults import fault
from .console_framing import BUFFER_OVERHEAD, FRAME_LIMIT, SURE_FRAME, ConsoleReader, to_lines
from .inbox import Inbox
from .model import AskPasskey, Link, LinkLost, LinkTraits
from .sending import Sender

_DEFAULT_BAUD = 115200
_READ_TIME = 0.1  # seconds until the reading thread looks whether it is still wanted
_WRITE_TIME = 5.0
_PAUSE = 0.5

_NO_PORT = ("FileNotFoundError", "Inappropriate ioctl", "Could not configure port")
_GONE = frozenset({errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOTTY, errno.EISDIR})


def open_link(
    argument: str, device: str | None, virtual: object | None, ask: AskPasskey | None
) -> Link:
    """Make the link `serial:PORT[@BAUD]`; for `link.open_link`. Raises `DfuBleError` LK408."""
    port, at, baud = argument.rpartition("@")
    if not at:
        return SerialLink(argument, _DEFAULT_BAUD)
    if not baud.isdecimal() or int(baud) == 0 or not port:
        raise fault(
            "LK408",
            f"{baud!r} is no baud rate",
            helps=["write the link as serial:PORT@BAUD, for example serial:/dev/ttyACM0@1000000"],
        )
    return SerialLink(port, int(baud))


class SerialLink:
    """The way to one device over a serial console; see `Link`."""

    def __init__(self, port: str, baud: int) -> None:
        """Use `port` (a device, or a URL that pyserial knows) at `baud` bits per second."""
        self._port_name = port
        self._baud = baud
        self._port: Any = None
        self._was_connected = False
        self._inbox = Inbox()
        self._inbox.close("not connected")
        self._reader: _Reader | None = None
        self._sender = Sender()

    @property
    def traits(self) -> LinkTraits:
        """What the link can do; valid while connected."""
        return LinkTraits(
            "serial",
            self._port_name,
            FRAME_LIMIT,
            splits_frames=False,
            frame_limit=FRAME_LIMIT,
            buffer_overhead=BUFFER_OVERHEAD,
            sure_frame=SURE_FRAME,
        )

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""
        return self._inbox.lost is None

    async def connect(self, timeout: float) -> None:
        """Open the port; one that was there before is waited for, up to `timeout` seconds.

        Raises `DfuBleError`: LK401 there is no such port, LK403 it cannot be opened, LK408 it is
        nothing that can be opened.
        """
        await self.disconnect()
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            try:
                self._port = await asyncio.to_thread(_open, self._port_name, self._baud)
                break
            except DfuBleError:
                if not self._was_connected or loop.time() + _PAUSE > end:
                    raise
            await asyncio.sleep(_PAUSE)
        self._was_connected = True
        self._inbox = Inbox()
        self._reader = _Reader(self._port, loop, self._inbox)
        self._reader.start()

    async def disconnect(self) -> None:
        """Close the port; never raises, and does nothing if it is closed."""
        self._inbox.close("the link was closed")
        self._sender.stop()
        reader, self._reader = self._reader, None
        port, self._port = self._port, None
        if reader is not None:
            await asyncio.to_thread(reader.stop)
        if port is not None:
            with suppress(Exception):
                await asyncio.to_thread(port.close)

    async def send(self, frame: bytes) -> None:
        """Write one frame. Raises `LinkLost` if the port is gone, `ValueError` above the limit."""
        lines = to_lines(frame)
        if self._port is None or self._inbox.lost is not None:
            raise LinkLost(self._inbox.lost or "not connected")
        await self._sender.run(self._write(self._port, b"".join(lines)))

    async def receive(self) -> bytes:
        """Wait for the next whole frame. Raises `LinkLost` once the port is gone."""
        return await self._inbox.get()

    async def _write(self, port: Any, data: bytes) -> None:
        try:
            await asyncio.to_thread(port.write, data)
        except Exception as error:
            self._inbox.close(f"{self._port_name} cannot be written to: {error}")
            raise LinkLost(self._inbox.lost) from error


class _Reader(threading.Thread):
    """Reads the port, since neither pyserial nor Windows lets asyncio do it everywhere."""

    def __init__(self, port: Any, loop: asyncio.AbstractEventLoop, inbox: Inbox) -> None:
        super().__init__(name="serial reader", daemon=True)
        self._port = port
        self._loop = loop
        self._inbox = inbox
        self._stopped = threading.Event()

    def run(self) -> None:
        """Hand every frame to the event loop, until stopped or until the port is gone."""
        console = ConsoleReader()
        # The loop may be closed before this thread has noticed that it is not wanted any more.
        with suppress(RuntimeError):
            while not self._stopped.is_set():
                try:
                    data = self._port.read(max(1, self._port.in_waiting))
                except Exception as error:
                    if not self._stopped.is_set():
                        self._loop.call_soon_threadsafe(self._inbox.close, f"{error}")
                    return
                for frame in console.feed(data):
                    self._loop.call_soon_threadsafe(self._inbox.put, frame)

    def stop(self) -> None:
        """End the thread and wait for it; blocks for up to a second."""
        self._stopped.set()
        self.join(10 * _READ_TIME)


def _open(port: str, baud: int) -> Any:
    try:
        return serial.serial_for_url(
            port,
            baudrate=baud,
            timeout=_READ_TIME,
            write_timeout=_WRITE_TIME,
            exclusive=None if "://" in port else True,
        )
    except ValueError as error:
        raise fault(
            "LK408",
            f"the serial port {port!r} cannot be opened as written",
            notes=[f"pyserial says: {error}"],
            helps=["write the link as serial:PORT[@BAUD] or serial:socket://HOST:PORT"],
        ) from error
    except OSError as error:  # SerialException is one
        raise _open_fault(port, error) from error


def _open_fault(port: str, error: OSError) -> DfuBleError:
    says = [f"the system says: {error}"]
    if "://" in port:
        return fault(
            "LK403",
            f"nothing answers at {port}",
            notes=says,
            helps=["see that the program that offers the serial port there is running"],
        )
    # Often pyserial's error has no number, only the text of the one below it.
    if error.errno in _GONE or any(text in str(error) for text in _NO_PORT):
        there = [f"there is: {found.device} ({found.description})" for found in _ports()]
        return fault(
            "LK401",
            f"there is no serial port {port!r}",
            why="The link needs it to reach the device.",
            notes=[*says, *(there or ["this computer has no serial port at all"])],
            helps=["plug the device in, or give the port that it has"],
        )
    denied = error.errno in (errno.EACCES, errno.EPERM) and "lock" not in str(error)
    return fault(
        "LK403",
        f"the serial port {port!r} " + ("may not be used by this user" if denied else "is in use"),
        notes=says,
        helps=[
            "on Linux, join the group that owns it (dialout or uucp) and log in again"
            if denied
            else "close the terminal or the other program that has it open"
        ],
    )


def _ports() -> list[Any]:
    with suppress(Exception):  # a list that is only evidence must not be an error of its own
        return list(list_ports.comports())
    return []
