# SPDX-License-Identifier: Apache-2.0
"""Keeping a device reachable: connect, connect again after a lost link, wait for a reboot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..link import LinkLost
from .events import Listener, Remark
from .model import UpdateOptions
from .session import Session

_T = TypeVar("_T")

# Worth another attempt: the device was not seen, or the connection failed or broke.
_PASSING = ("LK402", "LK403", "LK406", "LK407")
# While a device boots, its new firmware may have no service yet, or an old bond not loaded.
_PASSING_AT_BOOT = (*_PASSING, "LK404", "LK405")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
# A link that tries until its time is up may end so much before it.
_LAST_MOMENT = 1.0
# How long a reboot takes to show where it takes the link down, and to pass where nothing shows it.
_DROP_TIMEOUT, _SILENT_REBOOT = 10.0, 1.0


@dataclass
class Connection:
    """The session with one device, made anew as often as `options.retries` allows.

    Losses are counted since the last progress; `progressed` begins to count anew.
    """

    session: Session
    options: UpdateOptions
    listener: Listener
    _heard: bool = field(default=False, init=False)
    _losses: int = field(default=0, init=False)
    _reconnects: int = field(default=0, init=False)

    @property
    def reconnects(self) -> int:
        """How often the link was made anew so far."""
        return self._reconnects

    def progressed(self) -> None:
        """Note that something was achieved since the last loss."""
        self._losses = 0

    async def connect(self) -> None:
        """Make the first connection; what can pass is tried again. Raises `DfuBleError` LK4xx.

        A device that is not found within the time-out, or refuses for as long, is not tried again.
        """
        end = time.monotonic() + self.options.timeout - _LAST_MOMENT
        while True:
            try:
                await self.session.open(self.options.timeout)
            except LinkLost as lost:
                await self._pause(str(lost), None)
            except DfuBleError as error:
                if error.diagnostic.code != "LK403" or time.monotonic() > end:
                    raise
                await self._pause(error.diagnostic.message, error)
            else:
                return

    async def through(self, step: Callable[[], Awaitable[_T]]) -> _T:
        """Do a step, and again from its beginning after every lost link.

        A device that falls silent in the middle of an update is connected to anew once: a request
        that was cut on the way swallows those behind it until the link ends (Zephyr
        `smp_reassembly.c`).

        Raises `DfuBleError` LK407 when the link does not come back, and what the step raises.
        """
        may_be_stuck = self._heard
        while True:
            try:
                if not self.session.is_open:
                    await self._connect_again()
                result = await step()
            except LinkLost as lost:
                await self._pause(str(lost), None)
            except DfuBleError as error:
                if error.diagnostic.code != "LK406" or not may_be_stuck:
                    raise
                may_be_stuck = False
                await self._pause(error.diagnostic.message, error)
            else:
                self._heard = True
                self.progressed()
                return result

    async def wait_gone(self) -> bool:
        """Wait until the device went down for a reboot, and close the link.

        Returns whether the device went, as far as that shows on this kind of link.
        """
        drops = self.session.link.traits.drops_on_reset
        gone = await self.session.wait_lost(_DROP_TIMEOUT if drops else _SILENT_REBOOT)
        await self.session.close()
        return gone or not drops

    async def wait_back(self, step: Callable[[], Awaitable[_T]], timeout: float) -> _T:
        """Connect and do a step until both succeed. Raises `DfuBleError` DV510 after `timeout`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        pause, last = _FIRST_PAUSE, "nothing was seen of it"
        while True:
            left = end - loop.time()
            if left <= 0:
                raise fault(
                    "DV510",
                    f"the device did not come back within {timeout:.0f} s of the reset",
                    notes=[last],
                    helps=["give it more time with --timeout", "look at its log or its LEDs"],
                )
            try:
                if not self.session.is_open:
                    await self.session.open(min(self.options.timeout, left))
                return await step()
            except LinkLost as lost:
                last = str(lost)
                await self.session.close()
            except DfuBleError as error:
                if error.diagnostic.code not in _PASSING_AT_BOOT:
                    raise _with_status(error, self.session.lost_status) from error
                last = error.diagnostic.message
                await self.session.close()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _connect_again(self) -> None:
        while True:
            try:
                await self.session.open(self.options.timeout)
            except DfuBleError as error:
                if error.diagnostic.code not in _PASSING:
                    raise _with_status(error, self.session.lost_status) from error
                await self._pause(error.diagnostic.message, error)
            else:
                self._reconnects += 1
                return

    async def _pause(self, reason: str, error: DfuBleError | None) -> None:
        """Wait a little before the next attempt, or give up."""
        await self.session.close()
        self._losses += 1
        if self._losses > self.options.retries:
            if error is not None:
                raise _with_status(error, self.session.lost_status)
            raise fault(
                "LK407",
                f"the link was lost and did not last in {self.options.retries} more attempts: "
                f"{reason}",
                status=self.session.lost_status,
            )
        self.listener(
            Remark(f"{reason}; connecting again ({self._losses} of {self.options.retries})")
        )
        await asyncio.sleep(min(_FIRST_PAUSE * 2 ** (self._losses - 1), _LONGEST_PAUSE))


def _with_status(error: DfuBleError, status: ExitStatus) -> DfuBleError:
    return DfuBleError(error.diagnostic, max(error.status, status))
