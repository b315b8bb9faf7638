# SPDX-License-Identifier: Apache-2.0
"""What can be made to go wrong with a virtual device, each at one exact place.

Requests count from 0 as the device takes them (whole frames), flash operations and received bytes
from 0 since the device was made; a fault meets `times` of them in a row. A flash error meets the
next writes, or the next erases, from its place on.
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
    SMALL_MTU = "mtu-23"
    NO_PARAMETERS = "no-parameters"

    @property
    def counts(self) -> FaultCount:
        """What `Fault.at` counts for it."""
        return _COUNTS.get(self, FaultCount.REQUESTS)


class FaultCount(Enum):
    """What a fault's place counts; the value is the word for people."""

    REQUESTS = "requests"
    BYTES = "received bytes"
    OPERATIONS = "flash operations"
    NOTHING = "nothing: it holds from the start"


_COUNTS = {
    FaultKind.DISCONNECT_AT_BYTE: FaultCount.BYTES,
    FaultKind.FLASH_WRITE_ERROR: FaultCount.OPERATIONS,
    FaultKind.FLASH_ERASE_ERROR: FaultCount.OPERATIONS,
    FaultKind.POWER_CUT: FaultCount.OPERATIONS,
    FaultKind.SLOW_ERASE: FaultCount.NOTHING,
    FaultKind.SMALL_MTU: FaultCount.NOTHING,
    FaultKind.NO_PARAMETERS: FaultCount.NOTHING,
}
# Seconds, if nothing is said: beyond a client's patience for one answer, and the longest that an
# erase of the whole slot was seen to take.
_USUAL_SECONDS = {FaultKind.RESPONSE_LATE: 4.0, FaultKind.SLOW_ERASE: 20.0}


@dataclass(frozen=True)
class Fault:
    """One fault.

    `at` is the number of the request, byte or flash operation, see `FaultKind.counts`. `seconds` is
    how late an answer is, or how much longer the first erase takes. `data` is the garbage, or the
    frame that a second client sends (empty: a default that does harm). `share` of a flash operation
    is done before a power cut. `count` buffers are busy until the next reset.
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


_FORM = re.compile(r"([a-z0-9-]+)(?:@(\d+))?(?:x(\d+))?(?::(\d+(?:\.\d+)?)s)?")


def parse_fault(text: str) -> Fault:
    """Read a fault as people write it: ``KIND@NUMBER``, ``KIND@NUMBERxTIMES``, ``…:SECONDSs``.

    For example ``request-lost@12x3`` or ``response-late@5:2.5s``; ``buffers-busy@5x2`` holds two
    buffers, ``mtu-23`` holds from the start. Raises `ValueError`.
    """
    found = _FORM.fullmatch(text)
    kinds = {kind.value: kind for kind in FaultKind}
    if found is None or found[1] not in kinds:
        raise ValueError(
            f"{text!r} is no fault; write KIND@NUMBER, with KIND one of {', '.join(kinds)}"
        )
    kind, times = kinds[found[1]], int(found[3] or 1)
    if found[2] is None and kind.counts is not FaultCount.NOTHING:
        raise ValueError(
            f"the fault {text!r} does not say where; write {kind.value}@NUMBER, which counts "
            f"{kind.counts.value} from 0"
        )
    seconds = float(found[4]) if found[4] else _USUAL_SECONDS.get(kind, 0.0)
    at = int(found[2] or 0)
    if kind is FaultKind.BUFFERS_BUSY:
        return Fault(kind, at, count=times)
    return Fault(kind, at, times, seconds)


class Faults:
    """The faults of one device, how far it has come, and which have struck."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        """Set the faults; none is the usual case."""
        self._faults = list(faults)
        self.requests = 0
        self.bytes = 0
        self.struck: set[Fault] = set()
        self._failed: dict[Fault, int] = {}
        self._slow = [fault for fault in faults if fault.kind is FaultKind.SLOW_ERASE]

    def add(self, fault: Fault) -> None:
        """Set another one; what it counts goes on from where it is."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget those that have not struck; what holds from the start goes on."""
        self._faults, self._slow = [], []

    def holds(self, kind: FaultKind) -> bool:
        """Whether a fault that holds from the start is set."""
        return any(self._strike(fault) for fault in self._faults if fault.kind is kind)

    def at_request(self, number: int) -> list[Fault]:
        """Return the faults that meet the request of that number."""
        return [
            self._strike(fault)
            for fault in self._faults
            if fault.kind.counts is FaultCount.REQUESTS and fault.meets(number)
        ]

    def ends_link(self, size: int) -> bool:
        """Account for `size` received bytes; return whether the link ends before they are in."""
        before, self.bytes = self.bytes, self.bytes + size
        return any(
            self._strike(fault)
            for fault in self._faults
            if fault.kind is FaultKind.DISCONNECT_AT_BYTE and before <= fault.at < self.bytes
        )

    def fails(self, operation: Operation) -> bool:
        """Whether a flash operation fails."""
        kind = {
            OperationKind.WRITE: FaultKind.FLASH_WRITE_ERROR,
            OperationKind.ERASE: FaultKind.FLASH_ERASE_ERROR,
        }[operation.kind]
        for fault in self._faults:
            if fault.kind is kind and fault.at <= operation.number:
                failed = self._failed.get(fault, 0)
                if failed < fault.times:
                    self._failed[fault] = failed + 1
                    self._strike(fault)
                    return True
        return False

    def cuts(self, operation: Operation) -> float | None:
        """Return the share of a flash operation that is done before the power goes, or `None`."""
        for fault in self._faults:
            if fault.kind is FaultKind.POWER_CUT and fault.meets(operation.number):
                return self._strike(fault).share
        return None

    def delay(self, operation: Operation) -> float:
        """Return how many seconds longer a flash operation takes."""
        if operation.kind is OperationKind.ERASE and self._slow:
            return self._strike(self._slow.pop()).seconds
        return 0.0

    def _strike(self, fault: Fault) -> Fault:
        self.struck.add(fault)
        return fault
