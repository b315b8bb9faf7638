# SPDX-License-Identifier: Apache-2.0
"""Devices that ask for another connection interval get it (Bluetooth Core 5.4, 3.A.4.20).

Zephyr's MCUmgr does so with the first request, where
`CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL` is on.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bumble import hci
from bumble.device import Connection, Device
from bumble.l2cap import (
    L2CAP_Connection_Parameter_Update_Request,
    L2CAP_Connection_Parameter_Update_Response,
)

_ACCEPTED = 0


def grant_intervals(device: Device) -> None:
    """Let `device` answer such requests.

    Bumble does it by itself, but where the link is lost at that moment the controller's refusal
    becomes a traceback of a task that nobody waits for.
    """
    channels = device.l2cap_channel_manager
    granting: set[asyncio.Task[None]] = set()

    async def grant(
        connection: Connection, request: L2CAP_Connection_Parameter_Update_Request
    ) -> None:
        with suppress(Exception):
            await device.send_async_command(
                hci.HCI_LE_Connection_Update_Command(
                    connection_handle=connection.handle,
                    connection_interval_min=request.interval_min,
                    connection_interval_max=request.interval_max,
                    max_latency=request.latency,
                    supervision_timeout=request.timeout,
                    min_ce_length=0,
                    max_ce_length=0,
                )
            )

    def requested(
        connection: Connection, cid: int, request: L2CAP_Connection_Parameter_Update_Request
    ) -> None:
        answer = L2CAP_Connection_Parameter_Update_Response(
            identifier=request.identifier, result=_ACCEPTED
        )
        channels.send_control_frame(connection, cid, answer)
        task = asyncio.ensure_future(grant(connection, request))
        granting.add(task)
        task.add_done_callback(granting.discard)

    channels.on_l2cap_connection_parameter_update_request = requested  # type: ignore[method-assign]  # no other way in
