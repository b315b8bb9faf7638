# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: which air, which server, and what each must reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from west_dfu_ble.virtual import LinkTiming, capacity

from .figures import Limits

# Bytes of the image in one full frame of 2475 bytes: header, map, offset and the head of the data
# take the rest.
_FRAME, _DATA = 2475, 2451
_MTU = 498
# nRF52840: 41 µs for each word of four bytes.
_SLOW_FLASH = 1 / 97_500
_LARGE = {"buf_size": _FRAME, "buf_count": 4, "reassembly": True}
_SMALL = {"buf_size": 384, "buf_count": 4, "reassembly": False}


@dataclass(frozen=True)
class AirRow:
    """One comparison on a timed air.

    `against_ourselves`: the other side is our own upload with one request in flight, against a
    server with one buffer fewer than two would need (smpclient fails on such a server).
    `smpclient_mtu` is what smpclient is told to ask for; its own default is 247.
    """

    title: str
    timing: dict[str, Any]
    limits: Limits
    server: dict[str, Any] = field(default_factory=lambda: dict(_LARGE))
    mtu: int = _MTU
    write_time: float = 0.0
    against_ourselves: bool = False
    smpclient_mtu: int = _MTU

    @property
    def capacity(self) -> float:
        """The most bytes of an image a second that this air can carry."""
        return capacity(LinkTiming(**self.timing), self.mtu - 3) * _DATA / _FRAME


@dataclass(frozen=True)
class ServerRow:
    """One comparison on a real server: `target` and `config` as its manifest names them."""

    title: str
    target: str
    config: str
    limits: Limits = field(default_factory=Limits)


def _air(interval: float, packets: int | None = None, *, agreed: bool = True) -> dict[str, Any]:
    return {"interval": interval, "packets_per_event": packets, "agreed": agreed}


AIR_ROWS = (
    AirRow("15 ms, event filled", _air(0.015), Limits(1.9, 0.95)),
    AirRow("15 ms, 4 packets an event", _air(0.015, 4), Limits(1.55, 0.97)),
    AirRow("30 ms, 6 packets an event", _air(0.030, 6), Limits(1.75, 0.96)),
    AirRow("7.5 ms, event filled", _air(0.0075), Limits(1.45, 0.96)),
    AirRow("15 ms, flash at 97.5 kB/s", _air(0.015), Limits(1.4), write_time=_SLOW_FLASH),
    AirRow(
        "15 ms, 384-byte buffers, no reassembly, MTU 252",
        _air(0.015),
        Limits(1.9),
        server=dict(_SMALL),
        mtu=252,
        against_ourselves=True,
    ),
    AirRow(
        "defaults of each tool, which may ask for PHY and data length",
        _air(0.015, agreed=False),
        Limits(3.0, 0.95),
        smpclient_mtu=247,
    ),
)
SERVER_ROWS = (
    ServerRow(
        "serial, Zephyr 4.4 on a Cortex-M3, 4 buffers of 2048",
        "mps2_an385",
        "serial_recovery_buf2048",
    ),
    ServerRow(
        "serial, Zephyr 4.4 on a Cortex-M3, 4 of 400", "mps2_an385", "serial_recovery_buf400"
    ),
    # Its console has room for two lines, a frame has five; see `_on_one_cpu` in `zephyr_qemu`.
    ServerRow(
        "serial, Zephyr 4.4 on a Cortex-M0, 4 of 384", "qemu_cortex_m0", "serial", Limits(lost=1)
    ),
)
