# SPDX-License-Identifier: Apache-2.0
"""The passkey that a device shows: from the command line, or from whoever sits at the terminal."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ..link import AskPasskey
from ..report.console import Console


def passkey_source(
    args: argparse.Namespace,
    console: Console,
    device: str = "the device",
    turn: asyncio.Lock | None = None,
) -> AskPasskey | None:
    """Return who knows the passkey that `device` shows; `None` if nobody does.

    Where several devices may want one, `turn` is what those share who ask.
    """
    asking = turn or asyncio.Lock()

    async def ask() -> int | None:
        if args.passkey is not None:
            return int(args.passkey)
        async with asking:
            with console.question(f"passkey that {device} shows: "):
                said = await _read_line()
        return int(said) if said.isdecimal() else None

    return ask if args.passkey is not None or console.is_interactive else None


async def _read_line() -> str:
    """Read a line that is typed; whoever is cancelled meanwhile does not wait for it."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(sys.stdin, typed.set)
    except NotImplementedError:  # Windows
        line: str = await asyncio.to_thread(sys.stdin.readline)
        return line.strip()
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip()
