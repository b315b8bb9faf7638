# SPDX-License-Identifier: Apache-2.0
"""The air that the virtual machine's Bluetooth adapter shares with virtual devices.

The adapter is one of our virtual controllers, at the other end of the socket that QEMU reads and
writes; devices are put around it, and taken out of range. All of it lives in an event loop in a
thread of its own, so that a test can do one thing after the other.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from bumble.transport.common import PacketParser

from west_dfu_ble.virtual import DeviceProfile, VirtualDevice
from west_dfu_ble.virtual.clock import Clock
from west_dfu_ble.virtual.peripheral import VirtualPeripheral
from west_dfu_ble.virtual.radio import Air, AirController

T = TypeVar("T")
_ADAPTER_ADDRESS = "F0:F1:F2:F3:F4:F5"
_TIME = 20


class WatchedDevice(VirtualDevice):
    """A virtual device that tells when `bytes_taken` reaches a mark."""

    def __init__(self, profile: DeviceProfile) -> None:
        """Nothing is waited for yet."""
        super().__init__(profile)
        self.bytes_taken = 0
        self._mark: int | None = None
        self._reached: Callable[[], None] = lambda: None

    def when_taken(self, count: int, reached: Callable[[], None]) -> None:
        """Call `reached`, once, when so many bytes have been written to it."""
        self._mark, self._reached = count, reached

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        """Count what comes in."""
        self.bytes_taken += len(fragment)
        if self._mark is not None and self.bytes_taken >= self._mark:
            self._mark = None
            self._reached()
        return super().take(fragment, now, client)


class OnAir:
    """A device that was put on the air."""

    def __init__(self, air: HostAir, device: WatchedDevice, peripheral: VirtualPeripheral) -> None:
        """For `HostAir.put`."""
        self.device = device
        self.gone = threading.Event()
        self.reached = threading.Event()
        self._air = air
        self._peripheral = peripheral

    @property
    def name(self) -> str:
        """The name that it advertises."""
        return self.device.profile.radio.name

    def vanish_after(self, count: int) -> None:
        """Go out of range, with no word before, when so many bytes have been written to it."""
        self.gone.clear()

        async def vanish() -> None:
            await self._peripheral.stop()
            self.gone.set()

        def soon() -> None:
            self._air.tasks.add(asyncio.ensure_future(vanish()))

        self.device.when_taken(count, soon)

    def come_back(self) -> None:
        """Come back into range."""
        self._air.do(self._peripheral.start())


class HostAir:
    """Runs between `start` and `close`; the adapter is there between `plug` and `unplug`."""

    def __init__(self, adapter: socket.socket) -> None:
        """Take the end of the socket that is not QEMU's."""
        self.tasks: set[asyncio.Future[None]] = set()
        self._socket = adapter
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._air = Air()
        self._clock = Clock()
        self._controller: AirController | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to serve the socket."""
        self._thread.start()
        self.do(self._open())

    def close(self) -> None:
        """Switch everything off."""
        with suppress(Exception):
            self.do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TIME)
        if not self._thread.is_alive():
            self._loop.close()

    def plug(self) -> None:
        """Put the adapter's controller on the air."""

        async def plug() -> None:
            self._controller = AirController("adapter", self._air, _ADAPTER_ADDRESS)
            self._controller.set_packet_sink(self)

        self.do(plug())

    def unplug(self) -> None:
        """Take the adapter's controller off the air."""

        async def unplug() -> None:
            controller, self._controller = self._controller, None
            if controller is not None:
                controller.leave()

        self.do(unplug())

    @contextmanager
    def put(self, device: WatchedDevice) -> Iterator[OnAir]:
        """Have a device in range."""

        async def make() -> VirtualPeripheral:
            peripheral = VirtualPeripheral(device, self._air, self._clock)
            await peripheral.start()
            return peripheral

        peripheral = self.do(make())
        try:
            yield OnAir(self, device, peripheral)
        finally:
            self.do(peripheral.stop())

    def do(self, work: Awaitable[T]) -> T:
        """Do something in the air's event loop, and wait for it."""

        async def done() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(_TIME)

    def on_packet(self, packet: bytes) -> None:
        """Pass a packet of the adapter's controller on to the machine's kernel."""
        assert self._writer is not None
        self._writer.write(packet)

    async def _open(self) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._socket)
        self._reading = asyncio.ensure_future(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        parser = PacketParser(_ToController(self))
        with suppress(OSError):
            while data := await reader.read(4096):
                parser.feed_data(data)

    async def _shut(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()

    def take(self, packet: bytes) -> None:
        """Hand a packet of the machine's kernel to the adapter's controller."""
        if self._controller is not None:
            controller: Any = self._controller
            controller.on_packet(packet)


class _ToController:
    """Where the machine's packets go: to the controller that is there now."""

    def __init__(self, air: HostAir) -> None:
        self._air = air

    def on_packet(self, packet: bytes) -> None:
        self._air.take(packet)
