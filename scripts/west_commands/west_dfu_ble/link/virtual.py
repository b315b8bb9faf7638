# SPDX-License-Identifier: Apache-2.0
"""Bluetooth LE to a device that isn't there: the link `hci` on a controller of its own air.

Only bytes are shared with the virtual device: HCI packets of two Bumble stacks on two virtual
controllers.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

from bumble.keys import KeyStore, MemoryKeyStore
from bumble.transport.common import Transport

from ..faults import fault
from .hci import HciLink, scan_with
from .hci_controller import Controller
from .model import AskPasskey, Link, LinkTraits, Seen

_LOOKS, _LOOK_PAUSE = 100, 0.01


class Radio(Protocol):
    """An air with a device on it."""

    async def open(self) -> Transport:
        """Switch it on, and return the HCI transport of another controller on it."""

    async def close(self) -> None:
        """Switch it off."""


class OnAir(Protocol):
    """A virtual device, as far as a link knows it."""

    @property
    def address(self) -> str:
        """Its Bluetooth address."""

    @property
    def shown_passkey(self) -> int | None:
        """What its display shows while somebody pairs."""

    def on_air(self) -> Radio:
        """Make a radio to reach it by."""


def open_link(
    argument: str, device: str | None, virtual: object | None, ask: AskPasskey | None
) -> Link:
    """Make the link `virtual`; for `link.open_link`. Without `device` it is the one there is."""
    return VirtualLink(_on_air(virtual), device)


async def scan(argument: str, timeout: float, *, virtual: object | None = None) -> list[Seen]:
    """Listen for `timeout` seconds to the virtual device. Raises `DfuBleError` LK408."""
    radio = _on_air(virtual).on_air()
    try:
        return await scan_with(Controller(argument, radio.open), timeout)
    finally:
        await radio.close()


def _on_air(virtual: object | None) -> OnAir:
    if virtual is None:
        raise fault(
            "LK408",
            "the link 'virtual' leads to no device",
            why="A virtual device is made from a build directory, or from an image.",
            helps=["give --build-dir DIR or --from FILE with --link virtual"],
        )
    return virtual  # type: ignore[return-value]  # checked when it is used


class VirtualLink(HciLink):
    """The way to a virtual device over two real Bluetooth stacks."""

    def __init__(self, virtual: OnAir, device: str | None = None) -> None:
        """Lead to `virtual`, by its address unless `device` names it otherwise."""
        self._radio = virtual.on_air()
        self._keys: KeyStore = MemoryKeyStore()
        super().__init__(
            "virtual",
            "virtual",
            self._radio.open,
            device or virtual.address,
            keystore=lambda: self._keys,
            ask=self._read_display,
        )
        self._virtual = virtual

    @property
    def traits(self) -> LinkTraits:
        """What the link can do; valid while connected."""
        return replace(super().traits, in_process=True)

    async def _read_display(self) -> int | None:
        # The device may need a moment to show it.
        for _ in range(_LOOKS):
            if self._virtual.shown_passkey is not None:
                return self._virtual.shown_passkey
            await asyncio.sleep(_LOOK_PAUSE)
        return None

    async def disconnect(self) -> None:
        """Close the link and switch the air off; the device itself stays as it is."""
        await super().disconnect()
        await self._radio.close()
