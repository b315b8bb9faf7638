# SPDX-License-Identifier: Apache-2.0
"""How long a Bluetooth LE connection takes to carry data: a model that can be computed by hand.

Sources: Bluetooth Core 5.4, Vol 6 Part B: 2.1 and 2.2 (packet formats of the uncoded PHYs), 4.1.1
(T_IFS of 150 µs), 4.5.6 (a connection event is one exchange after the other, the central first).

In every exchange the central sends one packet and the peripheral one back, empty if it has nothing
to say; each is followed by T_IFS. On the 2M PHY 251 bytes one way take 1048 + 150 + 44 + 150 =
1392 µs, so that an interval of 15 ms carries 10 such packets. An event takes what waited at its
beginning, and ends with the last exchange that is over before the next event, after
`packets_per_event` exchanges, or when neither side has more. Nothing is lost: there are no
channels, no interference, no clock drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

_T_IFS = 150e-6
_ACCESS_ADDRESS, _HEADER, _CRC = 4, 2, 3
# Bytes on the air and µs for a byte: 1M has one byte of preamble, 2M has two.
_PREAMBLE = {False: 1, True: 2}
_BYTE_TIME = {False: 8e-6, True: 4e-6}
_L2CAP_HEADER, _ATT_HEADER = 4, 3
DEFAULT_DATA_LENGTH = 27
# Seconds in which connection intervals are counted (Bluetooth Core 5.4, 4.E.7.8.18).
INTERVAL_UNIT = 1.25e-3
# What the virtual controllers take from their hosts in one piece, in bytes.
HOST_PACKET = 251
# Enough for whole numbers of writes and of events to come out even.
_EVENTS = 600


@dataclass(frozen=True)
class LinkTiming:
    """What two controllers agreed on, and what they are built for.

    `interval` in seconds; `phy_2m` whether both can do 2M (it must still be asked for);
    `data_length` the longest payload of a packet in bytes (asked for, too; 27 until then);
    `packets_per_event` how many packets a controller sends in one event, `None` as many as fit;
    `supervision_timeout` seconds until a device that vanished is missed. With `agreed`, PHY and
    data length stand from the beginning, as with a device that asks for them itself
    (`CONFIG_BT_AUTO_PHY_UPDATE`, `CONFIG_BT_AUTO_DATA_LEN_UPDATE`).
    """

    interval: float = 0.015
    phy_2m: bool = True
    data_length: int = 251
    packets_per_event: int | None = None
    supervision_timeout: float = 4.0
    agreed: bool = False


def air_time(payload: int, *, phy_2m: bool) -> float:
    """Return the seconds that a packet with `payload` bytes is on the air."""
    size = _PREAMBLE[phy_2m] + _ACCESS_ADDRESS + _HEADER + payload + _CRC
    return size * _BYTE_TIME[phy_2m]


def exchange_time(central: int, peripheral: int, *, phy_2m: bool) -> float:
    """Return the seconds of one exchange of payloads of so many bytes, both T_IFS included."""
    there = air_time(central, phy_2m=phy_2m)
    return there + air_time(peripheral, phy_2m=phy_2m) + 2 * _T_IFS


def packets_in_event(timing: LinkTiming, payload: int, *, phy_2m: bool) -> int:
    """Return how many packets of `payload` bytes one event carries one way."""
    # The time is rounded to ns: it is a sum of whole µs.
    one = round(exchange_time(payload, 0, phy_2m=phy_2m) * 1e9)
    fitting = round(timing.interval * 1e9) // one
    if timing.packets_per_event is not None:
        fitting = min(fitting, timing.packets_per_event)
    return max(fitting, 1)


def fragments(write: int, data_length: int) -> list[int]:
    """Return the payloads of the packets that carry one write without response of `write` bytes.

    The host hands over pieces of up to 251 bytes, each of which the controller splits by itself.
    """
    whole = write + _ATT_HEADER + _L2CAP_HEADER
    pieces = _split(whole, HOST_PACKET)
    return [size for piece in pieces for size in _split(piece, data_length)]


def capacity(timing: LinkTiming, write: int) -> float:
    """Return how many bytes/s writes without response of `write` bytes each can carry at most."""
    packets = cycle(fragments(write, timing.data_length))
    per_write = len(fragments(write, timing.data_length))
    interval = round(timing.interval * 1e9)
    carried = 0
    size = next(packets)
    for _ in range(_EVENTS):
        left, exchanges = interval, 0
        while timing.packets_per_event is None or exchanges < timing.packets_per_event:
            left -= round(exchange_time(size, 0, phy_2m=timing.phy_2m) * 1e9)
            if left < 0 and exchanges:
                break
            exchanges += 1
            size = next(packets)
        carried += exchanges
    return carried / per_write * write / (_EVENTS * timing.interval)


def _split(size: int, most: int) -> list[int]:
    return [min(most, size - start) for start in range(0, size, most)]
