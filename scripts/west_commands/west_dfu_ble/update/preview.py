# SPDX-License-Identifier: Apache-2.0
"""What an update would do, without writing anything: plan, frame, window, expected time."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from ..diagnostics import DfuBleError
from ..smp import HEADER_SIZE, image_group, os_group, width_limit
from .frame_size import FrameSize
from .plan import Plan
from .session import Session

# The header, a map of one entry, the key "d", and the head of a text of 256 bytes or more.
_ECHO_OVERHEAD = HEADER_SIZE + 6
_SAMPLES = 3


@dataclass(frozen=True)
class Preview:
    """What an update would do. `seconds` is the time that the uploads are expected to take.

    It is estimated from echoes, which cost nothing: how long a small and a full frame are on their
    way. `None` if the device answers no echo. Erasing and writing flash come on top.
    """

    plan: Plan
    frame: FrameSize
    width: int
    requests: int
    total: int
    seconds: float | None


async def make_preview(
    session: Session, plan: Plan, frame: FrameSize, buffer_count: int | None
) -> Preview:
    """Count the requests of the plan's uploads and estimate their time. Raises `LinkLost`."""
    width = width_limit(buffer_count)
    width = min(width, frame.most_in_flight or width)
    sizes = [image.candidate.image.size for image in plan.images if image.upload]
    chunk = image_group.chunk_size(frame.size, max(sizes, default=0))
    requests = sum(math.ceil(size / chunk) for size in sizes)
    seconds = await _estimate(session, frame.size, width)
    return Preview(
        plan, frame, width, requests, sum(sizes), None if seconds is None else seconds * requests
    )


async def _estimate(session: Session, frame_size: int, width: int) -> float | None:
    """Return the seconds that each request of an upload adds, `None` if there is no echo."""
    try:
        small = await _time_echo(session, 1)
        # A byte or two less than the frame: the answer must fit the same buffer.
        full = await _time_echo(session, max(frame_size - _ECHO_OVERHEAD - 2, 1))
    except DfuBleError:
        return None
    # An echo is as long on the way back; the answer to an upload request is as short as can be.
    transfer = max(full - small, 0.0) / 2
    return max(transfer, (small + transfer) / width)


async def _time_echo(session: Session, length: int) -> float:
    loop = asyncio.get_running_loop()
    times = []
    for _ in range(_SAMPLES):
        started = loop.time()
        await session.request(os_group.echo("x" * length))
        times.append(loop.time() - started)
    return sorted(times)[len(times) // 2]
