# SPDX-License-Identifier: Apache-2.0
"""The words of the upload window: its states, failures, requests, patience and counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class WindowState(Enum):
    """What an upload is at; see `window`."""

    OPENING = "opening"
    FLOWING = "flowing"
    DRAINING = "draining"
    ASKING = "asking"
    LOST_TRACK = "lost track"
    DONE = "done"
    FAILED = "failed"


class Failure(Enum):
    """Why an upload can't go on."""

    REFUSED = "the device refused"
    STALLED = "the device takes no more data"
    FOREIGN = "somebody else is uploading"
    BEYOND = "the device expects data beyond the end of the image"


@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to try; seconds.

    `first`: for the first request, which may erase the slot. The others wait `times` the round
    trip seen lately, at least `least` and at most `most`. Then the device is asked, and again with
    twice the patience each time, at least `asking` and at most `most`: two requests and a question
    leave a slow device with four buffers the one for its answer, a second question takes it.
    `tries` in a row without any progress is the end. `busy` is the pause after the device said that
    it is busy or short of memory.
    """

    first: float = 40.0
    least: float = 0.25
    asking: float = 2.5
    most: float = 10.0
    times: float = 6.0
    tries: int = 6
    busy: float = 0.25


@dataclass
class Sent:
    """One request in flight; `end` is the offset that answers it if it is taken."""

    offset: int
    end: int
    at: float
    deadline: float
    kind: str  # first, chunk or query
    order: int = 0


@dataclass
class WindowCounts:
    """What happened, for tests, logs and the benchmark."""

    requests: int = 0
    answers: int = 0
    lost_requests: int = 0
    lost_answers: int = 0
    late: int = 0
    duplicates: int = 0
    timeouts: int = 0
    rewinds: int = 0
    widest: int = 0
