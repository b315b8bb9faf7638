# SPDX-License-Identifier: Apache-2.0
"""Uploads to real servers over a serial line: Zephyr in QEMU, with a relay that takes the time."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path

from . import peers
from .air import run
from .figures import Figure, Result, take_turns
from .peers import CannotMeasure, Relay, reversioned
from .rows import ServerRow

_CLIENT = Path(__file__).with_name("peer_smpclient.py")
# A frame on a console: begins a packet, then base64 of its length and the frame itself (Zephyr
# `doc/services/device_mgmt/smp_transport.rst`).
_BEGINS = b"\x06\x09"
_UPLOAD = (1, 1)
# A request without data, as ours asks to see whether somebody else uploads, is shorter.
_LEAST = 64


class Stopwatch:
    """Reads along, and times from the first request with data to the last answer to one."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self.first: float | None = None
        self.last = 0.0
        self._reused = 0
        self._unanswered: set[int] = set()
        self._rest = {True: b"", False: b""}

    def hear(self, from_client: bool, data: bytes) -> None:
        """Take what passes."""
        now = time.monotonic()
        *lines, self._rest[from_client] = (self._rest[from_client] + data).split(b"\n")
        for line in lines:
            at = line.rfind(_BEGINS)
            if at < 0:
                continue
            # Four base64 characters a multiple of three bytes: enough for length and header.
            head = base64.b64decode(line[at + 2 : at + 18])
            size, group, sequence, command = int.from_bytes(head[:2], "big"), *head[7:10]
            if (group, command) != _UPLOAD:
                continue
            if from_client and size > _LEAST:
                self.first = self.first or now
                self._reused += sequence in self._unanswered  # its number is used again
                self._unanswered.add(sequence)
            elif not from_client and sequence in self._unanswered:
                self.last = now
                self._unanswered.remove(sequence)

    def count_lost(self) -> int:
        """Return how many requests with data had no answer."""
        return self._reused + len(self._unanswered)


def measure(row: ServerRow, folder: Path, rounds: int) -> Result:
    """Measure a row of the table; each upload meets a server that was just started."""

    def upload(command: list[str]) -> Figure:
        with peers.qemu(row.target, row.config) as server:
            update = _update(server.signed_image, folder / f"{row.config}.bin")
            watch = Stopwatch()
            with Relay(watch.hear) as relay:
                relay.join(server.link)
                place = {"LINK": relay.link, "URL": relay.link.partition(":")[2]}
                run([place.get(word, word) for word in command] + [str(update)])
            if watch.first is None or watch.last <= watch.first:
                raise CannotMeasure("no upload passed")
            rate = update.stat().st_size / (watch.last - watch.first)
            return Figure(rate, watch.count_lost())

    def ours() -> Figure:
        words = ["upload", "--link", "LINK", "--no-activate", "--image"]
        return upload([sys.executable, "-m", "west_dfu_ble", *words])

    def theirs() -> Figure:
        return upload([peers.client(peers.SMPCLIENT), str(_CLIENT), "serial", "URL"])

    mine, others, failure = take_turns(rounds, ours, theirs)
    return Result(row.title, mine, others, row.limits, failure=failure)


def _update(original: Path, target: Path) -> Path:
    """Give the server's own image a higher version, so that it is not there already."""
    if not target.is_file():
        target.write_bytes(reversioned(original, 2))
    return target
