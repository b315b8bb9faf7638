# SPDX-License-Identifier: Apache-2.0
"""A virtual device in a thread of its own, for other programs to update in real time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TypeVar

from .clock import Clock
from .device import VirtualDevice
from .faults import Fault
from .profile import DeviceProfile
from .timing import LinkTiming

_T = TypeVar("_T")

_HOST = "127.0.0.1"
# Seconds until a loop that does not end is given up.
_PATIENCE = 10.0


class BackgroundDevice:
    """A device that is switched on when somebody asks for its address, until `close`.

    Use it as a context manager, or close it. It serves either Bluetooth controllers
    (`hci_address`) or SMP over UDP (`udp_address`), not both: they would be two devices.
    """

    def __init__(
        self,
        profile: DeviceProfile,
        *,
        faults: Sequence[Fault] = (),
        speed: float | None = None,
    ) -> None:
        """Make the device. With `speed` the air takes the time of a real radio, so much faster."""
        self._device = VirtualDevice(profile, faults=faults)
        self._speed = speed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], Awaitable[None]] | None = None
        self._hci: str | None = None
        self._udp: tuple[str, int] | None = None

    @property
    def hci_address(self) -> str:
        """Where a Bluetooth controller on the device's air is: ``tcp-client:127.0.0.1:PORT``.

        That is how Bumble calls it, and ``--link hci:…``; every connection gets a controller of
        its own. Raises `RuntimeError` if the device is served over UDP.
        """
        if self._hci is None:
            self._hci = f"tcp-client:{_HOST}:{self._start(self._serve_hci)}"
        return self._hci

    @property
    def udp_address(self) -> tuple[str, int]:
        """Host and port of SMP over UDP. Raises `RuntimeError` if the device is on the air."""
        if self._udp is None:
            self._udp = _HOST, self._start(self._serve_udp)
        return self._udp

    @property
    def name(self) -> str:
        """The name that it advertises."""
        return self._device.profile.radio.name

    @property
    def address(self) -> str:
        """Its Bluetooth address, random static."""
        return self._device.address

    @property
    def passkey(self) -> int:
        """What its display shows when somebody pairs, where the build asks for that."""
        return self._device.profile.radio.passkey

    @property
    def running(self) -> str | None:
        """The version that it runs, ``1.2.0+0``; `None` while it boots or can't run anything."""
        held = self.look(lambda device: device.running())
        return str(held.version) if held else None

    @property
    def is_confirmed(self) -> bool:
        """Whether what it runs stays after a reset."""
        return self.look(lambda device: device.is_confirmed())

    @property
    def boots(self) -> int:
        """How often its bootloader has started; 1 for a device that was never reset."""
        return self.look(lambda device: device.boots)

    @property
    def log(self) -> tuple[str, ...]:
        """What its bootloader and its application said, the last 2000 lines."""
        return self.look(lambda device: tuple(device.log))

    def look(self, question: Callable[[VirtualDevice], _T]) -> _T:
        """Ask the device something between two of its steps, and return the answer."""
        if self._loop is None:
            return question(self._device)

        async def ask() -> _T:
            return question(self._device)

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(_PATIENCE)

    def close(self) -> None:
        """Switch it off; what it holds can still be looked at."""
        loop, thread, stop = self._loop, self._thread, self._stop
        if loop is None or thread is None or stop is None:
            return

        async def end() -> None:
            await stop()

        try:
            asyncio.run_coroutine_threadsafe(end(), loop).result(_PATIENCE)
        finally:
            self._loop = self._thread = self._stop = self._hci = self._udp = None
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE)
            loop.close()

    def __enter__(self) -> BackgroundDevice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, serve: Callable[[], Awaitable[int]]) -> int:
        if self._loop is not None:
            raise RuntimeError("the device is served in another way already: make another one")
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="virtual device", daemon=True)
        thread.start()

        async def begin() -> int:
            return await serve()

        self._loop, self._thread = loop, thread
        return asyncio.run_coroutine_threadsafe(begin(), loop).result(_PATIENCE)

    async def _serve_hci(self) -> int:
        from .hci_server import HciServer

        timed = self._speed is not None
        radio = self._device.on_air(Clock(self._speed or 1.0), LinkTiming() if timed else None)
        await radio.switch_on()
        server = HciServer(radio)

        async def stop() -> None:
            await server.close()
            await radio.close()

        self._stop = stop
        return await server.start(_HOST, 0)

    async def _serve_udp(self) -> int:
        from .udp_server import UdpServer

        server = UdpServer(self._device)
        self._stop = server.close
        return await server.start(_HOST, 0)
