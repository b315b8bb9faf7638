# SPDX-License-Identifier: Apache-2.0
"""Find a device and open the way to it, again where that may help; for both Bluetooth stacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..diagnostics import DfuBleError
from .search import S, Target, Until, find
from .sharing import Claims

_TRIES = 4


async def reach(
    target: Target,
    timeout: float,
    pause: float,
    listen: Callable[[float, Until[S]], Awaitable[list[S]]],
    open_to: Callable[[S], Awaitable[None]],
    claims: Claims,
    owner: object,
) -> Target:
    """Look for `target` for `timeout` seconds, open the way to it, and return it as it is now.

    `pause` is the seconds between two tries; `owner` is whose device it is among `claims`.
    Raises `DfuBleError`: LK402 and LK410 of the search, and what `open_to` raises: LK403, no
    connection, if it came four times or the time is over, anything else at once.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    failure: DfuBleError | None = None
    for _ in range(_TRIES):
        try:
            found, strangers = await find(
                target,
                max(end - loop.time(), pause),
                listen,
                lambda address: claims.is_taken(owner, address),
            )
            claims.take(owner, found.seen.address, found.seen.name)
        except DfuBleError as error:
            # That the connection failed says more than that the device fell silent then.
            raise failure or error from error.__cause__
        try:
            await open_to(found)
        except DfuBleError as error:
            if error.diagnostic.code != "LK403" or loop.time() >= end:
                raise
            failure = error
            await asyncio.sleep(pause)
        else:
            return Target(target.asked, found.seen, strangers | target.strangers)
    assert failure is not None
    raise failure
