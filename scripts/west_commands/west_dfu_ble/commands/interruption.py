# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while a loop runs: what is under way is ended in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


def on_interrupt(end: Callable[[], object]) -> None:
    """Have `end` called at Ctrl-C, in the loop that runs, instead of `KeyboardInterrupt`."""
    # Windows has no signal handlers in asyncio; there, and only from Python 3.11 on, asyncio.run
    # itself turns Ctrl-C into a cancellation.
    with suppress(NotImplementedError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, end)
