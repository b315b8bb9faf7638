# SPDX-License-Identifier: Apache-2.0
"""What can be put on the air, or served over UDP: a virtual device, or a gateway to a real one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bumble.keys import KeyStore

    from .faults import HangUp
    from .profile import RadioProfile


@dataclass(frozen=True)
class Answer:
    """A frame to send, and the seconds that the device needed for it (flash operations).

    `client` is who asked, as the one who took the request called it. A frame that is empty is not
    sent; `sent` is called for it all the same.
    """

    frame: bytes
    seconds: float = 0.0
    client: int = 0


class ServedDevice(Protocol):
    """A device as its radio knows it: fragments go in, whole frames come out; see `VirtualDevice`.

    Nothing here waits. Who serves it calls `take` with what arrives, then `serve` until there is
    nothing more and `sent` behind each answer, and `tick` when the time is `reset_at`. `bonds` are
    its pairings, `log` is what it says, the last of `lines` lines.
    """

    bonds: KeyStore | None
    log: deque[str]
    lines: int

    @property
    def radio(self) -> RadioProfile:
        """How it shows itself."""

    @property
    def is_running(self) -> bool:
        """Whether an application runs (and so advertises)."""

    @property
    def reset_at(self) -> float | None:
        """The time when it starts anew, `None` if that is not to be expected."""

    @property
    def boot_seconds(self) -> float:
        """How long it takes to start."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have `changed` called when something happens that neither `take` nor `tick` brought."""

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        """Take one write of a client; return whether it was kept."""

    def serve(self, now: float) -> Answer | None:
        """Return the next answer, `None` if there is none."""

    def take_hang_up(self) -> HangUp | None:
        """Return how the device ends the link now, if it does, and forget it."""

    def sent(self) -> None:
        """The last answer was sent (or can't be any more)."""

    def disconnected(self) -> None:
        """A client is gone."""

    def tick(self, now: float) -> bool:
        """Start anew if it is time; return whether it was (the link is gone then)."""

    def show_passkey(self, passkey: int) -> None:
        """Put a passkey on the display."""
