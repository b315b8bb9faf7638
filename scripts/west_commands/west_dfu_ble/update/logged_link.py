# SPDX-License-Identifier: Apache-2.0
"""A link that tells of every SMP frame that goes over it, and is the link that it wraps."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..link import Link, LinkLost, LinkTraits
from ..smp import HEADER_SIZE, FrameAssembler, Header, decode_header
from ..smp.describe import describe_frame


class LoggedLink:
    """Tells in lines that begin with the seconds since `clock` read 0; see `Link`.

    ``->`` is a frame to the device, ``<-`` one from it, ``--`` what happens to the link itself.
    """

    def __init__(
        self,
        link: Link,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wrap `link`; `tell` gets each line, without its end."""
        self._link = link
        self._tell = tell
        self._clock = clock
        self._asked: dict[int, tuple[int, int]] = {}
        self._assembler = FrameAssembler(self._expects)

    @property
    def traits(self) -> LinkTraits:
        """What the link can do."""
        return self._link.traits

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""
        return self._link.is_connected

    async def connect(self, timeout: float) -> None:
        """Connect, and say with what result."""
        self._assembler = FrameAssembler(self._expects)
        self._line("--", "connecting")
        await self._link.connect(timeout)
        traits = self._link.traits
        where = f"{traits.peer} {traits.address}".rstrip()
        self._line("--", f"connected to {where}, up to {traits.max_write} bytes in a piece")

    async def disconnect(self) -> None:
        """Close the link."""
        if self._link.is_connected:
            self._line("--", "closing the link")
        await self._link.disconnect()

    async def send(self, frame: bytes) -> None:
        """Tell the frame and send it."""
        header = decode_header(frame)
        self._asked[header.sequence] = (header.group, header.command)
        self._line("->", describe_frame(header, frame[HEADER_SIZE:]))
        try:
            await self._link.send(frame)
        except LinkLost as lost:
            self._line("--", f"the link was lost: {lost}")
            raise

    async def receive(self) -> bytes:
        """Receive bytes, and tell the frames that they complete."""
        try:
            piece = await self._link.receive()
        except LinkLost as lost:
            self._line("--", f"the link was lost: {lost}")
            raise
        before = self._assembler.dropped
        for frame in self._assembler.feed(piece):
            self._line("<-", describe_frame(frame.header, frame.payload))
        dropped = self._assembler.dropped - before
        if dropped:
            self._line("<-", f"{dropped} bytes that are no SMP response: {piece[:16].hex(' ')}")
        return piece

    def _expects(self, header: Header) -> bool:
        return self._asked.get(header.sequence) == (header.group, header.command)

    def _line(self, direction: str, text: str) -> None:
        self._tell(f"{self._clock():9.3f} {direction} {text}")
