# SPDX-License-Identifier: Apache-2.0
"""A very small SMP device behind a link in memory: swap mode, two slots, nothing of flash or radio.

It is there to be broken: `mangle` may replace what it answers, and `faults` what it does. What real
devices do is the virtual device's business.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cbor2

from west_dfu_ble.faults import fault
from west_dfu_ble.image.model import ImageVersion, McubootImage
from west_dfu_ble.link import LinkLost, LinkTraits
from west_dfu_ble.smp import Header, decode_header
from west_dfu_ble.update import Candidate


def make_image(version: str, size: int = 20_000, *, flags: int = 0, load: int = 0) -> McubootImage:
    """Make an image as far as the update looks into one: data, version and digest."""
    parts = ImageVersion(*(int(part) for part in version.split(".")))
    data = hashlib.sha512(version.encode()).digest() * (size // 64)
    return McubootImage(
        data=data,
        header_size=32,
        payload_size=len(data) - 32,
        protected_size=0,
        flags=flags,
        load_address=load,
        version=parts,
        tlvs=(),
        size=len(data),
        digest=hashlib.sha256(data).digest(),
        digest_bits=256,
    )


def offer(image: McubootImage, slot: int | None = None, number: int = 0) -> Candidate:
    """Offer an image as a file of that version."""
    return Candidate(Path(f"app-{image.version}.bin"), image, slot, number)


class TinyDevice:
    """The device's slots and its server; `boots` counts, `trial` tells of an image on trial."""

    def __init__(self, *images: McubootImage, buffer_size: int = 512) -> None:
        self.slots: list[McubootImage | None] = [images[0], None]
        self.known = {i.data: i for i in images}
        self.buffer_size = buffer_size
        self.pending: str = ""
        self.trial = False
        self.received = bytearray()
        self.expected = b""
        self.length = 0
        self.boots = 1

    def boot(self) -> None:
        """Do what the bootloader does: swap, or swap back."""
        self.boots += 1
        if self.pending or self.trial:
            self.slots.reverse()
            self.trial = self.pending == "test"
        self.pending = ""
        self.received.clear()
        self.length = 0

    def answer(self, frame: bytes) -> tuple[dict[str, Any], bool]:
        """Return the answer's map, and whether the device resets behind it."""
        header, body = decode_header(frame), cbor2.loads(frame[8:])
        command = (header.group, header.command)
        if command == (0, 0):
            return {"r": body["d"]}, False
        if command == (0, 5):
            return {}, True
        if command == (0, 6):
            return {"buf_size": self.buffer_size, "buf_count": 4}, False
        if command == (1, 0):
            if header.operation == 2:
                error = self._set_state(body)
                if error:
                    return {"err": {"group": 1, "rc": error}}, False
            return self._state(), False
        if command == (1, 1):
            return self._upload(body), False
        if command == (1, 5):
            self.slots[1] = None
            return {}, False
        return {"rc": 8}, False

    def _state(self) -> dict[str, Any]:
        images = []
        for number, image in enumerate(self.slots):
            if image is not None:
                images.append(
                    {
                        "slot": number,
                        "version": str(image.version).partition("+")[0],
                        "hash": image.digest,
                        "bootable": True,
                        "active": number == 0,
                        "confirmed": number == int(self.trial),
                        "pending": number == 1 and bool(self.pending),
                        "permanent": number == 1 and self.pending == "permanent",
                    }
                )
        return {"images": images, "splitStatus": 0}

    def _set_state(self, body: dict[str, Any]) -> int:
        digest = body.get("hash")
        if digest is None:
            self.trial = False
        elif self.slots[1] is None or self.slots[1].digest != digest:
            return 8
        else:
            self.pending = "permanent" if body.get("confirm") else "test"
        return 0

    def _upload(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.pending or self.trial:
            return {"err": {"group": 1, "rc": 9}}
        if body["off"] == 0 and (not self.length or body["sha"] != self.expected):
            self.length, self.expected = body["len"], body["sha"]
            self.received = bytearray(body["data"])
        elif self.length and body["off"] == len(self.received):
            self.received += body["data"]
        offset = len(self.received) if self.length else 0
        if self.length and offset == self.length:
            self.slots[1] = self.known.get(bytes(self.received))
            self.length = 0
        return {"off": offset}


class TinyLink:
    """The link to a `TinyDevice`. `mangle` gets each answer's frame and returns the pieces that
    arrive; `faults` gets the number of a request and may return ``lose``, ``drop`` (the link goes
    down before the device sees it), ``drop answer`` or ``reboot``.
    """

    def __init__(
        self,
        device: TinyDevice,
        *,
        mangle: Callable[[bytes], Sequence[bytes]] = lambda frame: [frame],
        faults: Callable[[int, Header], str] = lambda _number, _header: "",
        splits_frames: bool = False,
        max_write: int = 2000,
        delay: float = 0.01,
        boot_time: float = 2.0,
    ) -> None:
        self.device = device
        self.mangle = mangle
        self.faults = faults
        self.delay = delay
        self.boot_time = boot_time
        self.traits = LinkTraits(
            "virtual", "tiny", max_write, splits_frames, drops_on_reset=True, in_process=True
        )
        self.requests: list[Header] = []
        self.connections = 0
        self._back_at = 0.0
        self._queue: asyncio.Queue[bytes | None] | None = None

    @property
    def is_connected(self) -> bool:
        return self._queue is not None

    async def connect(self, timeout: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._back_at > now + timeout:
            await asyncio.sleep(timeout)
            raise fault("LK402", "no device named tiny was seen")
        await asyncio.sleep(max(self._back_at - now, 0.05))
        self.connections += 1
        self._queue = asyncio.Queue()

    async def disconnect(self) -> None:
        self._queue = None

    def drop(self) -> None:
        """Take the link down."""
        if self._queue is not None:
            self._queue.put_nowait(None)
            self._queue = None

    def reboot(self) -> None:
        """Reboot the device, and with it the link."""
        self.device.boot()
        self._back_at = asyncio.get_running_loop().time() + self.boot_time
        self.drop()

    async def send(self, frame: bytes) -> None:
        if self._queue is None:
            raise LinkLost("the link is down")
        header = decode_header(frame)
        self.requests.append(header)
        trouble = self.faults(len(self.requests), header)
        if trouble == "drop":
            self.drop()
        elif trouble == "reboot":
            self.reboot()
        elif trouble != "lose":
            payload, resets = self.device.answer(frame)
            body = cbor2.dumps(payload)
            answer = Header(
                header.operation + 1, 1, len(body), header.group, header.sequence, header.command
            )
            loop, queue = asyncio.get_running_loop(), self._queue
            if trouble == "drop answer":
                self.drop()
            elif trouble != "lose answer":
                for piece in self.mangle(bytes(answer) + body):
                    loop.call_later(self.delay, queue.put_nowait, piece)
            if resets:
                loop.call_later(self.delay * 2, self.reboot)
        await asyncio.sleep(0)

    async def receive(self) -> bytes:
        if self._queue is None:
            raise LinkLost("the link is down")
        piece = await self._queue.get()
        if piece is None:
            raise LinkLost("the link went down")
        return piece
