# SPDX-License-Identifier: Apache-2.0
"""How a run of the command line ended, for the tests that look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Result:
    """Exit status and what the run wrote."""

    status: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line of standard output."""
        return self.out.rstrip().rpartition("\n")[2]


class RunDfuBle(Protocol):
    """`dfu_ble("check", "-d", folder)`."""

    def __call__(self, *arguments: object) -> Result:
        """Run the command line with `arguments`."""
