# SPDX-License-Identifier: Apache-2.0
"""What a page is made of: a check, updates, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...rules import CheckReport
    from ...update import DeviceResult, TimedEvent


@dataclass(frozen=True)
class UpdateRecord:
    """The update of one device: how it ended, what was told on the way, what the device said.

    `link` is how it was reached, as the command line calls that. `log` is the virtual device's own.
    """

    result: DeviceResult
    events: tuple[TimedEvent, ...]
    link: str = ""
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """What one page shows; `check` is `None` for images that no build belongs to."""

    check: CheckReport | None
    updates: tuple[UpdateRecord, ...] = ()
