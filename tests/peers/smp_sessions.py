# SPDX-License-Identifier: Apache-2.0
"""Sessions with real servers, which take their time to come up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import open_link
from west_dfu_ble.smp import os_group
from west_dfu_ble.update import Session


@asynccontextmanager
async def session_with(link: str) -> AsyncIterator[Session]:
    """Connect as the command line would with this link, and wait until the server is up."""
    session = Session(open_link(link, None))
    await session.open(10)
    try:
        await answered(session)
        yield session
    finally:
        await session.close()


async def answered(session: Session) -> None:
    """Ask until the server is up: what comes while it boots is lost."""
    for _ in range(60):
        try:
            await session.request(os_group.echo("there?"), timeout=0.5)
        except DfuBleError:
            continue
        return
    pytest.fail("the server does not come up")


def echo_of(frame_size: int) -> str:
    """Return the text whose echo request is a frame of so many bytes."""
    for length in range(frame_size, 0, -1):
        if len(os_group.echo("x" * length).encode(0, 1)) == frame_size:
            return "x" * length
    raise AssertionError(f"no text makes a frame of {frame_size} bytes")
