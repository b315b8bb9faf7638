# SPDX-License-Identifier: Apache-2.0
"""What an update tells whoever watches it: plain values, so that any report can show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """The steps of an update, in their order."""

    CONNECT = "connect"
    INSPECT = "inspect"
    UPLOAD = "upload"
    ACTIVATE = "activate"
    RESET = "reset"
    VERIFY = "verify"
    CONFIRM = "confirm"


@dataclass(frozen=True)
class PhaseStarted:
    """A step begins; `text` says with what."""

    phase: Phase
    text: str


@dataclass(frozen=True)
class PhaseDone:
    """A step ended well; `text` says with what result."""

    phase: Phase
    text: str


@dataclass(frozen=True)
class UploadProgress:
    """The device has `offset` of `total` bytes of the file `name`; `seconds` since its start.

    `resumed_at` is the offset that this run started from (an earlier run had sent the rest).
    """

    name: str
    offset: int
    total: int
    seconds: float
    resumed_at: int = 0


@dataclass(frozen=True)
class Remark:
    """Something that the user should know and that does not end the update."""

    text: str


Event = PhaseStarted | PhaseDone | UploadProgress | Remark
Listener = Callable[[Event], None]
