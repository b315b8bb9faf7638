# SPDX-License-Identifier: Apache-2.0
"""A model of the server for the upload window, and an upload to it in simulated time."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from west_dfu_ble import smp
from west_dfu_ble.smp import Patience, UploadAnswer, UploadWindow, WindowState

IMAGE = random.Random(7).randbytes(60_662)
CHUNK = 471  # what a frame of 495 bytes carries at an offset below 64 kB
Loss = Callable[[str, int], bool]


@dataclass
class ServerModel:
    """Zephyr's bookkeeping of one upload: see facts on buffers and offsets in `smp.window`."""

    buffers: int = 4
    stored: bytearray = field(default_factory=bytearray)
    total: int = 0
    busy: int = 0
    vanished: int = 0
    complete: bool = False

    def take(self, request: smp.Request) -> UploadAnswer:
        offset, data = request.payload["off"], request.payload["data"]
        assert isinstance(offset, int)
        assert isinstance(data, bytes)
        if offset == 0:
            total = request.payload["len"]
            assert isinstance(total, int)
            if self.total == 0:
                self.total = total
                self.stored = bytearray(data)
        elif self.total and offset == len(self.stored):
            self.stored += data
        answer = UploadAnswer(len(self.stored) if self.total else 0)
        if self.total and len(self.stored) == self.total:
            self.complete, self.total = True, 0
        return answer


def make_window(buffer_count: int | None = 4, frame_size: int = 495, **more: int) -> UploadWindow:
    return UploadWindow(
        IMAGE,
        hashlib.sha256(IMAGE).digest(),
        frame_size,
        buffer_count=buffer_count,
        patience=Patience(first=4.0),
        **more,
    )


def run(
    window: UploadWindow,
    server: ServerModel,
    *,
    loses: Loss = lambda _way, _n: False,
    travel: float = 0.015,
    work: Callable[[int], float] = lambda _offset: 0.004,
) -> float:
    """Play the upload to its end in simulated time and return the seconds it took.

    `work` is what the server takes for a request at an offset. Data is only ever sent from where
    the last was sent up to, or from where the server has said since.
    """
    now, order, sequence = 0.0, 0, 0
    told, sent_up_to = {0}, 0
    events: list[tuple[float, int, str, int, smp.Request | None, UploadAnswer | None]] = []
    server_free = 0.0
    while not window.is_over:
        assert order < 40_000, "the upload does not end"
        while request := window.next_request(sequence & 0xFF, now):
            order += 1
            start, data = request.payload["off"], request.payload["data"]
            assert isinstance(data, bytes)
            if data:
                assert start == sent_up_to or start in told, "sent blindly"
                assert isinstance(start, int)
                sent_up_to, told = start + len(data), {0}
            if not loses("request", order):
                heapq.heappush(
                    events, (now + travel, order, "request", sequence & 0xFF, request, None)
                )
            sequence += 1
        wake = window.wake_at
        if events and (wake is None or events[0][0] <= wake):
            now, _, kind, number, request, answer = heapq.heappop(events)
            if kind == "request":
                if server.busy + 1 > server.buffers:
                    server.vanished += 1
                    continue
                server.busy += 1
                assert request is not None
                offset = request.payload["off"]
                assert isinstance(offset, int)
                server_free = max(server_free, now) + work(offset)
                order += 1
                heapq.heappush(events, (server_free, order, "work", number, request, None))
            elif kind == "work":
                assert request is not None
                if server.busy + 1 > server.buffers:
                    server.busy -= 1
                    server.vanished += 1
                    continue
                server.busy += 1
                answer = server.take(request)
                order += 1
                lost = loses("answer", order)
                heapq.heappush(events, (now + 0.001, order, "free", number, None, None))
                if not lost:
                    order += 1
                    heapq.heappush(events, (now + travel, order, "answer", number, None, answer))
            elif kind == "free":
                server.busy -= 2
            else:
                assert answer is not None
                told.add(answer.offset)
                window.answer(number, answer, now)
        elif wake is not None:
            now = max(now, wake)
            window.tick(now)
        else:
            raise AssertionError(f"nothing will ever happen again in {window.state}")
        if window.state is WindowState.LOST_TRACK and not server.complete:
            window.reopen()
    return now
