# SPDX-License-Identifier: Apache-2.0
"""Flash memory as firmware sees it: sectors that are erased whole, bits that writing only clears.

Every erase of a sector and every write is one numbered operation, so that a fault can be put at
exactly one of them: the power goes in the middle of it (`PowerCut`), or the driver reports an error
(`FlashError`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

ERASED = 0xFF


class FlashError(Exception):
    """The flash driver reported that an operation failed."""


class PowerCut(BaseException):
    """The power went away in the middle of a flash operation.

    Not an `Exception`: no error handling of the firmware that is played may swallow it.
    """


class OperationKind(Enum):
    """What is done to the flash."""

    ERASE = "erase"
    WRITE = "write"


@dataclass(frozen=True)
class Operation:
    """One operation: its number since the device was made (from 0), where, and how many bytes."""

    number: int
    kind: OperationKind
    address: int
    size: int


class FlashController:
    """Counts the operations of one device, takes their time, and lets them go wrong.

    `erase_time` is in seconds for one sector, `write_time` in seconds for one byte;
    `seconds` adds up what the operations took until somebody takes it with `take_seconds`.
    """

    def __init__(self, *, erase_time: float = 0.0, write_time: float = 0.0) -> None:
        """Start with no fault set."""
        self.erase_time = erase_time
        self.write_time = write_time
        self.seconds = 0.0
        self.operations = 0
        self.erases = 0
        self.torn = 0.5
        self._cut_at: int | None = None
        self._fails: Callable[[Operation], bool] | None = None
        self._cuts: Callable[[Operation], float | None] | None = None
        self._delays: Callable[[Operation], float] | None = None

    def cut_power(self, after: int, torn: float = 0.5) -> None:
        """Let `after` more operations pass, then cut the power in the middle of the next one.

        `torn` is the share of that operation that is still done, 0 to 1.
        """
        self._cut_at = self.operations + after
        self.torn = torn

    def keep_power(self) -> None:
        """Take back a power cut that has not happened."""
        self._cut_at = None

    def follow(
        self,
        fails: Callable[[Operation], bool],
        cuts: Callable[[Operation], float | None],
        delays: Callable[[Operation], float],
    ) -> None:
        """Ask these about every operation: does it fail, is it cut, how much longer it takes."""
        self._fails, self._cuts, self._delays = fails, cuts, delays

    def begin(self, kind: OperationKind, address: int, size: int) -> float:
        """Account for one operation and return the share of it that is done, 1 as a rule.

        Raises `FlashError` if it is set to fail; then nothing is done.
        """
        operation = Operation(self.operations, kind, address, size)
        self.operations += 1
        self.erases += kind is OperationKind.ERASE
        self.seconds += self.erase_time if kind is OperationKind.ERASE else self.write_time * size
        if self._fails is not None and self._fails(operation):
            raise FlashError(f"{kind.value} of {size} bytes at {address:#x}")
        if self._delays is not None:
            self.seconds += self._delays(operation)
        if operation.number == self._cut_at:
            self._cut_at = None
            return self.torn
        cut = self._cuts(operation) if self._cuts is not None else None
        return 1.0 if cut is None else cut

    def take_seconds(self) -> float:
        """Return the time that the operations took since the last call, and start over."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


class FlashArea:
    """One partition: `size` bytes at `address`, with sectors of `erase_block` bytes.

    Writes begin and end at multiples of `write_block`. Offsets count from the partition's start.
    """

    def __init__(
        self,
        controller: FlashController,
        address: int,
        size: int,
        erase_block: int,
        write_block: int,
    ) -> None:
        """Make an erased partition; its size must be a whole number of sectors."""
        if size <= 0 or size % erase_block or erase_block % write_block:
            raise ValueError(f"{size} bytes are no whole number of {erase_block}-byte sectors")
        self._controller = controller
        self.address = address
        self.size = size
        self.erase_block = erase_block
        self.write_block = write_block
        self._bytes = bytearray(b"\xff" * size)
        self._blank = b"\xff" * erase_block

    @property
    def sectors(self) -> int:
        """How many sectors the partition has."""
        return self.size // self.erase_block

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes; raises `FlashError` outside of the partition."""
        self._check(offset, size)
        return bytes(self._bytes[offset : offset + size])

    def is_erased(self, offset: int, size: int) -> bool:
        """Whether nothing was written there since it was erased."""
        self._check(offset, size)
        return self._bytes.count(ERASED, offset, offset + size) == size

    def write(self, offset: int, data: bytes) -> None:
        """Clear the bits that `data` has clear; set bits stay as they are, as NOR flash does."""
        self._check(offset, len(data))
        if offset % self.write_block or len(data) % self.write_block:
            raise FlashError(f"write of {len(data)} bytes at {offset:#x} is not aligned")
        share = self._controller.begin(OperationKind.WRITE, self.address + offset, len(data))
        done = len(data)
        if share < 1.0:
            done = int(len(data) * share) // self.write_block * self.write_block
        before = self._bytes[offset : offset + done]
        if before.count(ERASED) == done:
            self._bytes[offset : offset + done] = data[:done]
        else:
            self._bytes[offset : offset + done] = bytes(
                old & new for old, new in zip(before, data, strict=False)
            )
        if share < 1.0:
            raise PowerCut(f"while writing {len(data)} bytes at {self.address + offset:#x}")

    def erase(self, offset: int, size: int) -> None:
        """Erase whole sectors, one operation each."""
        self._check(offset, size)
        if offset % self.erase_block or size % self.erase_block:
            raise FlashError(f"erase of {size} bytes at {offset:#x} is no whole number of sectors")
        for start in range(offset, offset + size, self.erase_block):
            share = self._controller.begin(
                OperationKind.ERASE, self.address + start, self.erase_block
            )
            if share < 1.0:
                done = int(self.erase_block * share)
                self._bytes[start : start + done] = self._blank[:done]
                raise PowerCut(f"while erasing the sector at {self.address + start:#x}")
            self._bytes[start : start + self.erase_block] = self._blank

    def program(self, offset: int, data: bytes) -> None:
        """Put `data` there as a programmer does in the factory: no operation, no fault."""
        self._check(offset, len(data))
        self._bytes[offset : offset + len(data)] = data

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise FlashError(f"{size} bytes at {offset:#x} are outside of the partition")
