# SPDX-License-Identifier: Apache-2.0
"""The virtual device on the air: a real Bluetooth LE peripheral (Bumble) with the SMP service.

Host, L2CAP, ATT, GATT and pairing are Bumble's, over a virtual controller; what stands behind the
SMP characteristic is a `VirtualDevice`. When that resets, the link drops without a word, as it does
from a real board, and after the boot the device advertises anew.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from bumble import att, data_types, hci
from bumble.att import Attribute, AttributeValue
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    CharacteristicValue,
    Descriptor,
    Service,
)
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.snoop import BtSnooper, Snooper
from bumble.transport.common import AsyncPipeSink, Transport

from .clock import Clock
from .faults import HangUp
from .interval_request import IntervalRequests
from .profile import Access
from .radio import Air, AirController
from .timed_air import TimedAir

if TYPE_CHECKING:
    from .served import Answer, ServedDevice
    from .timing import LinkTiming

SMP_SERVICE = UUID("8D53DC1D-1DB7-4CD3-868B-8A527460AA84")
SMP_CHARACTERISTIC = UUID("DA2E7828-FBCE-4E01-AE9E-261174997C48")
# Milliseconds: the shortest that the specification allows, for nobody's battery is drained here.
_ADVERTISING_INTERVAL = 20
_ADVERTISEMENT_SIZE = 31


class VirtualPeripheral:
    """Puts a device on an `Air` between `start` and `stop`, within one event loop."""

    def __init__(
        self, device: ServedDevice, air: Air, clock: Clock, snooper: Snooper | None = None
    ) -> None:
        """Take the device as it is; bonds are kept with it, as in its settings partition.

        `snooper` is shown every HCI packet between its host and its controller.
        """
        self._snooper = snooper
        self._device = device
        self._air = air
        self._clock = clock
        self._controller: AirController | None = None
        self._host: Device | None = None
        self._characteristic: Characteristic[bytes] | None = None
        self._clients: dict[int, Connection] = {}
        self._numbers = itertools.count()
        self._interval_requests = IntervalRequests(device.radio.wanted_interval)
        self._work = asyncio.Event()
        device.on_change(self._work.set)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Advertise, if the device runs, and do what it does from now on."""
        if self._device.is_running:
            await self._switch_on()
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Vanish from the air; the device itself stays as it is."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._switch_off()

    async def _live(self) -> None:
        """Answer requests, and reset when it is time."""
        while True:
            now = self._clock.now()
            if self._device.reset_at is not None and now >= self._device.reset_at:
                await self._restart()
                continue
            answer = self._device.serve(now)
            hang_up = self._device.take_hang_up()
            if hang_up is HangUp.VANISH:
                await self._switch_off()
                await self._switch_on()
            elif hang_up is HangUp.DISCONNECT:
                await self._drop_clients()
            if answer is not None:
                # What this program itself took for it is no time of the device.
                await self._answer(answer, now + answer.seconds)
                continue
            if not self._device.is_running:
                await self._switch_off()
            self._work.clear()
            await self._clock.wait(self._work, until=self._device.reset_at)

    async def _restart(self) -> None:
        await self._switch_off()
        self._device.tick(self._clock.now())
        await self._clock.sleep(self._device.boot_seconds)
        if self._device.is_running:
            await self._switch_on()

    async def _answer(self, answer: Answer, when: float) -> None:
        await self._clock.sleep_until(when)
        client = self._clients.get(answer.client)
        if client is not None and answer.frame:
            await self._notify(client, answer.frame)
        # Only now are the buffers free again, as in Zephyr.
        self._device.sent()

    async def _drop_clients(self) -> None:
        for client in list(self._clients.values()):
            with suppress(Exception):
                await client.disconnect()

    async def _notify(self, client: Connection, frame: bytes) -> None:
        assert self._host is not None
        assert self._characteristic is not None
        size = client.att_mtu - 3
        for start in range(0, len(frame), size):
            await self._host.notify_subscriber(
                client, self._characteristic, frame[start : start + size]
            )
        # A link that drops completes nothing; whoever waited is told by `_switch_off`.
        await _until_gone(client, client.drain())

    # The radio

    async def _switch_on(self) -> None:
        profile = self._device.radio
        self._controller = AirController("peripheral", self._air, "00:00:00:00:00:00")
        self._host = Device.from_config_with_hci(
            DeviceConfiguration(
                name=profile.name,
                address=hci.Address(profile.address),
                irk=bytes(hci.Address(profile.address)) * 2 + bytes(4),
            ),
            self._controller,
            AsyncPipeSink(self._controller),
        )
        self._host.host.snooper = self._snooper
        self._host.keystore = self._device.bonds or MemoryKeyStore()
        self._device.bonds = self._host.keystore
        has_display = profile.access is Access.AUTHENTICATED
        self._host.pairing_config_factory = lambda _: PairingConfig(
            mitm=has_display,
            delegate=_Display(self._device) if has_display else PairingDelegate(),
        )
        self._host.gatt_server.max_mtu = profile.mtu
        self._host.add_service(self._service())
        self._host.on(Device.EVENT_CONNECTION, self._connected)
        await self._host.power_on()
        await self._advertise()

    async def _switch_off(self) -> None:
        controller, host = self._controller, self._host
        self._controller = self._host = self._characteristic = None
        for client in list(self._clients.values()):
            client.emit(Connection.EVENT_DISCONNECTION, hci.HCI_CONNECTION_TIMEOUT_ERROR)
        self._clients.clear()
        self._interval_requests.stop()
        if controller is not None and host is not None:
            await host.power_off()
            controller.leave()

    def _service(self) -> Service:
        permissions = Attribute.WRITEABLE
        if self._device.radio.access is not Access.OPEN:
            permissions |= Attribute.WRITE_REQUIRES_ENCRYPTION
        characteristic: Characteristic[bytes] = Characteristic(
            SMP_CHARACTERISTIC,
            Characteristic.Properties.WRITE_WITHOUT_RESPONSE | Characteristic.Properties.NOTIFY,
            permissions,
            CharacteristicValue(write=self._written),
        )
        assert self._host is not None
        server = self._host.gatt_server

        async def subscribe(client: Connection, value: bytes) -> None:
            await self._require_access(client)
            server.write_cccd(client, characteristic, value)

        # Zephyr protects the subscription like the characteristic.
        characteristic.descriptors = [
            Descriptor(
                GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
                Attribute.READABLE | permissions,
                AttributeValue(
                    read=lambda client: server.read_cccd(client, characteristic), write=subscribe
                ),
            )
        ]
        self._characteristic = characteristic
        return Service(SMP_SERVICE, [characteristic])

    async def _advertise(self) -> None:
        profile = self._device.radio
        flags = AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE
        data = AdvertisingData(
            [data_types.Flags(flags | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED)]
        )
        if profile.advertise_service:
            data.ad_structures += AdvertisingData(
                [data_types.CompleteListOf128BitServiceUUIDs([SMP_SERVICE])]
            ).ad_structures
        name = profile.name.encode()
        room = _ADVERTISEMENT_SIZE - len(bytes(data)) - 2
        kind = AdvertisingData.Type.COMPLETE_LOCAL_NAME
        if len(name) > room:
            kind, name = AdvertisingData.Type.SHORTENED_LOCAL_NAME, name[:room]
        data.ad_structures.append((kind, name))
        assert self._host is not None
        await self._host.start_advertising(
            auto_restart=True,
            advertising_data=bytes(data),
            advertising_interval_min=_ADVERTISING_INTERVAL,
            advertising_interval_max=_ADVERTISING_INTERVAL,
        )

    def _connected(self, client: Connection) -> None:
        number = next(self._numbers)
        self._clients[number] = client

        def disconnected(_reason: int) -> None:
            if self._clients.pop(number, None) is not None:
                self._device.disconnected()

        client.on(Connection.EVENT_DISCONNECTION, disconnected)

    async def _require_access(self, client: Connection) -> None:
        """Refuse a connection that was paired without a passkey, where one is needed.

        Bumble takes every paired connection for an authenticated one.
        """
        if self._device.radio.access is not Access.AUTHENTICATED:
            return
        bonds = self._device.bonds
        keys = await bonds.get(str(client.peer_address)) if bonds is not None else None
        if keys is None or keys.ltk is None or not keys.ltk.authenticated:
            raise att.ATT_Error(att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR)

    async def _written(self, client: Connection, value: bytes) -> None:
        with suppress(att.ATT_Error):  # a write without response is lost without a word
            await self._require_access(client)
            self._take(client, value)

    def _take(self, client: Connection, value: bytes) -> None:
        for number, known in self._clients.items():
            if known is client:
                self._interval_requests.request_from(client)
                self._device.take(value, self._clock.now(), number)
                self._work.set()


class VirtualRadio:
    """An air with a device on it, or several, and controllers for those who want to update it."""

    def __init__(
        self,
        device: ServedDevice,
        clock: Clock | None = None,
        timing: LinkTiming | None = None,
        loss_delay: float = 0.0,
    ) -> None:
        """Nothing is on before `open` or `switch_on`. Without `timing` data takes no time."""
        self._loss_delay = loss_delay
        self._devices = [device]
        self._clock = clock or Clock()
        self._timing = timing
        self._air: Air | None = None
        self._peripherals: list[VirtualPeripheral] = []
        self._controllers: list[AirController] = []
        self._numbers = itertools.count()
        self._snooper: Snooper | None = None

    def log_packets(self, stream: BinaryIO) -> None:
        """Write every HCI packet of the devices to `stream`, as btsnoop; before they are on."""
        self._snooper = BtSnooper(stream)

    def add_device(self, device: ServedDevice) -> None:
        """Put another device on the same air, with an address of its own; before it is on.

        Each connection has the air's whole time: what several lose to each other is not played.
        """
        self._devices.append(device)

    async def switch_on(self) -> None:
        """Put the devices on the air."""
        self._air = TimedAir(self._timing, self._clock) if self._timing else Air(self._loss_delay)
        for device in self._devices:
            peripheral = VirtualPeripheral(device, self._air, self._clock, self._snooper)
            self._peripherals.append(peripheral)
            await peripheral.start()

    def add_controller(self) -> AirController:
        """Return another controller on the air, for a host that is to reach the device."""
        assert self._air is not None
        number = next(self._numbers) & 0xFFFF
        address = f"F0:F1:F2:F3:{number >> 8:02X}:{number & 0xFF:02X}"
        controller = AirController("central", self._air, address)
        self._controllers.append(controller)
        return controller

    def remove_controller(self, controller: AirController) -> None:
        """Take a controller off the air."""
        controller.leave()
        if controller in self._controllers:
            self._controllers.remove(controller)

    async def open(self) -> Transport:
        """Switch on the device; return the HCI transport of another controller."""
        await self.switch_on()
        controller = self.add_controller()
        return Transport(controller, AsyncPipeSink(controller))

    async def close(self) -> None:
        """Switch everything off; the device stays as it is."""
        for controller in list(self._controllers):
            self.remove_controller(controller)
        peripherals, self._peripherals = self._peripherals, []
        for peripheral in peripherals:
            await peripheral.stop()
        air, self._air = self._air, None
        if air is not None:
            await air.close()

    @property
    def air(self) -> Air | None:
        """What the device is on, `None` while everything is off."""
        return self._air


class _Display(PairingDelegate):
    """A device that shows a passkey, for the other side to type in."""

    def __init__(self, device: ServedDevice) -> None:
        super().__init__(PairingDelegate.DISPLAY_OUTPUT_ONLY)
        self._device = device

    async def generate_passkey(self) -> int:
        return self._device.radio.passkey

    async def display_number(self, number: int, digits: int) -> None:
        self._device.show_passkey(number)


async def _until_gone(client: Connection, work: Awaitable[None]) -> None:
    """Wait for `work`, or for the end of the connection."""
    task = asyncio.ensure_future(work)

    def gone(_reason: int) -> None:
        task.cancel()

    client.on(Connection.EVENT_DISCONNECTION, gone)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled() or _is_cancelling():
            raise
    finally:
        client.remove_listener(Connection.EVENT_DISCONNECTION, gone)
        task.cancel()


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    # Python 3.10 does not tell; a cancelled `stop` is then noticed at the next wait.
    cancelling: Callable[[], int] | None = getattr(task, "cancelling", None)
    return cancelling is not None and cancelling() > 0
