# SPDX-License-Identifier: Apache-2.0
"""Listen to who advertises, with a controller of our own (Bumble)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bumble import core, hci
from bumble.device import Advertisement, Device

from .gatt import SMP_SERVICE
from .model import Seen
from .search import Until, collect, printable
from .sharing import SharedScan, Tell

# Seconds; a controller that is there answers at once.
_STEP_TIME = 3.0


@dataclass(frozen=True)
class Sighting:
    """A device as Bumble wants it for connecting, and as people want it."""

    address: hci.Address
    seen: Seen


async def listen(scan: SharedScan, seconds: float, until: Until[Sighting]) -> list[Sighting]:
    """Collect sightings for at most `seconds`, as `search.collect` does."""
    heard: dict[str, Sighting] = {}
    changed = asyncio.Event()

    def advertised(advertisement: Advertisement) -> None:
        address = advertisement.address
        before = heard.get(str(address))
        heard[str(address)] = _sighting(advertisement, before.seen if before else None)
        changed.set()

    async with scan.listening(advertised):
        return await collect(seconds, until, heard, changed, lambda: scan.silence)


@asynccontextmanager
async def receiver(device: Device, advertised: Tell) -> AsyncIterator[None]:
    """Scan; for `SharedScan`."""
    device.on(Device.EVENT_ADVERTISEMENT, advertised)
    try:
        await asyncio.wait_for(device.start_scanning(), _STEP_TIME)
        yield
    finally:
        device.remove_listener(Device.EVENT_ADVERTISEMENT, advertised)
        with suppress(Exception):
            await asyncio.wait_for(device.stop_scanning(), _STEP_TIME)


def _sighting(advertisement: Advertisement, before: Seen | None) -> Sighting:
    # A name may come in the scan response alone, and the service in the advertisement alone.
    data = advertisement.data
    name = before.name if before else ""
    for kind in (
        core.AdvertisingData.Type.COMPLETE_LOCAL_NAME,
        core.AdvertisingData.Type.SHORTENED_LOCAL_NAME,
    ):
        raw = data.get(kind, raw=True)
        if isinstance(raw, bytes) and raw:
            said = printable(raw.decode("utf-8", "replace"))
            is_short = kind is core.AdvertisingData.Type.SHORTENED_LOCAL_NAME
            name = name if is_short and name.startswith(said) else said
            break
    smp = core.UUID(SMP_SERVICE).to_bytes()
    listed = b"".join(
        value
        for kind, value in data.ad_structures
        if kind
        in (
            core.AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
            core.AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        )
    )
    has_smp = any(listed[n : n + 16] == smp for n in range(0, len(listed), 16))
    rssi = advertisement.rssi
    seen = Seen(
        name,
        advertisement.address.to_string(with_type_qualifier=False),
        None if rssi == Advertisement.RSSI_NOT_AVAILABLE else rssi,
        has_smp or (before is not None and before.has_smp),
    )
    return Sighting(advertisement.address, seen)
