# SPDX-License-Identifier: Apache-2.0
"""One update at a time: the lock that nrf_desktop's DFU MCUmgr module holds.

Source: sdk-nrf `applications/nrf_desktop/doc/dfu_mcumgr.rst`: uploads and resets of others are
rejected until the holder was silent for 5 s. How the rejection reads is not documented there; it is
answered as MCUmgr's busy.
"""

from __future__ import annotations

from collections.abc import Callable

from .os_group import PlainError

_BUSY = 10


class UploadLock:
    """Belongs to the client that uploads; `seconds` of silence free it, `None` locks nothing."""

    def __init__(
        self, seconds: float | None, who: Callable[[], int], now: Callable[[], float]
    ) -> None:
        """Ask `who` sends the request that is answered, and what time it is `now`."""
        self._seconds = seconds
        self._who = who
        self._now = now
        self._holder: int | None = None
        self._until = 0.0

    def claim(self) -> None:
        """Take or keep the lock. Raises `PlainError` 10 (busy) if somebody else has it."""
        self.require()
        if self._seconds is not None:
            self._holder, self._until = self._who(), self._now() + self._seconds

    def require(self) -> None:
        """Raise `PlainError` 10 (busy) if somebody else has the lock."""
        held = self._holder is not None and self._now() < self._until
        if held and self._holder != self._who():
            raise PlainError(_BUSY)
