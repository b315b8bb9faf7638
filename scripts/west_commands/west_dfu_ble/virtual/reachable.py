# SPDX-License-Identifier: Apache-2.0
"""A virtual device with the air to reach it by, as the link `virtual` asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .clock import Clock
from .device import VirtualDevice
from .timing import LinkTiming

if TYPE_CHECKING:
    from .peripheral import VirtualRadio


@dataclass(frozen=True)
class ReachableDevice:
    """For `link.open_link("virtual", virtual=...)`; the other fields as in `on_air`."""

    device: VirtualDevice
    clock: Clock | None = None
    timing: LinkTiming | None = None
    loss_delay: float = 0.0

    @property
    def address(self) -> str:
        """Its Bluetooth address."""
        return self.device.address

    @property
    def shown_passkey(self) -> int | None:
        """What its display shows."""
        return self.device.shown_passkey

    def on_air(self) -> VirtualRadio:
        """Make a radio to reach it by."""
        return self.device.on_air(self.clock, self.timing, self.loss_delay)
