# SPDX-License-Identifier: Apache-2.0
"""The SMP server behind its transport: buffers, reassembly, one answer at a time.

Buffers are the heart of it: requests and answers share one pool, nothing waits for a free buffer,
and what finds none is dropped without a word (Zephyr `smp.c`, `smp_bt.c`, `smp_reassembly.c`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .codec import (
    HEADER_SIZE,
    READ,
    WRITE,
    MalformedPayload,
    RequestHeader,
    decode_header,
    encode_map,
    encode_response,
)
from .os_group import Answer, GroupError, PlainError
from .profile import ServerProfile

ENOMEM, EINVAL, EMSGSIZE, ENOTSUP, ECORRUPT = 2, 3, 7, 8, 9
TOO_OLD, TOO_NEW = 12, 13


class Group(Protocol):
    """One management group."""

    def handler(self, command: int, op: int) -> Callable[[bytes], Answer] | None:
        """Return who answers a command, or `None`."""


@dataclass(frozen=True)
class Served:
    """An answer and the client that it is for."""

    frame: bytes
    client: int


@dataclass(frozen=True)
class Packet:
    """A request and the client that sent it."""

    data: bytes
    client: int


class SmpServer:
    """Takes what a client writes with `take`; `serve` and `sent` do one request at a time.

    `client` is the one whose request is answered.
    """

    def __init__(self, profile: ServerProfile, groups: Mapping[int, Group]) -> None:
        """Start with all buffers free."""
        self._profile = profile
        self._groups = groups
        self._free = profile.buf_count
        self._queue: deque[Packet] = deque()
        self._partial: bytearray | None = None
        self._expected = 0
        self._release = 0
        self.client = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be served."""
        return not self._queue

    @property
    def oldest(self) -> Packet | None:
        """The request that waits longest; it keeps its buffer."""
        return self._queue[0] if self._queue else None

    def take(self, fragment: bytes, client: int = 0) -> bool:
        """Take one write of a client; return whether it was kept. There is no other sign."""
        if not self._profile.reassembly:
            return len(fragment) <= self._profile.buf_size and self._enqueue(fragment, client)
        if self._partial is None:
            if len(fragment) < HEADER_SIZE:
                return False
            expected = HEADER_SIZE + decode_header(fragment).length
            if expected > self._profile.buf_size or len(fragment) > expected or not self._free:
                return False
            self._free -= 1
            self._partial, self._expected = bytearray(fragment), expected
        elif len(self._partial) + len(fragment) > self._expected:
            self.drop_partial()
            return False
        else:
            self._partial += fragment
        if len(self._partial) == self._expected:
            self._queue.append(Packet(bytes(self._partial), client))
            self._partial = None
        return True

    def hold_buffers(self, count: int) -> None:
        """Take `count` buffers away for good, as a leak or another client does."""
        self._free = max(0, self._free - count)

    def discard_oldest(self) -> None:
        """Lose the oldest request."""
        self._queue.popleft()
        self._free += 1

    def repeat_oldest(self) -> None:
        """Have the oldest request once more, if there is a buffer for it."""
        if self._free:
            self._free -= 1
            self._queue.insert(1, self._queue[0])

    def cut_oldest(self) -> None:
        """Lose half of the oldest request; where frames are put together the rest is awaited."""
        packet = self._queue.popleft()
        half = packet.data[: len(packet.data) // 2]
        if not self._profile.reassembly:
            self._queue.appendleft(Packet(half, packet.client))
        elif self._partial is None:
            self._partial, self._expected = bytearray(half), len(packet.data)
        else:
            self._free += 1

    def insert(self, frame: bytes, client: int) -> None:
        """Have a request of another client before the oldest one, if there is a buffer for it."""
        if self._free:
            self._free -= 1
            self._queue.appendleft(Packet(frame, client))

    def _enqueue(self, packet: bytes, client: int) -> bool:
        if not self._free:
            return False
        self._free -= 1
        self._queue.append(Packet(packet, client))
        return True

    def drop_partial(self) -> None:
        """Forget a frame that is not complete, as at a disconnect."""
        if self._partial is not None:
            self._partial = None
            self._free += 1

    def serve(self) -> Served | None:
        """Answer the oldest request; `None` if there is none. Its buffers are busy until `sent`."""
        self.sent()
        while self._queue:
            packet = self._queue.popleft()
            if len(packet.data) < HEADER_SIZE:
                self._free += 1  # nothing to answer to
                continue
            header = decode_header(packet.data)
            self.client = packet.client
            frame, rest = self._process(header, packet.data[HEADER_SIZE:])
            if rest:
                self._queue.appendleft(Packet(rest, packet.client))
            else:
                self._release += 1
            return Served(frame, packet.client)
        return None

    def sent(self) -> None:
        """The answer is on its way: free what it held."""
        self._free += self._release
        self._release = 0

    def _process(self, header: RequestHeader, body: bytes) -> tuple[bytes, bytes]:
        if len(body) < header.length:
            return self._error(header, ECORRUPT), b""
        if header.op not in (READ, WRITE):
            return self._error(header, ENOTSUP), b""
        if not self._free:
            # The answer goes out in the request's own buffer.
            return self._error(header, ENOMEM), b""
        self._free -= 1
        self._release += 1
        payload, rest = body[: header.length], body[header.length :]
        try:
            answer = self._answer(header, payload)
        except PlainError as error:
            return self._error(header, error.code), b""
        except MalformedPayload:
            return self._error(header, EINVAL), b""
        except GroupError as error:
            if not self._is_version_2(header):
                code = error.version_1 if self._profile.version_2 else error.original
                return self._error(header, code, error.reason), b""
            answer = {self._profile.error_key: {"group": error.group, "rc": int(error.code)}}
        frame = self._encode(header, answer)
        if len(frame) > self._profile.buf_size:
            return self._error(header, EMSGSIZE), b""
        return frame, rest

    def _answer(self, header: RequestHeader, payload: bytes) -> Answer:
        if self._profile.version_2:
            if header.version == 0 and not self._profile.version_1:
                raise PlainError(TOO_OLD)
            if header.version > 1:
                raise PlainError(TOO_NEW)
        group = self._groups.get(header.group)
        handler = group.handler(header.command, header.op) if group else None
        if handler is None:
            raise PlainError(ENOTSUP)
        return handler(payload)

    def _is_version_2(self, header: RequestHeader) -> bool:
        return self._profile.version_2 and header.version > 0

    def _error(self, header: RequestHeader, code: int, reason: str = "") -> bytes:
        answer: dict[str, object] = {"rc": code}
        if reason and self._profile.verbose_errors:
            answer["rsn"] = reason
        return self._encode(header, answer)

    def _encode(self, header: RequestHeader, answer: Answer) -> bytes:
        return encode_response(header, encode_map(answer), version_2=self._profile.version_2)
