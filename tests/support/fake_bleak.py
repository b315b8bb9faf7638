# SPDX-License-Identifier: Apache-2.0
"""A Bluetooth stack for bleak's `backend=` that has no radio: air, peripherals, and their faults.

What bleak itself does (resolving characteristics, wrapping callbacks) is bleak's own code.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError

from smp_echo import EchoServer
from west_dfu_ble.link.ble import Stack
from west_dfu_ble.link.gatt import SMP_CHARACTERISTIC, SMP_SERVICE


@dataclass
class Peripheral:
    """A device: how it advertises, how its GATT looks, and what goes wrong with it.

    `advertisements` overrides the single advertisement made of `name` and `services`. Errors in
    `connect_errors` and `notify_errors` are raised one after the other, one a try; `pair_error`
    is raised at every pairing. `sizes` are the successive readings of the largest write, `mtus`
    those of the MTU that the system tells itself (none: it does not). `mute` never answers to a
    subscription. `held`: the system is connected with it already.
    """

    name: str = "Tiny"
    address: str = "C0:FF:EE:00:00:01"
    rssi: int = -50
    advertised_services: tuple[str, ...] = (SMP_SERVICE,)
    advertisements: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list)
    silent: bool = False
    held: bool = False
    services: dict[str, dict[str, list[Any]]] = field(
        default_factory=lambda: {
            SMP_SERVICE: {SMP_CHARACTERISTIC: ["write-without-response", "notify"]}
        }
    )
    sizes: list[int] = field(default_factory=lambda: [100])
    mtus: list[int] = field(default_factory=list)
    connect_errors: list[BaseException] = field(default_factory=list)
    notify_errors: list[BaseException] = field(default_factory=list)
    write_errors: list[BaseException] = field(default_factory=list)
    pair_error: BaseException | None = None
    mute: bool = False
    write_delay: float = 0.0
    server: EchoServer = field(default_factory=EchoServer)
    writes: list[bytes] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    client: FakeClient | None = None

    def drop(self) -> None:
        """Disconnect from the device's side."""
        assert self.client is not None
        self.client.lose()

    def notify(self, data: bytes) -> None:
        """Send one notification."""
        assert self.client is not None
        self.client.notified(bytearray(data))


@dataclass
class Air:
    """Everybody in range, and what keeps the adapter from listening to them."""

    peripherals: list[Peripheral]
    scan_error: BaseException | None = None
    agents: list[str] = field(default_factory=list)
    agents_now: int = 0
    agents_at_once: int = 0

    def stack(self) -> Stack:
        """Return the stack for a `BleLink`."""
        air = self

        class Scanner(FakeScanner):
            world = air

        class Client(FakeClient):
            world = air

        return Stack(
            {"backend": Scanner}, {"backend": Client}, self._agent, self._mtu, self._connected
        )

    @asynccontextmanager
    async def _agent(self, device: BLEDevice, ask: object) -> AsyncIterator[None]:
        self.agents.append(device.address)
        self.agents_now += 1
        self.agents_at_once = max(self.agents_at_once, self.agents_now)
        await asyncio.sleep(0.01)
        try:
            yield
        finally:
            self.agents_now -= 1

    async def _connected(self) -> list[BLEDevice]:
        return [BLEDevice(p.address, p.name, {}) for p in self.peripherals if p.held]

    async def _mtu(self, characteristic: BleakGATTCharacteristic) -> int | None:
        [mtus] = [p.mtus for p in self.peripherals if p.client and p.client.is_connected]
        return (mtus.pop(0) if len(mtus) > 1 else mtus[0]) if mtus else None


class FakeScanner(BaseBleakScanner):
    """Hears every peripheral that is not silent, again and again."""

    world: Air

    def __init__(
        self,
        detection_callback: Callable[[BLEDevice, AdvertisementData], None] | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self.world.scan_error is not None:
            raise self.world.scan_error
        self.seen_devices = {}
        self._task = asyncio.ensure_future(self._advertise())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()

    async def _advertise(self) -> None:
        while True:
            for peripheral in list(self.world.peripherals):
                own = (peripheral.name or None, peripheral.advertised_services)
                for name, services in peripheral.advertisements or [own]:
                    if not peripheral.silent:
                        self._heard(peripheral, name, services)
            await asyncio.sleep(0.005)

    def _heard(self, peripheral: Peripheral, name: str | None, services: tuple[str, ...]) -> None:
        data = AdvertisementData(name, {}, {}, list(services), None, peripheral.rssi, ())
        device = self.create_or_update_device(
            peripheral.address, peripheral.address, name, {}, data
        )
        self.call_detection_callbacks(device, data)


class FakeClient(BaseBleakClient):
    """Connects to a peripheral of the air; its GATT ends in the peripheral's SMP server."""

    world: Air

    def __init__(
        self, address_or_ble_device: BLEDevice | str, services: set[str] | None, **kwargs: Any
    ) -> None:
        super().__init__(
            address_or_ble_device,
            disconnected_callback=kwargs["disconnected_callback"],
            timeout=kwargs["timeout"],
        )
        self._wanted = services
        self._connected = False
        self._paired = False
        self._notify: NotifyCallback | None = None
        [self._peripheral] = [p for p in self.world.peripherals if p.address == self.address]

    @property
    def mtu_size(self) -> int:
        return 23  # as BlueZ says, whatever was negotiated

    @property
    def is_connected(self) -> bool:
        return self._connected

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        self._peripheral.log.append("connect")
        if self._peripheral.connect_errors:
            raise self._peripheral.connect_errors.pop(0)
        self._connected = True
        self._peripheral.client = self
        self.services = self._collect()

    async def disconnect(self) -> None:
        if self._connected:
            self._peripheral.log.append("disconnect")
            self.lose()

    def lose(self) -> None:
        """End the connection as the stack reports it."""
        self._connected = False
        self.services = None
        if self._disconnected_callback:
            self._disconnected_callback()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        self._peripheral.log.append("pair")
        if self._peripheral.pair_error is not None:
            raise self._peripheral.pair_error

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(self, characteristic: Any, **kwargs: Any) -> bytearray:
        raise NotImplementedError

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, **kwargs: Any
    ) -> bytearray:
        raise NotImplementedError

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        assert not response
        if not self._connected:
            raise BleakError("Not connected")
        if self._peripheral.write_errors:
            raise self._peripheral.write_errors.pop(0)
        await asyncio.sleep(self._peripheral.write_delay)
        piece = bytes(data)
        size = characteristic.max_write_without_response_size
        if self._peripheral.mtus:
            size = self._peripheral.mtus[-1] - 3
        assert len(piece) <= size, "a stack cuts it off without a word"
        self._peripheral.writes.append(piece)
        for answer in self._peripheral.server.feed(piece):
            for start in range(0, len(answer), size):
                part = bytearray(answer[start : start + size])
                asyncio.get_running_loop().call_soon(self.notified, part)

    def notified(self, data: bytearray) -> None:
        """Hand a notification to bleak."""
        assert self._notify is not None
        self._notify(data)

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        raise NotImplementedError

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        self._peripheral.log.append("subscribe")
        if self._peripheral.notify_errors:
            raise self._peripheral.notify_errors.pop(0)
        if self._peripheral.mute:
            await asyncio.Event().wait()
        self._notify = callback

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        raise NotImplementedError

    def _collect(self) -> BleakGATTServiceCollection:
        collection = BleakGATTServiceCollection()
        handle = 1
        for uuid, characteristics in self._peripheral.services.items():
            if self._wanted is not None and uuid not in self._wanted:
                continue
            service = BleakGATTService(None, handle, uuid)
            collection.add_service(service)
            for characteristic, properties in characteristics.items():
                handle += 2
                collection.add_characteristic(
                    BleakGATTCharacteristic(
                        None, handle, characteristic, properties, self._size, service
                    )
                )
            handle += 10
        return collection

    def _size(self) -> int:
        sizes = self._peripheral.sizes
        return sizes.pop(0) if len(sizes) > 1 else sizes[0]
