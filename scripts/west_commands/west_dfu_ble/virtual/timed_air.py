# SPDX-License-Identifier: Apache-2.0
"""An air on which data takes its time; the model stands in `timing`."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from bumble import hci
from bumble.controller import Connection, Controller

from .clock import Clock
from .radio import Air
from .timing import DEFAULT_DATA_LENGTH, LinkTiming, exchange_time

# Turns of the event loop in which hosts hear of what was carried and hand over more. Real hosts
# have the rest of the interval for that; one that runs late must have it too.
_REFILL = 12


class TimedAir(Air):
    """Carries data in connection events, one after the other, at the time of `clock`.

    `events` counts those that carried anything or could have.
    """

    def __init__(self, timing: LinkTiming, clock: Clock) -> None:
        """Nothing is connected yet."""
        super().__init__()
        self.timing = timing
        self.events = 0
        self._clock = clock
        self._links: dict[frozenset[str], _TimedLink] = {}

    def carry(
        self, controller: Controller, connection: Connection, packet: hci.HCI_AclDataPacket
    ) -> None:
        """Queue data for the next connection event."""
        self._link(connection).queue(connection, packet)

    def tune(
        self,
        connection: Connection,
        *,
        phy_2m: bool | None = None,
        octets: int | None = None,
        interval: float | None = None,
    ) -> None:
        """Take what the hosts agreed on."""
        link = self._link(connection)
        if interval is not None:
            link.interval = interval
        if phy_2m is not None:
            link.phy_2m = phy_2m and self.timing.phy_2m
        if octets is not None:
            link.octets = min(octets, self.timing.data_length)

    def ended(self, connection: Connection) -> None:
        """Forget what was agreed on."""
        self._link(connection).begin()

    @property
    def loss_delay(self) -> float:
        """Seconds of the host until a device that vanished is missed."""
        return self.timing.supervision_timeout / self._clock.speed

    async def close(self) -> None:
        """End every connection's events."""
        links, self._links = list(self._links.values()), {}
        for link in links:
            await link.close()

    def _link(self, connection: Connection) -> _TimedLink:
        ends = frozenset({str(connection.self_address), str(connection.peer_address)})
        link = self._links.get(ends)
        if link is None:
            link = self._links[ends] = _TimedLink(self, self._clock)
        return link


class _TimedLink:
    """The connection events of one connection."""

    def __init__(self, air: TimedAir, clock: Clock) -> None:
        self._air = air
        self._clock = clock
        self.begin()
        self._central: deque[_Waiting] = deque()
        self._peripheral: deque[_Waiting] = deque()
        self._filled = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    def begin(self) -> None:
        """Let everything be as nobody has asked for anything yet."""
        timing = self._air.timing
        self.interval = timing.interval
        self.phy_2m = timing.phy_2m and timing.agreed
        self.octets = timing.data_length if timing.agreed else DEFAULT_DATA_LENGTH

    def queue(self, connection: Connection, packet: hci.HCI_AclDataPacket) -> None:
        side = self._central if connection.role == hci.Role.CENTRAL else self._peripheral
        side.append(_Waiting(connection, packet))
        self._filled.set()

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        interval = self.interval
        anchor = at = self._clock.now()
        while True:
            if interval != self.interval:
                interval, anchor = self.interval, at
            if not self._central and not self._peripheral:
                self._filled.clear()
                await self._filled.wait()
                # The events went on while nobody had anything to say.
                passed = math.ceil((self._clock.now() - anchor) / interval)
                at = max(at + interval, anchor + passed * interval)
            else:
                # With data waiting none is left out, even if the host is late for it.
                at += interval
            await self._clock.sleep_until(at)
            self._air.events += 1
            for waiting in list(self._fill_event()):
                waiting.deliver()
            for _ in range(_REFILL):
                await asyncio.sleep(0)

    def _fill_event(self) -> Iterator[_Waiting]:
        """Take out of the queues what one event carries, in the order in which it arrives."""
        for queue in (self._central, self._peripheral):
            for waiting in queue:
                waiting.split(self.octets)
        left = round(self.interval * 1e9)
        most = self._air.timing.packets_per_event
        exchanges = 0
        while (self._central or self._peripheral) and (most is None or exchanges < most):
            queues = (self._central, self._peripheral)
            central, peripheral = (queue[0].next_size if queue else 0 for queue in queues)
            left -= round(exchange_time(central, peripheral, phy_2m=self.phy_2m) * 1e9)
            if left < 0 and exchanges:
                return
            exchanges += 1
            for queue in queues:
                if queue and queue[0].sent_one():
                    yield queue.popleft()


class _Waiting:
    """One HCI packet that waits for its turn, in packets of the air."""

    def __init__(self, connection: Connection, packet: hci.HCI_AclDataPacket) -> None:
        self._connection = connection
        self._packet = packet
        self._left: list[int] = []

    def split(self, octets: int) -> None:
        if not self._left:
            size = len(self._packet.data)
            self._left = [min(octets, size - start) for start in range(0, size, octets)] or [0]

    @property
    def next_size(self) -> int:
        return self._left[0]

    def sent_one(self) -> bool:
        """Note that one packet is through; return whether it was the last."""
        self._left.pop(0)
        return not self._left

    def deliver(self) -> None:
        controller = self._connection.controller
        if controller.find_connection_by_handle(self._connection.handle) is self._connection:
            self._connection.on_hci_acl_data_packet(self._packet)
