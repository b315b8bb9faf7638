# SPDX-License-Identifier: Apache-2.0
"""A plain SMP client for tests, one request at a time, written apart from the package's own."""

from __future__ import annotations

import hashlib
import struct
from typing import Any, Protocol

import cbor2


class Server(Protocol):
    """What such a client talks to: all answers to one write, at once."""

    def receive(self, fragment: bytes, now: float = 0.0) -> list[bytes]:
        """Take one write, return the answers."""


def encode_request(
    op: int, group: int, command: int, value: Any, *, sequence: int = 0, version: int = 1
) -> bytes:
    """Return a whole frame."""
    body = cbor2.dumps(value)
    first = version << 3 | op
    return struct.pack(">BBHHBB", first, 0, len(body), group, sequence & 0xFF, command) + body


class Talk:
    """Asks a server and takes the answer apart."""

    def __init__(self, server: Server, *, version: int = 1) -> None:
        """`version` 0 speaks SMP v1, 1 speaks SMP v2."""
        self._server = server
        self._version = version
        self._sequence = 0

    def ask(self, op: int, group: int, command: int, value: Any, now: float = 0.0) -> Any:
        """Send one request; there must be exactly one answer, and it must belong to it."""
        self._sequence = (self._sequence + 1) & 0xFF
        frame = encode_request(
            op, group, command, value, sequence=self._sequence, version=self._version
        )
        [answer] = self._server.receive(frame, now)
        assert answer[:2] == bytes([self._version << 3 | op + 1, 0])
        assert answer[2:4] == (len(answer) - 8).to_bytes(2, "big")
        assert answer[4:8] == frame[4:8]
        return cbor2.loads(answer[8:])

    def state(self) -> Any:
        """The image state's list."""
        return self.ask(0, 1, 0, {})["images"]

    def test(self, digest: bytes) -> Any:
        """Set an image to test."""
        return self.ask(2, 1, 0, {"hash": digest})

    def confirm(self, digest: bytes | None = None) -> Any:
        """Confirm an image, by default the one that runs."""
        return self.ask(2, 1, 0, {"confirm": True} | ({"hash": digest} if digest else {}))

    def upload(
        self, data: bytes, *, chunk: int = 1000, until: int | None = None, image: int | None = None
    ) -> Any:
        """Upload an image, or its first `until` bytes; return the last answer."""
        offset = 0
        answer: Any = None
        while offset < (len(data) if until is None else until):
            request: dict[str, Any] = {"off": offset, "data": data[offset : offset + chunk]}
            if offset == 0:
                request |= {"len": len(data), "sha": hashlib.sha256(data).digest()}
                if image is not None:
                    request["image"] = image
            answer = self.ask(2, 1, 1, request)
            if "off" not in answer:
                break
            offset = answer["off"]
        return answer
