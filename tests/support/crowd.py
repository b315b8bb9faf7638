# SPDX-License-Identifier: Apache-2.0
"""Several virtual boards on one air, each with an address of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from boards import make_board
from west_dfu_ble.virtual import RadioProfile, VirtualDevice
from west_dfu_ble.virtual.hci_server import HciServer


def address_of(number: int) -> str:
    """The address of board `number`, from 1."""
    return f"C0:FF:EE:00:01:{number:02X}"


def make_crowd(names: Sequence[str], **changes: Any) -> list[VirtualDevice]:
    """Boards of these names, the first at `address_of(1)`; `changes` as for `make_board`."""
    return [
        make_board(radio=RadioProfile(name=name, address=address_of(number)), **changes)
        for number, name in enumerate(names, 1)
    ]


@asynccontextmanager
async def served(boards: Sequence[VirtualDevice]) -> AsyncIterator[str]:
    """Serve the boards' one air; gives the link that leads there."""
    radio = boards[0].on_air()
    for board in boards[1:]:
        radio.add_device(board)
    await radio.switch_on()
    server = HciServer(radio)
    try:
        yield f"hci:tcp-client:127.0.0.1:{await server.start('127.0.0.1', 0)}"
    finally:
        await server.close()
        await radio.close()
