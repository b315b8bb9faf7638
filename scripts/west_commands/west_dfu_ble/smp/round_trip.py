# SPDX-License-Identifier: Apache-2.0
"""How long to wait for an answer: from the round trips that were seen. Pure; no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from .window_model import Patience

# What is left of a long round trip with each shorter one behind it.
_MEMORY = 0.9


@dataclass
class RoundTrip:
    """The longest round trip of an upload seen lately, in seconds, and the wait that follows.

    As in TCP (RFC 6298) the wait is a multiple of what was seen, with a floor. But a device that
    erases its flash page by page takes long for one request in ten or so, and a mean with its
    variance has forgotten that until the next: here the longest counts at once, and fades slowly.
    An answer bears its request's number, so that late ones count too; they are the ones that show
    that the wait was too short.
    """

    patience: Patience
    _longest: float | None = field(default=None, init=False)
    _opening: float | None = field(default=None, init=False)

    @property
    def wait(self) -> float:
        """Seconds after which an answer is overdue."""
        seen = self._opening if self._longest is None else self._longest
        if seen is None:
            return self.patience.most
        return min(max(seen * self.patience.times, self.patience.least), self.patience.most)

    def open(self, seconds: float) -> None:
        """Take the first request's time, which may hold an erase: it counts until others do."""
        self._opening = seconds

    def learn(self, seconds: float) -> None:
        """Take the time between a request with data and its answer."""
        known = seconds if self._longest is None else self._longest
        self._longest = max(seconds, known * _MEMORY + seconds * (1 - _MEMORY))
