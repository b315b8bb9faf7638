# SPDX-License-Identifier: Apache-2.0
"""What is done with a fresh connection: tune it, find the SMP characteristic, subscribe, pair."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bumble import att, core, hci
from bumble.device import Connection, Peer
from bumble.gatt import Characteristic
from bumble.gatt_client import CharacteristicProxy

from . import hci_faults
from .gatt import SMP_CHARACTERISTIC, SMP_SERVICE
from .gatt_faults import smp_missing
from .inbox import Inbox

# Seconds.
_STEP_TIME = 3.0
_DISCOVERY_TIME = 10.0
_PAIRING_TIME = 30.0
# The MTU of Nordic's samples: 495 bytes of data in two packets of 251 (`CONFIG_BT_L2CAP_TX_MTU`).
_MTU = 498
_DATA_LENGTH = 251
_DATA_TIME = 2120  # µs, 251 bytes on 1M (Bluetooth Core 5.4, 6.B.4.5.10)
_SECURITY = (
    att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR,
    att.ATT_INSUFFICIENT_ENCRYPTION_ERROR,
    att.ATT_INSUFFICIENT_AUTHORIZATION_ERROR,
)


async def tune(connection: Connection) -> None:
    """Ask for all that makes an update fast; a controller or a device that refuses is all right."""
    with suppress(hci.HCI_Error, asyncio.TimeoutError):
        await asyncio.wait_for(connection.set_data_length(_DATA_LENGTH, _DATA_TIME), _STEP_TIME)
    with suppress(hci.HCI_Error, asyncio.TimeoutError):
        await asyncio.wait_for(connection.set_phy([hci.Phy.LE_2M], [hci.Phy.LE_2M]), _STEP_TIME)
    with suppress(att.ATT_Error):
        await asyncio.wait_for(Peer(connection).request_mtu(_MTU), _STEP_TIME)


async def find_characteristic(connection: Connection, peer: str) -> CharacteristicProxy[bytes]:
    """Return the SMP characteristic. Raises `DfuBleError` LK404 if there is none."""
    client = Peer(connection)
    services = await asyncio.wait_for(
        client.discover_service(core.UUID(SMP_SERVICE)), _DISCOVERY_TIME
    )
    if not services:
        raise smp_missing(peer, "has no SMP service")
    found = await asyncio.wait_for(
        client.discover_characteristics([core.UUID(SMP_CHARACTERISTIC)], services[0]),
        _DISCOVERY_TIME,
    )
    if not found:
        raise smp_missing(peer, "has an SMP service without the SMP characteristic")
    wanted = Characteristic.Properties.WRITE_WITHOUT_RESPONSE | Characteristic.Properties.NOTIFY
    if found[0].properties & wanted != wanted:
        raise smp_missing(peer, "has an SMP characteristic that can't be written or notify")
    return found[0]


async def subscribe(
    characteristic: CharacteristicProxy[bytes], connection: Connection, inbox: Inbox, peer: str
) -> None:
    """Ask for notifications, and pair if the device wants that first.

    Zephyr protects the subscription like the characteristic itself, so it is here that it shows.
    """
    try:
        await asyncio.wait_for(characteristic.subscribe(inbox.put), _DISCOVERY_TIME)
    except att.ATT_Error as error:
        if error.error_code not in _SECURITY:
            raise
    else:
        return
    try:
        await asyncio.wait_for(_secure(connection), _PAIRING_TIME)
    except Exception as error:
        raise hci_faults.pairing_fault(peer, error, paired=False) from error
    try:
        await asyncio.wait_for(characteristic.subscribe(inbox.put), _DISCOVERY_TIME)
    except att.ATT_Error as error:
        raise hci_faults.pairing_fault(peer, error, paired=True) from error


async def _secure(connection: Connection) -> None:
    """Encrypt with the keys of an earlier pairing, or pair (Just Works)."""
    store, address = connection.device.keystore, str(connection.peer_address)
    if store is not None and await store.get(address) is not None:
        try:
            await connection.encrypt()
        except hci.HCI_Error:
            # The device has forgotten us: so must we.
            await store.delete(address)
        else:
            return
    await connection.pair()
