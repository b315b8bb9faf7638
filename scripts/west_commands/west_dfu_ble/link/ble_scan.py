# SPDX-License-Identifier: Apache-2.0
"""Listen to who advertises, with the operating system's stack (bleak)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from .ble_faults import scan_fault
from .gatt import SMP_SERVICE
from .model import Seen
from .search import Until, collect, printable
from .sharing import SharedScan, Tell

Connected = Callable[[], Awaitable[list[BLEDevice]]]

_CONNECTED_TIME = 2.0
_NO_RSSI = -127  # what BlueZ's backend reports for "not known"


@dataclass(frozen=True)
class Sighting:
    """A device as bleak wants it for connecting, and as people want it."""

    device: BLEDevice
    seen: Seen


async def connected_devices() -> list[BLEDevice]:
    """Return the devices with the SMP service that the system is connected with already.

    BlueZ keeps a connection when the program that made it dies; such a device advertises no more.
    On other systems, and with bleak before 3.1, the list is empty.
    """
    if sys.platform != "linux":
        return []
    with suppress(Exception):  # whatever is wrong, scanning will say it better
        from bleak import BleakAdapter

        adapter = await asyncio.wait_for(BleakAdapter.get(), _CONNECTED_TIME)
        return await asyncio.wait_for(adapter.get_connected_devices([SMP_SERVICE]), _CONNECTED_TIME)
    return []


async def listen(
    seconds: float, until: Until[Sighting], scan: SharedScan, connected: Connected
) -> list[Sighting]:
    """Collect sightings for at most `seconds`, as `search.collect` does.

    `connected` tells who is there without advertising. Raises `DfuBleError` LK401 if the system
    cannot scan.
    """
    heard = {
        device.address: Sighting(
            device, Seen(printable(device.name or ""), device.address, None, has_smp=True)
        )
        for device in await connected()
    }
    changed = asyncio.Event()

    def advertised(device: BLEDevice, data: AdvertisementData) -> None:
        heard[device.address] = _merge(heard.get(device.address), device, data)
        changed.set()

    async with scan.listening(advertised):
        return await collect(seconds, until, heard, changed, lambda: scan.silence)


@asynccontextmanager
async def receiver(scanner: Mapping[str, Any], advertised: Tell) -> AsyncIterator[None]:
    """Scan, for `SharedScan`; `scanner` goes to `BleakScanner`. Raises `DfuBleError` LK401."""

    def heard(device: BLEDevice, data: AdvertisementData) -> None:
        advertised(device, data)  # bleak counts its callback's parameters

    try:
        bleak = BleakScanner(heard, **scanner)
        await bleak.start()
    except Exception as error:
        raise scan_fault(error) from error
    try:
        yield
    finally:
        # Whatever is wrong now, the next thing to be done will say it better.
        with suppress(Exception):
            await bleak.stop()


def _merge(before: Sighting | None, device: BLEDevice, data: AdvertisementData) -> Sighting:
    # A name may come in the scan response alone, and the service in the advertisement alone.
    name = printable(data.local_name or device.name or "")
    has_smp = SMP_SERVICE in (uuid.lower() for uuid in data.service_uuids)
    if before:
        name = name or before.seen.name
        has_smp = has_smp or before.seen.has_smp
    rssi = None if data.rssi == _NO_RSSI else data.rssi
    return Sighting(device, Seen(name, device.address, rssi, has_smp))
