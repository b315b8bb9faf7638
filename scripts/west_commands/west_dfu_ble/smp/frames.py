# SPDX-License-Identifier: Apache-2.0
"""SMP frames: the 8-byte header, requests, and putting received bytes together again."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

# The `smp` package has a header class too; importing it costs 65 to 80 ms (pydantic) of a start
# that is to be fast, and it raises on operations and versions that real servers do answer with.
# Eight bytes need no library (Zephyr subsys/mgmt/mcumgr/transport, `struct smp_hdr`).
_HEADER = struct.Struct("!BBHHBB")
HEADER_SIZE = _HEADER.size

READ, READ_RESPONSE, WRITE, WRITE_RESPONSE = range(4)
"""The header's operation (its bits 0 to 2)."""


@dataclass(frozen=True)
class Header:
    """The header of a frame; `length` is the payload's, in bytes.

    `version` is 0 for the original protocol (SMP v1) and 1 for SMP v2.
    """

    operation: int
    version: int
    length: int
    group: int
    sequence: int
    command: int

    def __bytes__(self) -> bytes:
        """Return the 8 bytes that travel."""
        return _HEADER.pack(
            self.operation | self.version << 3,
            0,
            self.length,
            self.group,
            self.sequence,
            self.command,
        )

    @property
    def is_response(self) -> bool:
        """Whether a server made this."""
        return self.operation in (READ_RESPONSE, WRITE_RESPONSE)


@dataclass(frozen=True)
class Frame:
    """A whole frame as received; `payload` is still CBOR, see `payload.decode_payload`."""

    header: Header
    payload: bytes


@dataclass(frozen=True)
class Request:
    """What is asked of the device; the sequence number and the version come with the sending.

    `name` says what it does, for error messages (``read the image state``). `write` is the header's
    operation; `is_question` marks what only asks and is a write all the same (echo).
    """

    name: str
    write: bool
    group: int
    command: int
    payload: Mapping[str, object]
    is_question: bool = False

    @property
    def changes(self) -> bool:
        """Whether this may change anything on the device."""
        return self.write and not self.is_question

    def encode(self, sequence: int, version: int) -> bytes:
        """Return the whole frame."""
        import cbor2

        payload = cbor2.dumps(dict(self.payload))
        operation = WRITE if self.write else READ
        header = Header(operation, version, len(payload), self.group, sequence & 0xFF, self.command)
        return bytes(header) + payload

    def is_answered_by(self, header: Header) -> bool:
        """Whether a response with this header (and the right sequence number) can be the answer."""
        return header.is_response and (header.group, header.command) == (self.group, self.command)


def decode_header(data: bytes | bytearray) -> Header:
    """Read the header at the start of `data`, which has at least 8 bytes."""
    first, _flags, length, group, sequence, command = _HEADER.unpack_from(data)
    return Header(first & 7, first >> 3 & 3, length, group, sequence, command)


class FrameAssembler:
    """Puts frames together from the bytes of a link, by the length in their header.

    A link hands out pieces (notifications, datagrams); a frame begins where a piece begins, or
    right behind another frame. That is what garbage is told by: where no response header can be,
    the rest of the piece is dropped. `expects` tells whether a header is that of an answer which
    is being waited for: a piece that begins with one ends a frame that was left unfinished.
    """

    def __init__(self, expects: Callable[[Header], bool] = lambda _header: False) -> None:
        """Begin with nothing received."""
        self._expects = expects
        self._buffer = bytearray()
        self.dropped = 0
        """Bytes thrown away so far, because they were no response."""

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take the next bytes and yield every frame that they complete."""
        if self._buffer and len(piece) >= HEADER_SIZE and self._begins_anew(piece):
            self.reset()
        self._buffer += piece
        while len(self._buffer) >= HEADER_SIZE:
            header = decode_header(self._buffer)
            if not _is_plausible(header, self._buffer):
                self.reset()
                return
            end = HEADER_SIZE + header.length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER_SIZE:end])
            del self._buffer[:end]
            yield Frame(header, payload)
        # A header may be cut anywhere, but its first byte already tells a response from garbage.
        if self._buffer and not _may_begin(self._buffer):
            self.reset()

    def reset(self) -> None:
        """Forget an unfinished frame: its rest is not going to come."""
        self.dropped += len(self._buffer)
        self._buffer.clear()

    def _begins_anew(self, piece: bytes) -> bool:
        header = decode_header(piece)
        return _is_plausible(header, piece) and self._expects(header)


def _may_begin(data: bytes | bytearray) -> bool:
    # Bits 5 to 7 are reserved, and a response is an odd operation, 1 or 3.
    return not data[0] & 0xE4 and bool(data[0] & 1) and (len(data) < 2 or data[1] == 0)


def _is_plausible(header: Header, data: bytes | bytearray) -> bool:
    return header.is_response and _may_begin(data)
