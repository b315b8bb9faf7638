# SPDX-License-Identifier: Apache-2.0
"""The virtual device over UDP: every client gets its own answers, however many there are."""

from __future__ import annotations

import asyncio
import socket

import cbor2
import pytest

from boards import make_board
from smp_talk import encode_request
from west_dfu_ble.smp import HEADER_SIZE
from west_dfu_ble.virtual import Fault, FaultKind, VirtualDevice
from west_dfu_ble.virtual.udp_server import UdpServer


def test_an_answer_that_is_late_goes_to_nobody_else() -> None:
    """More clients come meanwhile than the server remembers; the one that asked is forgotten."""

    async def test() -> None:
        late = Fault(FaultKind.RESPONSE_LATE, 0, seconds=0.3)
        server = UdpServer(VirtualDevice(make_board().profile, faults=[late]))
        port = await server.start("127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        clients = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(65)]
        try:
            for number, client in enumerate(clients):
                client.setblocking(False)
                client.connect(("127.0.0.1", port))
                client.send(encode_request(2, 0, 0, {"d": str(number)}))
                await asyncio.sleep(0)
            answer = await asyncio.wait_for(loop.sock_recv(clients[1], 2000), 5)
            assert cbor2.loads(answer[HEADER_SIZE:]) == {"r": "1"}
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(loop.sock_recv(clients[0], 2000), 0.2)
        finally:
            await server.close()
            for client in clients:
                client.close()

    asyncio.run(test())
