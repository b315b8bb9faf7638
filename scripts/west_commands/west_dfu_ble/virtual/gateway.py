# SPDX-License-Identifier: Apache-2.0
"""A front for a real server: what comes in on the air, or over UDP, goes out on another link.

The GATT service, pairing, reassembly and the pool of buffers are those of the virtual device;
behind them there is no virtual flash but a link to a server that somebody else wrote. Frames go
through as they are, but for two things: on the way each has a sequence number of the gateway's
own, so that two clients do not get each other's answers; and the answer to MCUmgr parameters tells
the front's buffers, which are the server's as far as the link behind can fill them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..diagnostics import DfuBleError
from ..link import LinkLost
from ..smp import (
    Frame,
    FrameAssembler,
    Header,
    McumgrParameters,
    decode_header,
    decode_payload,
    find_error,
    os_group,
)
from .codec import encode_map
from .profile import RadioProfile, ServerProfile
from .served import Answer
from .server import Packet, SmpServer

if TYPE_CHECKING:
    from bumble.keys import KeyStore

    from ..link import Link
    from .faults import HangUp

_LOG_LINES = 2000
_CONNECT_TIME = 10.0
# Seconds from the answer to a reset until the device resets (`CONFIG_MCUMGR_GRP_OS_RESET_MS`).
_RESET_DELAY = 0.25
# Seconds in which a server that boots is left alone: there are UARTs that never recover from bytes
# which come before the firmware has enabled them.
_QUIET = 1.5
_DEFAULT_BUFFERS = 4
# Seconds that the next request waits for an answer on a console; it may never come.
_PATIENCE = 2.0
# Where the header has its sequence number.
_SEQUENCE = 6
_PARAMETERS, _RESET = os_group.parameters(), os_group.reset()


@dataclass(frozen=True)
class _Asked:
    """A request on its way: whose it is, and the header that it came with."""

    client: int
    header: Header


class Gateway:
    """Stands where a virtual device does (`ServedDevice`), between `start` and `close`.

    Its clients lose their connection when the server behind resets, or when the link to it is lost,
    and nobody is served until it answers again. A reset that was not asked for with SMP's own
    command, on a link that stays up through it (a serial line), is not noticed.
    """

    boot_seconds = 0.0

    def __init__(
        self,
        link: Link,
        ask_buffers: Callable[[], Awaitable[McumgrParameters]],
        radio: RadioProfile,
    ) -> None:
        """Forward over `link`; `ask_buffers` opens it, asks the server, and closes it again.

        What it returns bounds the front: the longest frame in bytes, and how many may wait.
        """
        self.radio = radio
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self.lines = 0
        self.reset_at: float | None = None
        self.bonds: KeyStore | None = None
        self.buffers = McumgrParameters(0, 0)
        self.forwarded = 0
        self._link = link
        self._ask_buffers = ask_buffers
        self._front: SmpServer | None = None
        self._changed: Callable[[], None] = lambda: None
        self._requests = asyncio.Event()
        self._answered = asyncio.Event()
        self._asked: dict[int, _Asked] = {}
        self._sequence = 0
        self._answers: deque[Answer] = deque()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reach the server behind. Raises `DfuBleError` LK4xx if there is none, or `LinkLost`."""
        await self._arrive()
        self._task = asyncio.create_task(self._live())

    async def close(self) -> None:
        """Leave the server behind alone."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._link.disconnect()

    # What the air sees: see `ServedDevice`

    @property
    def is_running(self) -> bool:
        """Whether the server behind answers."""
        return self._front is not None and self.reset_at is None

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have `changed` called when there is an answer, or when the server comes or goes."""
        self._changed = changed

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        """Take one write of a client; return whether it was kept."""
        if self._front is None or not self.is_running:
            return False
        kept = self._front.take(fragment, client)
        if not kept:
            self._say(
                f"A write of {len(fragment)} bytes was dropped: frames have at most "
                f"{self.buffers.buffer_size} bytes, and {self.buffers.buffer_count} may wait"
            )
        if not self._front.is_idle:
            self._requests.set()
        return kept

    def serve(self, now: float) -> Answer | None:
        """Return the next answer of the server behind."""
        return self._answers.popleft() if self._answers else None

    def take_hang_up(self) -> HangUp | None:
        """Return `None`: the link ends with the server's own reset only."""
        return None

    def sent(self) -> None:
        """Nothing to free: the buffers that an answer needs are those of the server behind."""

    def disconnected(self) -> None:
        """Forget the frame that a client left unfinished."""
        if self._front is not None:
            self._front.drop_partial()

    def tick(self, now: float) -> bool:
        """Return whether the server behind is back since the last call."""
        back, self.reset_at = self.reset_at is not None, None
        return back

    def describe_buffers(self) -> str:
        """Say how long frames may be and how many may wait."""
        told = self.buffers
        return f"frames of up to {told.buffer_size} bytes, {told.buffer_count} buffers"

    def show_passkey(self, passkey: int) -> None:
        """Put a passkey where the user sees it."""
        self._say(f"Passkey: {passkey:06}")

    # What the server behind sees

    async def _arrive(self) -> None:
        told = await self._ask_buffers()
        self.buffers = McumgrParameters(told.buffer_size, told.buffer_count or _DEFAULT_BUFFERS)
        await self._link.connect(_CONNECT_TIME)
        self._asked.clear()
        self._answers.clear()
        self._front = SmpServer(
            ServerProfile(buf_size=self.buffers.buffer_size, buf_count=self.buffers.buffer_count),
            groups={},
        )

    async def _live(self) -> None:
        while True:
            assert self._front is not None
            self._say(f"Gone: {await self._forward(self._front)}")
            self._front = None
            self._changed()
            await self._link.disconnect()
            await self._wait_back()
            self._say(f"Back, with {self.describe_buffers()}")
            self.reset_at = 0.0  # that is now, on every clock
            self._changed()

    async def _wait_back(self) -> None:
        last = ""
        while True:
            await asyncio.sleep(_QUIET)
            try:
                await self._arrive()
            except (DfuBleError, LinkLost) as error:
                if _reason(error) != last:
                    last = _reason(error)
                    self._say(f"Not back: {last}")
            else:
                return

    async def _forward(self, front: SmpServer) -> str:
        """Pass frames in both directions; return why that ended."""
        ways = [
            asyncio.create_task(way) for way in (self._pass_requests(front), self._pass_answers())
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass_requests(self, front: SmpServer) -> str:
        try:
            while True:
                self._requests.clear()
                while (request := front.oldest) is not None:
                    self._answered.clear()
                    await self._link.send(self._with_number(request))
                    self.forwarded += 1
                    # As long as it was on its way it had its buffer.
                    front.discard_oldest()
                    await self._let_it_be_read()
                await self._requests.wait()
        except (DfuBleError, LinkLost) as lost:
            return _reason(lost)

    async def _let_it_be_read(self) -> None:
        """Wait for the answer on a console, whose line buffers may hold no second request."""
        if self._link.traits.sure_frame is not None:
            with suppress(asyncio.TimeoutError):  # in Python 3.10 not the built-in one
                await asyncio.wait_for(self._answered.wait(), _PATIENCE)

    def _with_number(self, request: Packet) -> bytes:
        """Give a request a number that tells its answer from those to 255 others."""
        self._sequence = (self._sequence + 1) & 0xFF
        self._asked[self._sequence] = _Asked(request.client, decode_header(request.data))
        frame = bytearray(request.data)
        frame[_SEQUENCE] = self._sequence
        return bytes(frame)

    async def _pass_answers(self) -> str:
        frames = FrameAssembler(self._expects)
        try:
            while True:
                for frame in frames.feed(await self._link.receive()):
                    if not self._expects(frame.header):
                        continue
                    self._answer(frame)
                    if _RESET.is_answered_by(frame.header) and _is_success(frame):
                        await asyncio.sleep(_RESET_DELAY)
                        return "the server resets"
        except (DfuBleError, LinkLost) as lost:
            return _reason(lost)

    def _expects(self, header: Header) -> bool:
        asked = self._asked.get(header.sequence)
        return (
            asked is not None
            and header.is_response
            and (header.group, header.command) == (asked.header.group, asked.header.command)
        )

    def _answer(self, frame: Frame) -> None:
        asked = self._asked.pop(frame.header.sequence)
        self._answered.set()
        payload = frame.payload
        if _PARAMETERS.is_answered_by(frame.header):
            told = self.buffers
            payload = encode_map({"buf_size": told.buffer_size, "buf_count": told.buffer_count})
        header = replace(frame.header, sequence=asked.header.sequence, length=len(payload))
        self._answers.append(Answer(bytes(header) + payload, client=asked.client))
        self._changed()

    def _say(self, line: str) -> None:
        self.log.append(line)
        self.lines += 1


def _reason(error: Exception) -> str:
    return error.diagnostic.message if isinstance(error, DfuBleError) else str(error)


def _is_success(frame: Frame) -> bool:
    with suppress(DfuBleError):
        return find_error(decode_payload(frame.payload)) is None
    return False
