# SPDX-License-Identifier: Apache-2.0
"""What is made of advertisements by the link `hci`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from bumble import core, hci
from bumble.device import Advertisement

from west_dfu_ble.link.hci_scan import listen
from west_dfu_ble.link.sharing import SharedScan, Tell

SHORT, FULL = (
    core.AdvertisingData.Type.SHORTENED_LOCAL_NAME,
    core.AdvertisingData.Type.COMPLETE_LOCAL_NAME,
)


def names_of(*heard: Sequence[tuple[core.AdvertisingData.Type, bytes]]) -> list[str]:
    """Hear these advertisements of one device, one after the other."""

    @asynccontextmanager
    async def receiver(tell: Tell) -> AsyncIterator[None]:
        for structures in heard:
            data = bytes(core.AdvertisingData(list(structures)))
            tell(Advertisement(hci.Address("C0:FF:EE:00:00:01"), data_bytes=data))
        yield

    found = asyncio.run(listen(SharedScan(receiver), 0.05, lambda _: None))
    return [sighting.seen.name for sighting in found]


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ([[(SHORT, b"Virtual")]], "Virtual"),
        ([[(SHORT, b"Virtual"), (FULL, b"Virtual SMP")]], "Virtual SMP"),
        # A controller that misses a scan response tells of the advertisement alone.
        ([[(FULL, b"Virtual SMP")], [(SHORT, b"Virtual")], []], "Virtual SMP"),
        ([[(FULL, b"Virtual SMP")], [(SHORT, b"Tin")]], "Tin"),
        ([[(FULL, b"Virtual SMP")], [(FULL, b"Virtual")]], "Virtual"),
    ],
)
def test_a_complete_name_is_not_lost_to_its_beginning(
    heard: Sequence[Sequence[tuple[core.AdvertisingData.Type, bytes]]], name: str
) -> None:
    assert names_of(*heard) == [name]
