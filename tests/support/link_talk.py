# SPDX-License-Identifier: Apache-2.0
"""A plain SMP client over a link, with a window; written apart from the package's own."""

from __future__ import annotations

import hashlib
from typing import Any

import cbor2

from smp_talk import encode_request
from west_dfu_ble.link import Link


class LinkTalk:
    """Asks over a connected link and takes the answers apart."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._buffer = bytearray()
        self._sequence = 0

    async def frame(self) -> bytes:
        """Wait for the next whole frame."""
        while len(self._buffer) < 8 or len(self._buffer) < self._length():
            self._buffer += await self._link.receive()
        length = self._length()
        frame = bytes(self._buffer[:length])
        del self._buffer[:length]
        return frame

    def _length(self) -> int:
        return 8 + int.from_bytes(self._buffer[2:4], "big")

    async def send(self, op: int, group: int, command: int, value: Any) -> None:
        """Send one request."""
        self._sequence = (self._sequence + 1) & 0xFF
        await self._link.send(encode_request(op, group, command, value, sequence=self._sequence))

    async def ask(self, op: int, group: int, command: int, value: Any) -> Any:
        """Send one request and wait for its answer."""
        await self.send(op, group, command, value)
        frame = await self.frame()
        assert frame[6] == self._sequence
        return cbor2.loads(frame[8:])

    async def versions(self) -> list[str]:
        """The versions in the slots."""
        return [entry["version"] for entry in (await self.ask(0, 1, 0, {}))["images"]]

    async def echo(self, text: str) -> Any:
        """Ask for `text` back."""
        return (await self.ask(2, 0, 0, {"d": text}))["r"]

    async def upload(self, image: bytes, *, chunk: int = 2400, window: int = 2) -> None:
        """Upload an image with at most `window` requests in flight."""
        acknowledged = sent = 0
        while acknowledged < len(image):
            while sent < len(image) and sent - acknowledged < chunk * (window if sent else 1):
                request: dict[str, Any] = {"off": sent, "data": image[sent : sent + chunk]}
                if sent == 0:
                    request |= {"len": len(image), "sha": hashlib.sha256(image).digest()}
                await self.send(2, 1, 1, request)
                sent = min(sent + chunk, len(image))
            answer = cbor2.loads((await self.frame())[8:])
            assert answer["off"] > acknowledged, answer
            acknowledged = answer["off"]
