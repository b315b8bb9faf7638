# SPDX-License-Identifier: Apache-2.0
"""How long an upload takes on the air: the model behind the rules about speed.

`docs/speed.md` derives it and compares it with measurements. Writing and erasing the flash come on
top, and how long they take is not known from a build.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

# An upload request's own header, map, offset and keys (bytes of a frame that carry no image).
_FRAME_OVERHEAD = 24
# ATT write command, and the L2CAP header before it.
_ATT_OVERHEAD = 3
_L2CAP_OVERHEAD = 4
# Microseconds: between packets, and of an empty packet in answer to each (Core specification,
# Vol 6, Part B, 2.1 and 4.1.1).
_SPACE = 150
_EMPTY = {1: 80, 2: 44}
_PREAMBLE = {1: 1, 2: 2}
_AROUND_PAYLOAD = 4 + 2 + 3


@dataclass(frozen=True)
class Link:
    """What decides the speed; sizes in bytes, times in milliseconds.

    `window` is how many requests may be under way at once. `event` is the longest that a
    connection event may last, and `packets_per_event`, where it is known, how many packets fit.
    `phy` is 1 or 2 (Mbit/s).
    """

    att_mtu: int
    buffer_size: int
    reassembly: bool
    window: int
    packet_size: int
    interval: float
    event: float
    phy: int = 2
    packets_per_event: int | None = None

    @property
    def write_size(self) -> int:
        """The longest write without response."""
        return self.att_mtu - _ATT_OVERHEAD

    @property
    def frame_size(self) -> int:
        """The longest SMP frame: one buffer, and without reassembly also one write."""
        return self.buffer_size if self.reassembly else min(self.buffer_size, self.write_size)


def bytes_per_second(link: Link) -> float:
    """Return the rate of image bytes, as the link alone allows it."""
    data = max(link.frame_size - _FRAME_OVERHEAD, 1)
    packets = _packets(link)
    per_event = link.packets_per_event or max(1, int(link.event * 1000 // _packet_time(link)))
    # Each request is answered at the earliest in the event after the one that completed it.
    events = ceil(packets / per_event) + 1
    interval = link.interval / 1000
    waiting = link.window * data / (events * interval)
    sending = per_event / packets * data / interval
    return min(waiting, sending)


def _packets(link: Link) -> int:
    """Return how many link packets carry one frame."""
    whole, rest = divmod(link.frame_size, link.write_size)
    writes = [link.write_size] * whole + ([rest] if rest else [])
    overhead = _ATT_OVERHEAD + _L2CAP_OVERHEAD
    return sum(ceil((length + overhead) / link.packet_size) for length in writes)


def _packet_time(link: Link) -> float:
    """Return how long a full packet and the answer to it take, in microseconds."""
    octets = _PREAMBLE[link.phy] + _AROUND_PAYLOAD + link.packet_size
    return octets * 8 / link.phy + 2 * _SPACE + _EMPTY[link.phy]
