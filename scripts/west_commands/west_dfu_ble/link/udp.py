# SPDX-License-Identifier: Apache-2.0
"""UDP: one SMP frame is one datagram (Zephyr: `subsys/mgmt/mcumgr/transport/src/smp_udp.c`)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from ..diagnostics import DfuBleError
from ..faults import fault
from .inbox import Inbox
from .model import AskPasskey, Link, LinkLost, LinkTraits

# What one Ethernet frame of 1500 bytes leaves to UDP under IPv4 and IPv6; Zephyr's
# `CONFIG_MCUMGR_TRANSPORT_UDP_MTU` is 1500, and its stack puts no fragments together by default.
_LIMIT = {socket.AF_INET: 1472, socket.AF_INET6: 1452}
_PROBE_TIME = 0.1
_PAUSE = 0.5


def open_link(
    argument: str, device: str | None, virtual: object | None, ask: AskPasskey | None
) -> Link:
    """Make the link `udp:HOST:PORT`; for `link.open_link`. Raises `DfuBleError` LK408."""
    host, _, port = argument.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise fault(
            "LK408",
            f"{argument!r} is no host with a port",
            helps=["write the link as udp:HOST:PORT, for example udp:192.0.2.1:1337"],
        )
    return UdpLink(host, int(port))


class UdpLink:
    """The way to one device over UDP; see `Link`. Nothing tells when such a device is lost."""

    def __init__(self, host: str, port: int) -> None:
        """Speak with `host`, a name or an IPv4 or IPv6 address, at `port`."""
        self._host = host
        self._port = port
        self._inbox = Inbox()
        self._inbox.close("not connected")
        self._transport: asyncio.DatagramTransport | None = None
        self._limit = min(_LIMIT.values())

    @property
    def traits(self) -> LinkTraits:
        """What the link can do; valid while connected."""
        return LinkTraits(
            "udp",
            f"{self._host}:{self._port}",
            self._limit,
            splits_frames=False,
            frame_limit=self._limit,
        )

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""
        return self._inbox.lost is None

    async def connect(self, timeout: float) -> None:
        """Find the host, and wait up to `timeout` seconds until its port is not refused.

        A device that says nothing at all cannot be told from one that listens. Raises
        `DfuBleError` LK402 if there is no such host, LK403 if it cannot be reached or refuses.
        """
        await self.disconnect()
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            refused = await self._try()
            if refused is None:
                return
            if loop.time() + _PAUSE > end:
                raise self._fault(refused)
            await asyncio.sleep(_PAUSE)

    async def disconnect(self) -> None:
        """Close the link; never raises, and does nothing if it is closed."""
        self._inbox.close("the link was closed")
        transport, self._transport = self._transport, None
        if transport is not None:
            await _close(transport)

    async def send(self, frame: bytes) -> None:
        """Send one frame. Raises `LinkLost` if it was refused, `ValueError` above the limit."""
        if len(frame) > self._limit:
            raise ValueError(f"a datagram has at most {self._limit} bytes, not {len(frame)}")
        if self._transport is None or self._inbox.lost is not None:
            raise LinkLost(self._inbox.lost or "not connected")
        self._transport.sendto(frame)

    async def receive(self) -> bytes:
        """Wait for the next datagram. Raises `LinkLost` once the host refused one of ours."""
        return await self._inbox.get()

    async def _try(self) -> str | None:
        inbox = Inbox()
        loop = asyncio.get_running_loop()
        try:
            [(family, _, _, _, address), *_] = await loop.getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM
            )
            refused = await _refusal(family, address)
            if refused is not None:
                return refused
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Protocol(inbox), remote_addr=(self._host, self._port), family=family
            )
        except socket.gaierror as error:
            raise fault(
                "LK402",
                f"there is no host {self._host!r}",
                why="Its address can't be found, so that nothing can be sent to it.",
                notes=[f"the system says: {error.strerror}"],
                helps=["correct the name, or give the device's IP address"],
            ) from error
        except OSError as error:
            raise self._fault(error.strerror or str(error)) from error
        self._limit = _LIMIT.get(socket.AddressFamily(family), self._limit)
        self._transport, self._inbox = transport, inbox
        return None

    def _fault(self, reason: str) -> DfuBleError:
        return fault(
            "LK403",
            f"nothing can be reached at UDP {self._host}:{self._port}",
            why="No program there takes SMP requests, or no way leads there.",
            notes=[f"the system says: {reason}"],
            helps=["see that the device is on the network, and which port its SMP server has"],
        )


async def _refusal(family: int, address: tuple[Any, ...]) -> str | None:
    """Ask with an empty datagram, which no SMP server takes for a request."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.connect(address)
        try:
            probe.send(b"")
            await asyncio.sleep(_PROBE_TIME)
            probe.recv(1)
        except BlockingIOError:
            return None  # no answer, so no refusal
        except ConnectionError as error:
            return error.strerror or str(error)
    return None


async def _close(transport: asyncio.DatagramTransport) -> None:
    transport.close()
    await asyncio.sleep(0)  # the socket is closed in the loop's next round


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._inbox.put(data)

    def error_received(self, exc: Exception) -> None:
        self._inbox.close(str(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self._inbox.close(str(exc) if exc else "the link was closed")
