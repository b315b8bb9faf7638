# SPDX-License-Identifier: Apache-2.0
"""Bluetooth Low Energy through the operating system's stack (bleak).

Requests are written without response, answers come as notifications. The system decides on MTU,
PHY and connection interval; all that can be done is to ask what became of them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from ..diagnostics import DfuBleError
from ..faults import fault
from .ble_faults import adapter_fault, connect_fault, pairing_fault, wants_pairing
from .ble_scan import Connected, Sighting, connected_devices, listen, receiver
from .gatt import SMP_CHARACTERISTIC, SMP_SERVICE
from .gatt_faults import smp_missing, text_of
from .inbox import Inbox
from .model import AskPasskey, Link, LinkLost, LinkTraits, Seen
from .reaching import reach
from .search import Target
from .sending import Sender
from .sharing import Claims, SharedScan

# Seconds for one try to connect, service discovery and all; bleak's own default is 30.
_CONNECT_TIME = 15.0
_PAUSE = 0.5
# ATT's default MTU of 23 less 3. Windows says so until the exchange is through, which takes up to
# a second after the connection (bleak, `max_write_without_response_size`).
_LEAST_WRITE = 20
_ATT_HEADER = 3
_MTU_TIME = 1.0
_DISCONNECT_TIME = 10.0
# A pairing that makes no progress fails after 30 s (Bluetooth Core 5.4, 3.H.3.4).
_PAIRING_TIME = 35.0


def _system_agent(device: BLEDevice, ask: AskPasskey | None) -> AbstractAsyncContextManager[None]:
    path = device.details.get("path") if isinstance(device.details, dict) else None
    if sys.platform != "linux" or not isinstance(path, str):
        return nullcontext()  # macOS and Windows ask the user themselves
    from .bluez_agent import pairing_agent

    return pairing_agent(path, ask)


async def _system_mtu(characteristic: BleakGATTCharacteristic) -> int | None:
    path = characteristic.obj[0] if isinstance(characteristic.obj, tuple) else None
    if sys.platform != "linux" or not isinstance(path, str):
        return None  # bleak asks macOS and Windows each time
    from .bluez_mtu import negotiated_mtu

    with suppress(Exception):
        return await asyncio.wait_for(negotiated_mtu(path), _MTU_TIME)
    return None


@dataclass(frozen=True)
class Stack:
    """Which Bluetooth stack bleak uses, as keywords for its classes; by default the system's.

    `agent` answers the stack's questions while a device pairs. `mtu` tells the ATT MTU in bytes, or
    `None` where bleak's own word for the largest write is as good. `connected` tells which devices
    the system is connected with already.
    """

    scanner: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    agent: Callable[[BLEDevice, AskPasskey | None], AbstractAsyncContextManager[None]] = (
        _system_agent
    )
    mtu: Callable[[BleakGATTCharacteristic], Awaitable[int | None]] = _system_mtu
    connected: Connected = connected_devices


@dataclass(frozen=True)
class Adapter:
    """What the links of a run share: the system's one adapter, and who has which device."""

    scan: SharedScan
    claims: Claims = field(default_factory=Claims)


def open_link(
    argument: str, device: str | None, virtual: object | None, ask: AskPasskey | None
) -> Link:
    """Make the link `ble`; for `link.open_link`."""
    return BleLink(device, ask=ask)


def open_links(
    argument: str, devices: Mapping[str, AskPasskey | None], stack: Stack | None = None
) -> list[Link]:
    """Make links to several devices over the one adapter; for `link.open_links`."""
    stack = stack or Stack()
    adapter = Adapter(SharedScan(partial(receiver, stack.scanner)))
    return [BleLink(device, stack, ask, adapter) for device, ask in devices.items()]


async def scan(
    argument: str, timeout: float, stack: Stack | None = None, *, virtual: object | None = None
) -> list[Seen]:
    """Listen for `timeout` seconds to who advertises. Raises `DfuBleError` LK401."""
    stack = stack or Stack()
    shared = SharedScan(partial(receiver, stack.scanner))
    heard = await listen(timeout, lambda _: None, shared, stack.connected)
    return [sighting.seen for sighting in heard]


class BleLink:
    """The way to one device over the system's Bluetooth; see `Link`.

    `connect` gives the search its `timeout`; a connection that is begun within it has up to 15 s.
    """

    def __init__(
        self,
        device: str | None,
        stack: Stack | None = None,
        ask: AskPasskey | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        """Look for `device`, a name or an address; `None` is the only one with the SMP service.

        `ask` gets the passkey that the device shows; on Linux alone, other systems ask themselves.
        `adapter` is what other links of the run use too.
        """
        self._target = Target(device)
        self._stack = stack or Stack()
        self._ask = ask
        self._adapter = adapter or Adapter(SharedScan(partial(receiver, self._stack.scanner)))
        self._adapter.claims.ask(self, device)
        self._client: BleakClient | None = None
        self._characteristic: BleakGATTCharacteristic | None = None
        self._inbox = Inbox()
        self._inbox.close("not connected")
        self._max_write = _LEAST_WRITE
        self._sender = Sender()

    @property
    def traits(self) -> LinkTraits:
        """What the link can do; valid while connected."""
        known = self._target.known
        peer = (known.name or known.address) if known else self._target.asked or "the device"
        address = known.address if known else ""
        return LinkTraits(
            "ble",
            peer,
            self._max_write,
            splits_frames=True,
            address=address,
            drops_on_reset=True,
        )

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""
        return self._inbox.lost is None

    async def connect(self, timeout: float) -> None:
        """Find the device and open the link, trying again where that may help.

        Raises `DfuBleError`: LK401 Bluetooth cannot be used, LK402 not found, LK403 no connection,
        LK404 no SMP service, LK405 pairing failed.
        """
        await self.disconnect()
        scan, connected = self._adapter.scan, self._stack.connected
        self._target = await reach(
            self._target,
            timeout,
            _PAUSE,
            lambda seconds, until: listen(seconds, until, scan, connected),
            self._open,
            self._adapter.claims,
            self,
        )

    async def disconnect(self) -> None:
        """Close the link; never raises, and does nothing if it is closed."""
        self._inbox.close("the link was closed")
        client, self._client = self._client, None
        self._characteristic = None
        self._sender.stop()
        if client is not None:
            with suppress(Exception):
                await asyncio.wait_for(client.disconnect(), _DISCONNECT_TIME)

    async def send(self, frame: bytes) -> None:
        """Write one frame in pieces of `max_write`, nothing between them.

        Raises `LinkLost` if the link is down, `DfuBleError` LK405 if the device wants pairing.
        """
        client, characteristic = self._client, self._characteristic
        if client is None or characteristic is None or self._inbox.lost is not None:
            raise LinkLost(self._inbox.lost or "not connected")
        await self._sender.run(self._write(client, characteristic, frame))

    async def receive(self) -> bytes:
        """Wait for the next notification. Raises `LinkLost` once the link is down."""
        return await self._inbox.get()

    async def _write(
        self, client: BleakClient, characteristic: BleakGATTCharacteristic, frame: bytes
    ) -> None:
        try:
            for start in range(0, len(frame), self._max_write):
                piece = frame[start : start + self._max_write]
                await client.write_gatt_char(characteristic, piece, response=False)
        except Exception as error:
            if client.is_connected and wants_pairing(error):
                raise pairing_fault(
                    error, self.traits.peer, client.address, paired=False
                ) from error
            raise LinkLost(text_of(error)) from error

    async def _open(self, found: Sighting) -> None:
        peer = found.seen.name or found.seen.address
        inbox = Inbox()
        client = BleakClient(
            found.device,
            disconnected_callback=lambda _: inbox.close("the device disconnected"),
            services=[SMP_SERVICE],
            timeout=_CONNECT_TIME,
            # Windows remembers the services of the firmware that was there before.
            winrt={"use_cached_services": False},
            **self._stack.client,
        )
        try:
            # One after the other, pairing and all: BlueZ asks the agent that came last, and
            # refuses a second question while one is open.
            async with self._adapter.scan.quiet(), self._stack.agent(found.device, self._ask):
                await asyncio.wait_for(client.connect(), _CONNECT_TIME)
                characteristic = _smp_characteristic(client, peer)
                await _subscribe(client, characteristic, inbox, peer)
            self._max_write = await _max_write(characteristic, client, self._stack)
        except BaseException as error:
            with suppress(Exception):
                await asyncio.wait_for(client.disconnect(), _DISCONNECT_TIME)
            if isinstance(error, DfuBleError) or not isinstance(error, Exception):
                raise
            raise connect_fault(error, peer, _CONNECT_TIME) from error
        self._client, self._characteristic, self._inbox = client, characteristic, inbox


def _smp_characteristic(client: BleakClient, peer: str) -> BleakGATTCharacteristic:
    # bleak holds a service collection without any service for a discovery that did not happen
    try:
        service = client.services.get_service(SMP_SERVICE)
    except BleakError:
        service = None
    characteristic = service.get_characteristic(SMP_CHARACTERISTIC) if service else None
    if characteristic is None:
        raise smp_missing(
            peer,
            "has no SMP service"
            if service is None
            else "has an SMP service without the SMP characteristic",
        )
    lacking = {"write-without-response", "notify"} - set(characteristic.properties)
    if lacking:
        raise fault(
            "LK404",
            f"the SMP characteristic of {peer} lacks {' and '.join(sorted(lacking))}",
            notes=[f"it has: {', '.join(characteristic.properties) or 'nothing'}"],
            helps=[
                "forget the device in the system's Bluetooth settings, and try again: "
                "the system may remember other firmware"
            ],
        )
    return characteristic


async def _subscribe(
    client: BleakClient, characteristic: BleakGATTCharacteristic, inbox: Inbox, peer: str
) -> None:
    """Ask for notifications, and pair if the device wants that first.

    Zephyr protects the subscription like the characteristic itself, so it is here that it shows.
    """

    def notified(_: BleakGATTCharacteristic, data: bytearray) -> None:
        inbox.put(bytes(data))

    async def subscribe() -> None:
        # BlueZ pairs by itself where it is refused, and never answers if the device then wants a
        # passkey (5.66 and 5.82; the kernel's second pairing fails, and the request just stays).
        try:
            await asyncio.wait_for(client.start_notify(characteristic, notified), _PAIRING_TIME)
        except asyncio.TimeoutError:  # in Python 3.10 not the built-in one
            silence = BleakError(f"nothing, {_PAIRING_TIME:.0f} s long")
            raise pairing_fault(silence, peer, client.address, paired=True) from None

    try:
        await subscribe()
    except Exception as error:
        if not wants_pairing(error):
            raise
    else:
        return
    try:
        await asyncio.wait_for(client.pair(), _PAIRING_TIME)
    except Exception as error:
        raise adapter_fault(error) or pairing_fault(
            error, peer, client.address, paired=False
        ) from error
    try:
        await subscribe()
    except Exception as error:
        if not wants_pairing(error):
            raise
        raise pairing_fault(error, peer, client.address, paired=True) from error


async def _max_write(
    characteristic: BleakGATTCharacteristic, client: BleakClient, stack: Stack
) -> int:
    end = asyncio.get_running_loop().time() + _MTU_TIME
    while (size := await _write_size(characteristic, stack)) <= _LEAST_WRITE:
        if asyncio.get_running_loop().time() >= end:
            break
        await asyncio.sleep(0.1)
    if not client.is_connected:
        raise BleakError("the device disconnected")
    return max(size, _LEAST_WRITE)


async def _write_size(characteristic: BleakGATTCharacteristic, stack: Stack) -> int:
    mtu = await stack.mtu(characteristic)
    if mtu is None:
        return characteristic.max_write_without_response_size
    return mtu - _ATT_HEADER
