# SPDX-License-Identifier: Apache-2.0
"""A Bluetooth controller of our own with Bumble's host on it, for one link or for several."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import BinaryIO

from bumble import hci
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.keys import JsonKeyStore, KeyStore, MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.snoop import BtSnooper
from bumble.transport.common import Transport

from . import hci_faults
from .hci_interval import grant_intervals
from .hci_scan import receiver
from .model import AskPasskey
from .sharing import Claims, SharedScan

# Seconds. A controller that is there answers at once; resets of USB dongles take up to a second.
_OPEN_TIME = 5.0
_STEP_TIME = 3.0

Opener = Callable[[], Awaitable[Transport]]


class Controller:
    """A controller that is on while anybody uses it, between `open` and `close`."""

    def __init__(
        self,
        spec: str,
        opener: Opener,
        keystore: Callable[[], KeyStore] | None = None,
        ask: AskPasskey | None = None,
    ) -> None:
        """`keystore` makes the place for pairings; without one they are forgotten.

        Without `ask` devices are paired without a passkey (Just Works).
        """
        self.spec = spec
        self.claims = Claims()
        self._opener = opener
        self._keystore = keystore
        self._ask = ask
        self._asks: dict[str, AskPasskey | None] = {}
        self._users: set[object] = set()
        self._switching = asyncio.Lock()
        self._transport: Transport | None = None
        self._device: Device | None = None
        self._scan: SharedScan | None = None
        self._is_gone = False
        self._snooper: BtSnooper | None = None

    @property
    def scan(self) -> SharedScan:
        """What listens to who advertises; another one each time that the controller is opened."""
        assert self._scan is not None
        return self._scan

    @property
    def is_gone(self) -> bool:
        """Whether the controller was lost since it was opened."""
        return self._is_gone

    def ask_for(self, address: hci.Address, ask: AskPasskey | None) -> None:
        """Let `ask` be asked for the passkey of the device at `address`."""
        self._asks[str(address)] = ask

    def log_packets(self, stream: BinaryIO) -> None:
        """Write every HCI packet to `stream`, as btsnoop, from the next opening on."""
        self._snooper = BtSnooper(stream)

    async def open(self, user: object) -> Device:
        """Return the host, switched on, for `user`. Raises `DfuBleError` LK401 or LK408."""
        async with self._switching:
            self._users.add(user)
            if self._device is not None and not self._is_gone:
                return self._device
            await self._switch_off()
            try:
                self._transport = await asyncio.wait_for(self._opener(), _OPEN_TIME)
                device = Device.from_config_with_hci(
                    _configuration(), self._transport.source, self._transport.sink
                )
                device.host.snooper = self._snooper
                if self._keystore is not None:
                    device.keystore = self._keystore()
                device.pairing_config_factory = self._pairing
                grant_intervals(device)
                await asyncio.wait_for(device.power_on(), _OPEN_TIME)
            except Exception as error:
                self._users.discard(user)
                await self._switch_off()
                raise hci_faults.controller_fault(self.spec, error) from error
            self._device, self._scan = device, SharedScan(partial(receiver, device))
            self._is_gone = False
            device.host.on("flush", partial(self._lose, device))
            return device

    async def close(self, user: object) -> None:
        """Let go of the controller, which is switched off with its last user; never raises."""
        self._users.discard(user)
        async with self._switching:
            if not self._users:
                await self._switch_off()

    async def _switch_off(self) -> None:
        device, self._device = self._device, None
        transport, self._transport = self._transport, None
        if device is not None:
            with suppress(Exception):
                await asyncio.wait_for(device.power_off(), _STEP_TIME)
        if transport is not None:
            with suppress(Exception):
                await asyncio.wait_for(transport.close(), _STEP_TIME)

    def _lose(self, device: Device) -> None:
        # A dongle that was pulled out: who connects next opens it anew.
        if device is self._device:
            self._is_gone = True

    def _pairing(self, connection: Connection) -> PairingConfig:
        ask = self._asks.get(str(connection.peer_address), self._ask)
        return PairingConfig(
            mitm=ask is not None,
            delegate=_Keyboard(ask),
            # The address that we connect from. By itself Bumble names the controller's public one
            # where it has one, and the device never finds the bond again.
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )


class _Keyboard(PairingDelegate):
    """Types in the passkey that the device shows, if there is somebody to ask for it."""

    def __init__(self, ask: AskPasskey | None) -> None:
        super().__init__(
            PairingDelegate.KEYBOARD_INPUT_ONLY if ask else PairingDelegate.NO_OUTPUT_NO_INPUT
        )
        self._ask = ask

    async def get_number(self) -> int | None:
        return await self._ask() if self._ask else None


def _configuration() -> DeviceConfiguration:
    # One address for every run on this computer, so that a device knows it again: static random,
    # which is told by its two highest bits (Bluetooth Core 5.4, 6.B.1.3.2.1).
    seed = hashlib.sha256(b"west-dfu-ble %d" % uuid.getnode()).digest()
    address = bytes([*seed[:5], seed[5] | 0xC0])
    return DeviceConfiguration(
        name="west-dfu-ble",
        address=hci.Address(address, hci.AddressType.RANDOM_DEVICE),
        irk=seed[6:22],
    )


def stored_bonds() -> KeyStore:
    """Return the user's pairings, which outlive the run where they can be written."""
    from platformdirs import user_data_path

    folder = user_data_path("west-dfu-ble", appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return MemoryKeyStore()  # the device is paired anew in every run then
    return JsonKeyStore("west-dfu-ble", str(folder / "bonds.json"))
