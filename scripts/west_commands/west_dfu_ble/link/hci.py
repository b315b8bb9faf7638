# SPDX-License-Identifier: Apache-2.0
"""Bluetooth LE through a controller of our own: USB dongle, serial, TCP (Bumble).

Unlike the system's stack this one lets us ask for everything that makes an update fast: a large
MTU, long packets, the 2M PHY and a short interval; each is taken as it comes if refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import BinaryIO

from bumble import att, hci
from bumble.device import Connection, ConnectionParametersPreferences, Device
from bumble.gatt_client import CharacteristicProxy
from bumble.keys import KeyStore
from bumble.transport import open_transport
from bumble.transport.common import Transport

from ..diagnostics import DfuBleError
from . import hci_faults, hci_gatt
from .hci_controller import Controller, Opener, stored_bonds
from .hci_scan import Sighting, listen
from .inbox import Inbox
from .model import AskPasskey, Link, LinkLost, LinkTraits, Seen
from .reaching import reach
from .search import Target
from .sending import Sender

# Seconds.
_CONNECT_TIME = 10.0
_STEP_TIME = 3.0
_CONTROLLER_GONE = "the Bluetooth controller is gone"
_PAUSE = 0.2
# ms. A device that resets vanishes without a word, and is missed only after so long.
_SUPERVISION = 2000


def open_link(
    argument: str, device: str | None, virtual: object | None, ask: AskPasskey | None
) -> Link:
    """Make the link `hci:SPEC`; for `link.open_link`."""
    return HciLink(
        "hci", argument, lambda: open_transport(argument), device, keystore=stored_bonds, ask=ask
    )


def open_links(argument: str, devices: Mapping[str, AskPasskey | None]) -> list[Link]:
    """Make links to several devices through one controller; for `link.open_links`."""

    def opener() -> Awaitable[Transport]:
        return open_transport(argument)

    controller = Controller(argument, opener, stored_bonds)
    return [
        HciLink("hci", argument, opener, device, ask=ask, controller=controller)
        for device, ask in devices.items()
    ]


async def scan(argument: str, timeout: float, *, virtual: object | None = None) -> list[Seen]:
    """Listen for `timeout` seconds to who advertises. Raises `DfuBleError` LK401 or LK408."""
    return await scan_with(Controller(argument, lambda: open_transport(argument)), timeout)


async def scan_with(controller: Controller, timeout: float) -> list[Seen]:
    """Switch the controller on for `timeout` seconds to listen. As `scan` otherwise."""
    try:
        await controller.open(scan)
        heard = await listen(controller.scan, timeout, lambda _: None)
    finally:
        await controller.close(scan)
    return [sighting.seen for sighting in heard]


class HciLink:
    """The way to one device through a controller of our own; see `Link`."""

    def __init__(
        self,
        kind: str,
        spec: str,
        opener: Opener,
        device: str | None,
        keystore: Callable[[], KeyStore] | None = None,
        ask: AskPasskey | None = None,
        controller: Controller | None = None,
    ) -> None:
        """Look for `device`, a name or an address; `None` is the only one with the SMP service.

        `controller` is one that other links use too; without it the link has its own.
        """
        self._kind = kind
        self._ask = ask
        self._controller = controller or Controller(spec, opener, keystore, ask)
        self._controller.claims.ask(self, device)
        self._target = Target(device)
        self._connection: Connection | None = None
        self._characteristic: CharacteristicProxy[bytes] | None = None
        self._inbox = Inbox()
        self._inbox.close("not connected")
        self._sender = Sender()

    @property
    def traits(self) -> LinkTraits:
        """What the link can do; valid while connected."""
        known = self._target.known
        peer = (known.name or known.address) if known else self._target.asked or "the device"
        mtu = self._connection.att_mtu if self._connection else att.ATT_DEFAULT_MTU
        return LinkTraits(
            self._kind,
            peer,
            mtu - 3,
            splits_frames=True,
            address=known.address if known else "",
            drops_on_reset=True,
        )

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""
        return self._inbox.lost is None

    def log_packets(self, stream: BinaryIO) -> None:
        """Write every HCI packet of the controller to `stream`, as btsnoop; before it is opened."""
        self._controller.log_packets(stream)

    async def connect(self, timeout: float) -> None:
        """Find the device and open the link, trying again where that may help.

        Raises `DfuBleError`: LK401 the controller can't be used, LK402 not found, LK403 no
        connection, LK404 no SMP service, LK405 pairing failed.
        """
        await self._hang_up()
        device, scan = await self._controller.open(self), self._controller.scan
        self._target = await reach(
            self._target,
            timeout,
            _PAUSE,
            lambda seconds, until: listen(scan, seconds, until),
            lambda found: self._open(device, found),
            self._controller.claims,
            self,
        )

    async def disconnect(self) -> None:
        """Close the link and let go of the controller; never raises."""
        await self._hang_up()
        await self._controller.close(self)

    async def send(self, frame: bytes) -> None:
        """Write one frame in pieces of `max_write`. Raises `LinkLost` if the link is down."""
        characteristic = self._characteristic
        if characteristic is None or self._inbox.lost is not None:
            raise LinkLost(self._inbox.lost or "not connected")
        await self._sender.run(self._write(characteristic, frame))

    async def receive(self) -> bytes:
        """Wait for the next notification. Raises `LinkLost` once the link is down."""
        return await self._inbox.get()

    async def _write(self, characteristic: CharacteristicProxy[bytes], frame: bytes) -> None:
        size = self.traits.max_write
        for start in range(0, len(frame), size):
            if self._inbox.lost is not None:
                raise LinkLost(self._inbox.lost)
            await characteristic.write_value(frame[start : start + size])

    async def _hang_up(self) -> None:
        self._inbox.close("the link was closed")
        self._sender.stop()
        connection, self._connection = self._connection, None
        self._characteristic = None
        if connection is not None and connection.handle in connection.device.connections:
            with suppress(Exception):
                await asyncio.wait_for(connection.disconnect(), _STEP_TIME)

    async def _open(self, device: Device, found: Sighting) -> None:
        peer = found.seen.name or found.seen.address
        self._controller.ask_for(found.address, self._ask)
        try:
            async with self._controller.scan.quiet():
                connection = await _connect(device, found.address)
        except asyncio.CancelledError as error:
            if not self._controller.is_gone or _is_asked_for(error):
                raise
            gone = ConnectionError(_CONTROLLER_GONE)
            raise hci_faults.controller_fault(self._controller.spec, gone) from error
        except Exception as error:
            raise hci_faults.connect_fault(peer, error, _CONNECT_TIME) from error
        inbox = Inbox()
        connection.on(Connection.EVENT_DISCONNECTION, lambda reason: inbox.close(_why_lost(reason)))
        device.host.on("flush", lambda: inbox.close(_CONTROLLER_GONE))
        self._connection, self._inbox = connection, inbox
        try:
            await hci_gatt.tune(connection)
            characteristic = await hci_gatt.find_characteristic(connection, peer)
            await hci_gatt.subscribe(characteristic, connection, inbox, peer)
        except BaseException as error:
            lost = inbox.lost
            await self._hang_up()
            if isinstance(error, DfuBleError) or _is_asked_for(error):
                raise
            said = LinkLost(lost) if lost else error
            raise hci_faults.connect_fault(peer, said, _CONNECT_TIME) from error
        self._characteristic = characteristic


async def _connect(device: Device, address: hci.Address) -> Connection:
    preferences = ConnectionParametersPreferences(
        connection_interval_min=7.5, connection_interval_max=15, supervision_timeout=_SUPERVISION
    )
    try:
        # Bumble's own time-out does not end the attempt on every Python.
        return await asyncio.wait_for(
            device.connect(
                address,
                connection_parameters_preferences={hci.Phy.LE_1M: preferences},
                timeout=None,
            ),
            _CONNECT_TIME,
        )
    except BaseException:
        with suppress(Exception):
            await asyncio.wait_for(
                device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command()),
                _STEP_TIME,
            )
        raise


def _is_asked_for(error: BaseException) -> bool:
    """Tell an end that somebody asked for from a loss: Bumble cancels what waits on a lost link."""
    if isinstance(error, asyncio.CancelledError):
        cancelling = getattr(asyncio.current_task(), "cancelling", None)  # from Python 3.11 on
        return cancelling is None or cancelling() > 0
    return not isinstance(error, Exception)


def _why_lost(reason: int) -> str:
    if reason == hci.HCI_CONNECTION_TIMEOUT_ERROR:
        return "the device is not heard any more"
    return f"the device disconnected (reason 0x{reason:02x})"
