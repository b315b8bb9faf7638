# SPDX-License-Identifier: Apache-2.0
"""What a link is to those who use it: its traits, its methods, and how it fails."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

# Asks somebody for the six digits that the device shows; `None` if nobody can tell.
AskPasskey = Callable[[], Awaitable["int | None"]]


def plain_address(text: str) -> str:
    """Return an address as all its ways of writing have it in common; a name stays as it is."""
    plain = re.sub("[-:]", "", text).lower()
    # A Bluetooth address, or what macOS has in its place: a UUID.
    return plain if re.fullmatch("[0-9a-f]{12}|[0-9a-f]{32}", plain) else text


class LinkLost(Exception):
    """The link went down while somebody was using it; reconnecting may help."""


@dataclass(frozen=True)
class LinkTraits:
    """What a connected link can do, as data.

    `max_write` is the most bytes that reach the device in one piece (on Bluetooth LE the ATT MTU
    less 3). `splits_frames` tells that a longer frame goes out in several pieces which the device
    must put together itself (`CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY`); where it is false the medium
    has a framing of its own (serial) or a frame must fit one datagram (UDP), and `max_write` bounds
    the whole frame. `kind` names the link as the command line does; `peer` is the device's name or
    address for people to read. `frame_limit` is the longest frame in bytes that the link carries
    whatever the server says it can take; `None` if the link sets no limit. `buffer_overhead` is
    what the medium's framing takes of each of the server's buffers, in bytes: a frame longer than
    the server's `buf_size` less this is dropped without an answer. `sure_frame` is the longest
    frame that passes whatever the device has to receive it with; whether a longer one does must be
    tried. `None` if nothing but the above limits it. `address` is the device's own where the medium
    has addresses: names may be those of several devices. `drops_on_reset` tells that the link goes
    down when the device reboots; where it is false nothing shows a reboot. `in_process` tells that
    the device lives in this very process, where nobody else can reach it.
    """

    kind: str
    peer: str
    max_write: int
    splits_frames: bool
    frame_limit: int | None = None
    buffer_overhead: int = 0
    sure_frame: int | None = None
    address: str = ""
    drops_on_reset: bool = False
    in_process: bool = False


@dataclass(frozen=True)
class Seen:
    """A device that a scan saw.

    `address` is what the system calls it: a Bluetooth address, on macOS a UUID. `rssi` is the
    strength of the last advertisement in dBm, `None` where the system does not tell. `has_smp`
    tells that it advertised the SMP service; a device may well have the service and not say so.
    """

    name: str
    address: str
    rssi: int | None
    has_smp: bool


class Link(Protocol):
    """A way to one device. Methods raise `DfuBleError` (LK4xx) or `LinkLost`."""

    @property
    def traits(self) -> LinkTraits:
        """What this link can do; valid while connected."""

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""

    async def connect(self, timeout: float) -> None:
        """Find the device and open the link, within `timeout` seconds.

        May be called again after the link was lost or closed, also for a device that changed its
        address. Raises `DfuBleError` LK4xx; nothing has been sent to the device then.
        """

    async def disconnect(self) -> None:
        """Close the link; never raises, and does nothing if it is closed."""

    async def send(self, frame: bytes) -> None:
        """Send one whole SMP frame, in pieces where the link splits frames.

        Raises `LinkLost` if the link is down.
        """

    async def receive(self) -> bytes:
        """Wait for the next bytes of the device, in order; part of a frame, or more than one.

        Raises `LinkLost` once the link is down and everything received was handed out.
        """
