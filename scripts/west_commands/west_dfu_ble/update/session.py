# SPDX-License-Identifier: Apache-2.0
"""SMP over a link: requests go out numbered, answers come back to whoever asked.

A reader runs in the background for as long as the link is up. An answer is matched by its
sequence number, group and command; one that nobody waits for (any more) is dropped and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..link import Link, LinkLost
from ..smp import (
    FrameAssembler,
    Header,
    ImageError,
    Rc,
    Request,
    SmpError,
    decode_payload,
    find_error,
)
from .waiting import end_task, wait_future, wait_task

Payload = dict[str, object]
Answer = Payload | DfuBleError | LinkLost
Deliver = Callable[[int, Answer], None]

# A link that takes longer than this to accept one frame is stuck.
_SEND_TIMEOUT = 30.0
_SEQUENCES = 256


_HINTS = (
    (Rc.ENOMEM, "give the server more buffers: CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT"),
    (Rc.EMSGSIZE, "enlarge the server's buffers: CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE"),
    (Rc.ENOTSUP, "build the firmware with CONFIG_MCUMGR_GRP_IMG=y and CONFIG_MCUMGR_GRP_OS=y"),
    (Rc.EBUSY, "let the other command or update on the device end, then try again"),
)
_ONLY_WHAT_RUNS = (
    "its firmware lets only what runs be confirmed: leave out --permanent, then the image runs on "
    "trial first",
    "or build the firmware with CONFIG_MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_SLOT=y; for another "
    "core's image, with CONFIG_MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_IMAGE_ANY=y",
)


class Refusal(DfuBleError):
    """The device answered with an error; DV501 if nobody knows better what to make of it."""

    def __init__(self, request: Request, error: SmpError) -> None:
        """Tell that `request` was answered with `error`."""
        helps = [text for code, text in _HINTS if error.is_rc(code)]
        if error.is_image(ImageError.CONFIRMATION_DENIED):
            helps += _ONLY_WHAT_RUNS
        made = fault(
            "DV501",
            f"the device refused to {request.name}: {error}",
            helps=helps,
            data={"group": error.group, "code": error.code, "name": error.name},
        )
        super().__init__(made.diagnostic, made.status)
        self.error = error


@dataclass
class SessionCounts:
    """What went over the link, and what came that nobody asked for."""

    sent: int = 0
    received: int = 0
    strays: int = 0
    timeouts: int = 0


@dataclass(frozen=True)
class _Waiting:
    request: Request
    deliver: Deliver


@dataclass
class Session:
    """SMP over `link`. `request_timeout` in seconds.

    `touched` becomes true with the first request that writes to the device: from then on a lost
    device ends with exit status 7 instead of 6.
    """

    link: Link
    request_timeout: float = 3.0
    touched: bool = False
    counts: SessionCounts = field(default_factory=SessionCounts)

    def __post_init__(self) -> None:
        """Begin unconnected, with SMP v2."""
        # 1 in the header means SMP v2; 0 the original protocol.
        self._version = 1
        self._next = 0
        self._waiting: dict[int, _Waiting] = {}
        self._reader: asyncio.Task[None] | None = None
        self._assembler = FrameAssembler(self._expects)

    @property
    def is_open(self) -> bool:
        """Whether the link is up."""
        return self._reader is not None and not self._reader.done() and self.link.is_connected

    @property
    def lost_status(self) -> ExitStatus:
        """The exit status if the device is lost now."""
        return ExitStatus.DEVICE if self.touched else ExitStatus.NO_LINK

    async def open(self, timeout: float) -> None:
        """Connect, within `timeout` seconds. Raises `DfuBleError` LK4xx, or `LinkLost`."""
        await self.close()
        self._assembler = FrameAssembler(self._expects)
        await self.link.connect(timeout)
        self._reader = asyncio.ensure_future(self._read())

    async def close(self) -> None:
        """Close the link; whoever waits for an answer gets `LinkLost`."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await end_task(reader)
        await self.link.disconnect()
        self._tell_all(LinkLost("the link was closed"))

    async def wait_lost(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the link to go down; return whether it did."""
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=timeout)
        return not self.is_open

    async def request(
        self, request: Request, *, timeout: float | None = None, attempts: int = 1
    ) -> Payload:
        """Send a request and return the answer's map.

        Only what does no harm when it is done twice may be sent `attempts` times. Raises `Refusal`
        for an error of the device, `DfuBleError` LK406 if there is no answer and DV511 if it makes
        no sense, and `LinkLost`.
        """
        for attempt in range(1, attempts + 1):
            try:
                return await self._ask(request, timeout or self.request_timeout)
            except DfuBleError as error:
                if attempt == attempts or error.diagnostic.code not in ("LK406", "DV511"):
                    raise
        raise AssertionError("there is at least one attempt")

    def free_sequence(self) -> int:
        """Return a sequence number that no request in flight has."""
        for step in range(_SEQUENCES):
            number = (self._next + step) % _SEQUENCES
            if number not in self._waiting:
                return number
        # All are waited for: the oldest has waited through 255 others and is not going to come.
        oldest = next(iter(self._waiting))
        self.forget(oldest)
        return oldest

    async def post(self, request: Request, sequence: int, deliver: Deliver) -> None:
        """Send a request without waiting; `deliver` is called with its number and the answer.

        Raises `LinkLost`.
        """
        self._next = (sequence + 1) % _SEQUENCES
        self._waiting[sequence] = _Waiting(request, deliver)
        self.touched = self.touched or request.changes
        self.counts.sent += 1
        try:
            frame = request.encode(sequence, self._version)
            await wait_task(self.link.send(frame), _SEND_TIMEOUT)
        except asyncio.TimeoutError:
            self._waiting.pop(sequence, None)
            raise LinkLost("the link takes no more data") from None
        except BaseException:
            self._waiting.pop(sequence, None)
            raise

    def forget(self, sequence: int) -> None:
        """Wait no longer for the answer to request number `sequence`."""
        self._waiting.pop(sequence, None)

    async def _ask(self, request: Request, timeout: float) -> Payload:
        payload = await self._exchange(request, timeout)
        error = find_error(payload)
        if error is not None and error.is_rc(Rc.TOO_OLD, Rc.TOO_NEW):
            # 12: it wants SMP v2; 13: it knows no v2. Whichever it is, there is one other.
            self._version = 1 - self._version
            payload = await self._exchange(request, timeout)
            error = find_error(payload)
        if error is not None:
            raise Refusal(request, error)
        return payload

    async def _exchange(self, request: Request, timeout: float) -> Payload:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def deliver(_sequence: int, answer: Answer) -> None:
            if not answered.done():
                answered.set_result(answer)

        sequence = self.free_sequence()
        await self.post(request, sequence, deliver)
        try:
            in_time = await wait_future(answered, timeout)
        finally:
            self.forget(sequence)
        if not in_time:
            self.counts.timeouts += 1
            # The rest of an answer that never became whole must not swallow the next one.
            self._assembler.reset()
            raise fault(
                "LK406",
                f"no answer within {timeout:g} s to: {request.name}",
                helps=[
                    "a device that wants a paired connection says nothing either: pair it first"
                ],
                status=self.lost_status,
            )
        answer = answered.result()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _read(self) -> None:
        """Hand out what the link receives, until it is down."""
        try:
            while True:
                for frame in self._assembler.feed(await self.link.receive()):
                    self._dispatch(frame.header, frame.payload)
        except LinkLost as lost:
            self._tell_all(lost)
        except DfuBleError as error:
            self._tell_all(error)

    def _dispatch(self, header: Header, payload: bytes) -> None:
        self.counts.received += 1
        if not self._expects(header):
            self.counts.strays += 1
            return
        waiting = self._waiting.pop(header.sequence)
        answer: Answer
        try:
            answer = decode_payload(payload)
        except DfuBleError as error:
            answer = error
        waiting.deliver(header.sequence, answer)

    def _expects(self, header: Header) -> bool:
        waiting = self._waiting.get(header.sequence)
        return waiting is not None and waiting.request.is_answered_by(header)

    def _tell_all(self, answer: DfuBleError | LinkLost) -> None:
        waiting, self._waiting = self._waiting, {}
        for sequence, one in waiting.items():
            one.deliver(sequence, answer)
