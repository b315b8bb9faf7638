# SPDX-License-Identifier: Apache-2.0
"""A device that wants a shorter connection interval while it is updated.

With `CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL` Zephyr asks for one when a connection's first
request arrives (`subsys/mgmt/mcumgr/transport/src/smp_bt.c`). It goes back when nothing came for
some seconds, and asks for a supervision timeout too; neither is played here.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakSet

from bumble.device import Connection

from .timing import INTERVAL_UNIT

# In units of 10 ms: 4 s, a time-out that fits every interval, so that no host refuses it.
_SUPERVISION = 400


class IntervalRequests:
    """Asks every client once; one that refuses is left alone."""

    def __init__(self, wanted: tuple[float, float] | None) -> None:
        """`wanted` is the shortest and the longest interval in seconds, `None` for no wish."""
        self._wanted = wanted
        self._asked: WeakSet[Connection] = WeakSet()
        self._asking: set[asyncio.Task[None]] = set()

    def request_from(self, client: Connection) -> None:
        """Take note that `client` sent a request; must run in an event loop."""
        if self._wanted is None or client in self._asked:
            return
        self._asked.add(client)
        task = asyncio.ensure_future(self._ask(client, *self._wanted))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def stop(self) -> None:
        """Wait for no answer any more: the connections are gone."""
        for task in self._asking:
            task.cancel()

    @staticmethod
    async def _ask(client: Connection, shortest: float, longest: float) -> None:
        least, most = (round(one / INTERVAL_UNIT) for one in (shortest, longest))
        channels = client.device.l2cap_channel_manager
        with suppress(Exception):
            await channels.update_connection_parameters(client, least, most, 0, _SUPERVISION)
