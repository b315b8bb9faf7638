# SPDX-License-Identifier: Apache-2.0
"""A link straight into a virtual device: no radio, its own buffers, faults on request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from west_dfu_ble.faults import fault
from west_dfu_ble.link import LinkLost, LinkTraits
from west_dfu_ble.smp import Header, decode_header
from west_dfu_ble.virtual import VirtualDevice

Faults = Callable[[int, Header], str]


class DirectLink:
    """Splits frames into writes of `max_write` bytes; everything takes `latency` seconds.

    `faults` gets the number and the header of each request and may return ``lose``,
    ``lose answer``, ``drop`` (before the device sees it), ``drop answer`` or ``reboot``.
    """

    def __init__(
        self,
        device: VirtualDevice,
        *,
        faults: Faults = lambda _number, _header: "",
        max_write: int = 495,
        latency: float = 0.002,
    ) -> None:
        self.device = device
        self.faults = faults
        self.latency = latency
        self.traits = LinkTraits(
            "virtual", "direct", max_write, True, drops_on_reset=True, in_process=True
        )
        self.requests: list[Header] = []
        self.vanished = 0
        self._inbox: asyncio.Queue[bytes | None] | None = None
        self._work = asyncio.Event()
        self._mute: set[int] = set()
        self._drop_on: set[int] = set()
        self._pump: asyncio.Task[None] | None = None
        self._back_at = 0.0

    @property
    def is_connected(self) -> bool:
        return self._inbox is not None

    async def connect(self, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        if self._pump is None:
            self._pump = asyncio.ensure_future(self._run())
        end = loop.time() + timeout
        while not self.device.is_running or loop.time() < self._back_at:
            if loop.time() >= end:
                raise fault("LK402", "no device was seen")
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.02)
        self._inbox = asyncio.Queue()

    async def disconnect(self) -> None:
        if self._inbox is not None:
            self._inbox = None
            self.device.disconnected()

    def drop(self) -> None:
        """Take the link down."""
        if self._inbox is not None:
            self._inbox.put_nowait(None)
            self._inbox = None
            self.device.disconnected()

    def reboot(self) -> None:
        """Reboot the device at once, and with it the link."""
        self._back_at = asyncio.get_running_loop().time() + self.device.boot()
        self.drop()

    async def send(self, frame: bytes) -> None:
        if self._inbox is None:
            raise LinkLost("the link is down")
        loop = asyncio.get_running_loop()
        header = decode_header(frame)
        self.requests.append(header)
        trouble = self.faults(len(self.requests), header)
        if trouble == "lose":
            return
        if trouble == "reboot":
            self.reboot()
        if trouble == "drop":
            self.drop()
        if trouble.endswith("answer"):
            (self._mute if trouble == "lose answer" else self._drop_on).add(header.sequence)
        size = self.traits.max_write
        for at in range(0, len(frame), size):
            if self._inbox is None:
                raise LinkLost("the link went down")
            loop.call_later(self.latency, self._take, frame[at : at + size], self._inbox)
        await asyncio.sleep(0)

    async def receive(self) -> bytes:
        if self._inbox is None:
            raise LinkLost("the link is down")
        piece = await self._inbox.get()
        if piece is None:
            raise LinkLost("the link went down")
        return piece

    def _take(self, piece: bytes, inbox: asyncio.Queue[bytes | None]) -> None:
        if inbox is self._inbox:
            self.vanished += not self.device.take(piece, asyncio.get_running_loop().time())
            self._work.set()

    async def _run(self) -> None:
        """Be the device's clock: serve what came, and reset when it is time."""
        loop = asyncio.get_running_loop()
        while True:
            self._work.clear()
            now = loop.time()
            boots = self.device.boots
            if self.device.tick(now):
                self._back_at = now + self.device.profile.boot_time
                self.drop()
            elif self.device.boots != boots:
                self.drop()
            while (answer := self.device.serve(loop.time())) is not None:
                await asyncio.sleep(answer.seconds + self.latency)
                self._deliver(answer.frame)
                self.device.sent()
            if not self.device.is_running:
                self.drop()
            wait = None
            if self.device.reset_at is not None:
                wait = max(self.device.reset_at - loop.time(), 0) + 0.001
            try:
                await asyncio.wait_for(self._work.wait(), wait)
            except asyncio.TimeoutError:
                continue

    def _deliver(self, frame: bytes) -> None:
        sequence = decode_header(frame).sequence
        if sequence in self._drop_on:
            self._drop_on.discard(sequence)
            self.drop()
        elif sequence in self._mute:
            self._mute.discard(sequence)
        elif self._inbox is not None:
            for at in range(0, len(frame), 100):
                self._inbox.put_nowait(frame[at : at + 100])
