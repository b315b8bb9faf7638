# SPDX-License-Identifier: Apache-2.0
"""The smallest SMP server: it puts frames together by their length and answers echo.

It stands in for a device where a test is about the way there and not about the device.
"""

from __future__ import annotations

import struct

import cbor2

_HEADER = struct.Struct("!BBHHBB")


def echo_request(text: str, sequence: int = 7) -> bytes:
    """Make the frame of an SMP v2 echo request (operation 2, group 0, command 0)."""
    payload = cbor2.dumps({"d": text})
    return _HEADER.pack(2 | 1 << 3, 0, len(payload), 0, sequence, 0) + payload


def echo_answer(text: str, sequence: int = 7) -> bytes:
    """Make the frame that answers it."""
    payload = cbor2.dumps({"r": text})
    return _HEADER.pack(3 | 1 << 3, 0, len(payload), 0, sequence, 0) + payload


class EchoServer:
    """Takes the bytes of requests in any pieces and returns the answers that are due."""

    def __init__(self) -> None:
        self._received = b""
        self.frames: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes, return whole answers."""
        self._received += data
        answers = []
        while len(self._received) >= _HEADER.size:
            length = _HEADER.size + _HEADER.unpack_from(self._received)[2]
            if len(self._received) < length:
                break
            frame, self._received = self._received[:length], self._received[length:]
            self.frames.append(frame)
            sequence = _HEADER.unpack_from(frame)[4]
            answers.append(echo_answer(cbor2.loads(frame[_HEADER.size :])["d"], sequence))
        return answers
