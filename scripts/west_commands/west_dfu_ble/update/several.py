# SPDX-License-Identifier: Apache-2.0
"""Updates of several devices at once: each by itself, none stopped by the failure of another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ..diagnostics import DfuBleError, Diagnostic, ExitStatus
from .device import NEVER_REACHED, DeviceState
from .machine import Update
from .preview import Preview


@dataclass(frozen=True)
class DeviceResult:
    """How the update of one device ended.

    `device` is what the user, or the scan, calls it. `seconds` are those since its turn came.
    `state` is what was last known of the device, `None` if it was never reached; `sentence` puts
    it into words. `has_begun` is false for one whose turn never came. `bug` is an exception that
    nobody expected.
    """

    device: str
    status: ExitStatus
    error: Diagnostic | None = None
    state: DeviceState | None = None
    preview: Preview | None = None
    seconds: float = 0.0
    has_begun: bool = True
    bug: Exception | None = None
    sentence: str = NEVER_REACHED


def worst(results: Iterable[DeviceResult]) -> ExitStatus:
    """Return the status of a run over several devices.

    An interruption comes before all; then the status that tells of the most trouble with a device,
    which is the highest: 7 (the device is not in the state asked for) over 6 (nothing was changed).
    """
    return max((result.status for result in results), default=ExitStatus.DONE)


class SeveralUpdates:
    """Runs updates, at most `jobs` at once, in one event loop."""

    def __init__(
        self,
        updates: Mapping[str, Update],
        jobs: int,
        finished: Callable[[DeviceResult], None],
        *,
        dry_run: bool = False,
    ) -> None:
        """Prepare; `finished` is told of each device when its update ended."""
        self._updates = updates
        self._turns = asyncio.Semaphore(jobs)
        self._finished = finished
        self._dry_run = dry_run
        self._tasks: list[asyncio.Task[None]] = []
        self._results: dict[str, DeviceResult] = {}
        self._is_cancelled = False

    async def run(self) -> list[DeviceResult]:
        """Update all and return how each ended, in their order. Never raises.

        A cancellation is taken as `cancel`: the results come all the same.
        """
        self._tasks = [
            asyncio.ensure_future(self._take_turn(device, update))
            for device, update in self._updates.items()
        ]
        while not all(task.done() for task in self._tasks):
            try:
                await asyncio.wait(self._tasks)
            except asyncio.CancelledError:
                self.cancel()
        return [self._results.get(device) or _never_begun(device) for device in self._updates]

    def cancel(self) -> None:
        """End all updates; each device that is connected is asked for its state first."""
        if not self._is_cancelled:
            self._is_cancelled = True
            for task in self._tasks:
                task.cancel()

    async def _take_turn(self, device: str, update: Update) -> None:
        try:
            async with self._turns:
                result = await self._update(device, update)
        except asyncio.CancelledError:
            result = _never_begun(device)
        self._results[device] = result
        self._finished(result)

    async def _update(self, device: str, update: Update) -> DeviceResult:
        loop = asyncio.get_running_loop()
        began = loop.time()
        result = DeviceResult(device, ExitStatus.DONE)
        try:
            if self._dry_run:
                result = replace(result, preview=await update.preview())
            else:
                await update.run()
        except asyncio.CancelledError:
            await update.abort()
            result = replace(result, status=ExitStatus.INTERRUPTED)
        except DfuBleError as error:
            result = replace(result, status=error.status, error=error.diagnostic)
        except Exception as error:  # a bug of ours ends one update and is reported at the end
            result = replace(result, status=ExitStatus.UNDECIDED, bug=error)
        seconds = loop.time() - began
        return replace(result, state=update.state, sentence=update.sentence(), seconds=seconds)


def _never_begun(device: str) -> DeviceResult:
    return DeviceResult(device, ExitStatus.INTERRUPTED, has_begun=False)
