# SPDX-License-Identifier: Apache-2.0
"""What can be made to go wrong with a virtual device, each at one exact place.

Requests count from 0 as the device takes them (whole frames), flash operations and received bytes
from 0 since the device was made; a fault meets `times` of them in a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from .flash import Operation, OperationKind


class FaultKind(Enum):
    """What goes wrong; the value is how the command line calls it."""

    REQUEST_LOST = "request-lost"
    REQUEST_DUPLICATED = "request-duplicated"
    REQUEST_CUT = "request-cut"
    RESPONSE_LOST = "response-lost"
    RESPONSE_LATE = "response-late"
    RESPONSE_DUPLICATED = "response-duplicated"
    RESPONSE_CUT = "response-cut"
    GARBAGE = "garbage"
    DISCONNECT = "disconnect"
    DISCONNECT_AT_BYTE = "disconnect-at-byte"
    VANISH = "vanish"
    REBOOT = "reboot"
    BUFFERS_BUSY = "buffers-busy"
    SECOND_CLIENT = "second-client"
    SLOW_ERASE = "slow-erase"
    FLASH_WRITE_ERROR = "flash-write-error"
    FLASH_ERASE_ERROR = "flash-erase-error"
    POWER_CUT = "power-cut"


_AT_REQUEST = frozenset(
    {
        FaultKind.REQUEST_LOST,
        FaultKind.REQUEST_DUPLICATED,
        FaultKind.REQUEST_CUT,
        FaultKind.RESPONSE_LOST,
        FaultKind.RESPONSE_LATE,
        FaultKind.RESPONSE_DUPLICATED,
        FaultKind.RESPONSE_CUT,
        FaultKind.GARBAGE,
        FaultKind.DISCONNECT,
        FaultKind.VANISH,
        FaultKind.REBOOT,
        FaultKind.BUFFERS_BUSY,
        FaultKind.SECOND_CLIENT,
    }
)


_NEEDS_SECONDS = frozenset({FaultKind.RESPONSE_LATE, FaultKind.SLOW_ERASE})


@dataclass(frozen=True)
class Fault:
    """One fault.

    `at` is the number of the request (of the byte for `DISCONNECT_AT_BYTE`, of the flash operation
    for the flash and the power). `seconds` is how late an answer is, or how much longer the first
    erase takes. `data` is the garbage, or the frame that a second client sends. `share` of a flash
    operation is done before a power cut. `count` buffers are busy until the next reset.
    """

    kind: FaultKind
    at: int = 0
    times: int = 1
    seconds: float = 0.0
    data: bytes = b""
    share: float = 0.5
    count: int = 1

    def meets(self, number: int) -> bool:
        """Whether it meets the request, byte or operation of that number."""
        return self.at <= number < self.at + self.times


class HangUp(Enum):
    """How the device leaves a link: with a word, or out of range for a moment."""

    DISCONNECT = "disconnect"
    VANISH = "vanish"


_FORM = re.compile(r"([a-z-]+)@(\d+)(?:x(\d+))?(?::(\d+(?:\.\d+)?)s)?")


def parse_fault(text: str) -> Fault:
    """Read a fault as people write it: ``KIND@NUMBER``, ``KIND@NUMBERxTIMES``, ``…:SECONDSs``.

    For example ``request-lost@12x3`` or ``response-late@5:2.5s``. Raises `ValueError`.
    """
    found = _FORM.fullmatch(text)
    kinds = {kind.value: kind for kind in FaultKind}
    if found is None or found[1] not in kinds:
        raise ValueError(f"{text!r} is no fault; write KIND@NUMBER, with KIND one of {list(kinds)}")
    kind, at, times, seconds = kinds[found[1]], int(found[2]), found[3], found[4]
    if kind in _NEEDS_SECONDS and seconds is None:
        raise ValueError(f"{text!r} does not say how long; write {text}:SECONDSs")
    if kind is FaultKind.SECOND_CLIENT:
        raise ValueError("a second client needs a frame to send, which only Python can give it")
    return Fault(kind, at, int(times or 1), float(seconds or 0.0))


class Faults:
    """The faults of one device, and how far it has come."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        """Set the faults; none is the usual case."""
        self._faults = tuple(faults)
        self.requests = 0
        self._bytes = 0
        self._slow = [fault for fault in faults if fault.kind is FaultKind.SLOW_ERASE]

    def at_request(self, number: int) -> list[Fault]:
        """Return the faults that meet the request of that number."""
        return [f for f in self._faults if f.kind in _AT_REQUEST and f.meets(number)]

    def ends_link(self, size: int) -> bool:
        """Account for `size` received bytes; return whether the link ends before they are in."""
        before, self._bytes = self._bytes, self._bytes + size
        return any(
            fault.kind is FaultKind.DISCONNECT_AT_BYTE and before <= fault.at < self._bytes
            for fault in self._faults
        )

    def fails(self, operation: Operation) -> bool:
        """Whether a flash operation fails."""
        kind = {
            OperationKind.WRITE: FaultKind.FLASH_WRITE_ERROR,
            OperationKind.ERASE: FaultKind.FLASH_ERASE_ERROR,
        }[operation.kind]
        return any(f.kind is kind and f.meets(operation.number) for f in self._faults)

    def cuts(self, operation: Operation) -> float | None:
        """Return the share of a flash operation that is done before the power goes, or `None`."""
        for fault in self._faults:
            if fault.kind is FaultKind.POWER_CUT and fault.meets(operation.number):
                return fault.share
        return None

    def delay(self, operation: Operation) -> float:
        """Return how many seconds longer a flash operation takes."""
        if operation.kind is OperationKind.ERASE and self._slow:
            return self._slow.pop().seconds
        return 0.0
