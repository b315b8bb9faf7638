# SPDX-License-Identifier: Apache-2.0
"""A virtual device in a process of its own that measures who uploads to it.

`python -m benchmarks.upload.device JSON` serves one device as HCI over TCP, prints its port, and
after each whole upload a line of JSON: seconds from the first request with data to the last answer,
and how many writes found no buffer.
"""

from __future__ import annotations

import asyncio
import json
import re
import selectors
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from west_dfu_ble.smp import HEADER_SIZE, decode_header
from west_dfu_ble.virtual import (
    Access,
    Answer,
    Clock,
    LinkTiming,
    RadioProfile,
    VirtualDevice,
    profile_for_image,
)
from west_dfu_ble.virtual.hci_server import HciServer

_UPLOAD = (1, 1)
# Ours asks first whether somebody else is uploading; that request's data is empty (0x40).
_DATA = re.compile(rb"data[^\x40]", re.DOTALL)
# Bytes within which the data's key stands, hash and lengths before it.
_KEYS = 100


class Measured(VirtualDevice):
    """A device that times uploads as its own server sees them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Nothing was uploaded yet."""
        super().__init__(*arguments, **options)
        self.began: float | None = None
        self.dropped = 0
        self._answered: float | None = None

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        """Note when the first data of an upload arrives, and every write that finds no buffer."""
        if self.began is None and _DATA.search(fragment, 0, HEADER_SIZE + _KEYS):
            header = decode_header(fragment)
            if (header.group, header.command) == _UPLOAD:
                self.began = time.monotonic()
        kept = super().take(fragment, now, client)
        self.dropped += not kept
        return kept

    def serve(self, now: float) -> Answer | None:
        """Note how far an upload has come."""
        answer = super().serve(now)
        if answer is not None and answer.frame and self.began is not None:
            header = decode_header(answer.frame)
            if (header.group, header.command) == _UPLOAD:
                self._answered = time.monotonic() + answer.seconds
        return answer

    def result(self) -> dict[str, float] | None:
        """Return the figures of a whole upload, once."""
        done = any("is complete" in line for line in self.log)
        if not done or self.began is None or self._answered is None:
            return None
        self.log.clear()
        seconds, self.began = self._answered - self.began, None
        return {"seconds": seconds, "dropped": self.dropped}


def make_device(settings: dict[str, Any]) -> Measured:
    """Make the device that `settings` describe; its bootloader takes any image of the same key."""
    profile = profile_for_image(Path(settings["running"]).read_bytes())
    return Measured(
        replace(
            profile,
            server=replace(profile.server, **settings["server"]),
            radio=RadioProfile(
                name=settings["name"],
                advertise_service=True,
                mtu=settings["mtu"],
                access=Access.OPEN,
                address=settings["address"],
            ),
            write_time=settings["write_time"],
        )
    )


async def serve(settings: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    device = make_device(settings)
    radio = device.on_air(Clock(), LinkTiming(**settings["timing"]))
    await radio.switch_on()
    server = HciServer(radio)
    print(await server.start("127.0.0.1", 0), flush=True)
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not ended.done():
        await asyncio.sleep(0.05)
        result = device.result()
        if result is not None:
            print(json.dumps(result), flush=True)
    await server.close()
    await radio.close()


if __name__ == "__main__":
    # Where asyncio waits with epoll, every wait is rounded up to a millisecond; select is exact.
    with closing(asyncio.SelectorEventLoop(selectors.SelectSelector())) as loop:
        loop.run_until_complete(serve(json.loads(sys.argv[1])))
