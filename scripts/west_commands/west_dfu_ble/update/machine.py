# SPDX-License-Identifier: Apache-2.0
"""The update from first contact to proof, through every step of `Phase`.

Every step begins with what the device says, so that it may be done again after a lost link at any
point of it. Nothing is confirmed that was not seen running, and nothing is called a success that
the device did not show: the last word is always an image state that was read back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..diagnostics import DfuBleError
from ..faults import fault
from ..link import Link, LinkLost
from ..smp import Rc, WindowCounts, os_group
from .activation import activate, confirm
from .connection import Connection
from .device import NEVER_REACHED, DeviceState, read_device, read_images
from .events import Listener, Phase, PhaseDone, PhaseStarted, Remark
from .frame_size import FrameSizes
from .lock import DeviceLock, lock_device
from .model import Candidate, Knowledge, UpdateOptions
from .plan import ImagePlan, Plan, make_plan
from .preview import Preview, make_preview
from .session import Refusal, Session
from .store import ImageStore
from .verdict import is_half_done, is_running, is_waiting, require_running
from .waiting import wait_task

_T = TypeVar("_T")

_STEP_ATTEMPTS = 3
_ABORT_TIMEOUT = 1.5
# Swap using move writes every sector twice and erases it twice: about 20 kB/s on nRF52.
_SWAP_RATE = 10_000
_SHORTEST_REBOOT = 30.0


@dataclass(frozen=True)
class Outcome:
    """A finished update: the plan that was carried out, and the device as it is now.

    `windows` tells of each upload, in the order of the plan's images that were uploaded;
    `reconnects` how often the link had to be made anew.
    """

    plan: Plan
    state: DeviceState
    windows: tuple[WindowCounts, ...]
    reconnects: int


class Update:
    """One update of one device. `state` is what is known of the device, kept current."""

    def __init__(
        self,
        link: Link,
        candidates: Sequence[Candidate],
        knowledge: Knowledge,
        options: UpdateOptions,
        listener: Listener,
    ) -> None:
        """Prepare an update with one of `candidates` for each image number; nothing is sent yet."""
        self.state: DeviceState | None = None
        self._candidates = candidates
        self._knowledge = knowledge
        self._options = options
        self._listener = listener
        self._session = Session(link, options.request_timeout)
        self._connection = Connection(self._session, options, listener)
        self._plan: Plan | None = None
        self._frames = FrameSizes(knowledge)
        self._lock: DeviceLock | None = None
        self._windows: list[WindowCounts] = []

    def sentence(self) -> str:
        """Say which image the device runs and will run next, as far as that is known."""
        if self.state is None:
            return NEVER_REACHED
        return self.state.sentence(already=self._plan is not None and self._plan.is_reached)

    async def run(self) -> Outcome:
        """Do the whole update; nothing, if the device runs what is on offer already.

        Raises `DfuBleError`: LK4xx while nothing was written to the device (exit status 6), the
        same with status 7 if it is lost later, and DV5xx as the device refuses or turns out. When
        it is cancelled the link stays open for `abort`.
        """
        plan = await self._guarded(self._run())
        assert self.state is not None
        return Outcome(plan, self.state, tuple(self._windows), self._connection.reconnects)

    async def preview(self) -> Preview:
        """Tell what `run` would do, without writing anything to the device.

        Raises `DfuBleError` as `run` does when it refuses to begin.
        """
        return await self._guarded(self._preview())

    async def abort(self) -> None:
        """Ask for the device's state a last time, if the link is up, and close it.

        For use after `run` was cancelled. Never raises.
        """
        await self._look_once_more()
        await self._close()

    async def _guarded(self, work: Coroutine[object, object, _T]) -> _T:
        """Do `work` and close the link, but for when it is cancelled; see `abort`."""
        try:
            result = await wait_task(work)
        except asyncio.CancelledError:
            raise
        except BaseException:
            await self._look_once_more()
            await self._close()
            raise
        await self._close()
        return result

    async def _close(self) -> None:
        await self._session.close()
        if self._lock is not None:
            self._lock.release()

    async def _preview(self) -> Preview:
        plan = await self._begin()
        assert self.state is not None
        told = self.state.parameters
        frame = await self._frames.find(self._session, told)
        count = told.buffer_count if told else self._knowledge.buffer_count
        return await make_preview(self._session, plan, frame, count)

    async def _begin(self) -> Plan:
        self._start(Phase.CONNECT, f"to {self._session.link.traits.kind} device")
        await self._connection.connect()
        traits = self._session.link.traits
        self._done(Phase.CONNECT, f"{traits.peer}, {traits.max_write} bytes a write")
        self._lock = lock_device(traits, self._listener)
        self._start(Phase.INSPECT, "images, bootloader mode, buffers")
        return await self._connection.through(self._inspect)

    async def _run(self) -> Plan:
        plan = await self._begin()
        await self._store_and_activate(plan)
        if plan.resets:
            await self._reboot()
        if self._current_plan().confirms:
            self._start(Phase.CONFIRM, self._names())
            plan = self._current_plan()
            await self._connection.through(lambda: confirm(self._session, plan, self._refresh))
            self._done(Phase.CONFIRM, "it stays")
        return self._current_plan()

    # Inspect

    async def _inspect(self) -> Plan:
        self.state = await read_device(self._session, self._knowledge)
        self._plan = plan = make_plan(self._candidates, self.state, self._knowledge, self._options)
        mode = self.state.mode.title if self.state.mode else "mode not told"
        running = self.state.running
        self._done(Phase.INSPECT, f"runs {running.version if running else '?'}, {mode}")
        for remark in (*(f"warning: {text}" for text in plan.warnings), *plan.remarks):
            self._listener(Remark(remark))
        return plan

    async def _refresh(self) -> DeviceState:
        """Read the images again. Raises `DfuBleError` and `LinkLost`."""
        assert self.state is not None
        images = await read_images(self._session)
        self.state = replace(self.state, images=images, is_current=True)
        return self.state

    # Upload and activate

    async def _store_and_activate(self, plan: Plan) -> None:
        """Bring all images into their slots and set them to run next.

        A bootloader may erase what was uploaded when the device reboots between the two
        (direct-xip with revert does): then it is uploaded again.
        """
        for attempt in range(1, _STEP_ATTEMPTS + 1):
            for image in plan.images:
                if attempt > 1:
                    await self._upload(replace(image, erase=False))
                elif image.upload:
                    await self._upload(image)
            if not plan.sets_state:
                return
            self._start(Phase.ACTIVATE, "for good" if plan.permanent else "for a trial")
            if await self._connection.through(self._activate):
                self._done(Phase.ACTIVATE, "set for the next reset")
                return
            self._listener(Remark("the image is gone from its slot; uploading it again"))
        raise fault(
            "DV512",
            f"the device lost the image {_STEP_ATTEMPTS} times between upload and activation",
            helps=["does it reboot by itself? Look at its log"],
        )

    async def _activate(self) -> bool:
        plan = self._current_plan()
        if len(plan.images) > 1 and is_half_done(plan, await self._refresh()):
            self._listener(Remark("the device rebooted too early; resetting it takes that back"))
            await self._reset()
            self._mark_outdated()
            await self._connection.wait_back(self._refresh, self._reboot_timeout())
        result = await activate(self._session, self._current_plan(), self._refresh, self._listener)
        if result is not None:
            self._plan = result
        return result is not None

    async def _upload(self, image: ImagePlan) -> None:
        store = ImageStore(
            image,
            self._session,
            self._knowledge,
            self._options,
            self._listener,
            self._connection.progressed,
            self._refresh,
            self._frames,
        )
        await self._connection.through(store.step)
        if store.counts is not None:
            self._windows.append(store.counts)
        self._done(Phase.UPLOAD, store.describe())

    # Reset and verify

    async def _reboot(self) -> None:
        plan = self._current_plan()
        self._start(Phase.RESET, "the device")
        for attempt in range(1, _STEP_ATTEMPTS + 1):
            if attempt > 1:
                self._listener(Remark("the device did not reset; asking again"))
            if not await self._connection.through(self._has_rebooted):
                await self._reset()
            self._mark_outdated()
            if attempt == 1:
                self._done(Phase.RESET, "it went down")
                self._start(Phase.VERIFY, "waiting for the device to come back")
            device = await self._connection.wait_back(self._refresh, self._reboot_timeout())
            if not any(is_waiting(image, device) for image in plan.images):
                break
        assert self.state is not None
        require_running(self._current_plan(), self.state)
        running = self.state.running
        self._done(Phase.VERIFY, f"runs {running.version if running else self._names()}")

    async def _has_rebooted(self) -> bool:
        """Whether the new image runs already: the device was faster than the request."""
        device = await self._refresh()
        return all(is_running(image, device) for image in self._current_plan().images)

    async def _reset(self) -> None:
        """Ask for the reboot. A link that goes down then, or before, is what was asked for."""
        try:
            await self._session.request(os_group.reset())
        except LinkLost:
            pass
        except Refusal as refusal:
            if not refusal.error.is_rc(Rc.EBUSY):
                raise fault(
                    "DV501",
                    f"the device refused to reset: {refusal.error}",
                    helps=[
                        "reset it by hand; then: dfu-ble status, dfu-ble confirm",
                        "build the firmware with CONFIG_MCUMGR_GRP_OS=y and CONFIG_REBOOT=y",
                    ],
                ) from refusal
            await asyncio.sleep(1)
            return
        except DfuBleError as error:
            if error.diagnostic.code not in ("LK406", "DV511"):
                raise
        await self._connection.wait_gone()

    def _reboot_timeout(self) -> float:
        if self._options.reboot_timeout is not None:
            return self._options.reboot_timeout
        size: int = sum(image.candidate.image.size for image in self._current_plan().images)
        return max(self._options.timeout, _SHORTEST_REBOOT) + size / _SWAP_RATE

    # What is told

    async def _look_once_more(self) -> None:
        """Bring `state` up to date if that is possible, without any more error."""
        if self.state is None:
            return
        self._mark_outdated()
        if not self._session.is_open:
            return
        # The first may be swallowed by a frame that was cut in the middle.
        for _ in range(2):
            try:
                images = await read_images(self._session, _ABORT_TIMEOUT)
            except (DfuBleError, LinkLost):
                continue
            self.state = replace(self.state, images=images, is_current=True)
            return

    def _mark_outdated(self) -> None:
        if self.state is not None:
            self.state = self.state.outdated()

    def _current_plan(self) -> Plan:
        assert self._plan is not None
        return self._plan

    def _names(self) -> str:
        return ", ".join(
            f"{image.candidate.path.name} {image.candidate.image.version}"
            for image in self._current_plan().images
        )

    def _start(self, phase: Phase, text: str) -> None:
        self._listener(PhaseStarted(phase, text))

    def _done(self, phase: Phase, text: str) -> None:
        self._listener(PhaseDone(phase, text))
