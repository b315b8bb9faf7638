# SPDX-License-Identifier: Apache-2.0
"""A link straight into a virtual device: no Bluetooth stack, but its buffers, faults and resets.

For tests of SMP at full speed; over the air the same device is reached by `VirtualLink`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from ..faults import fault
from .inbox import Inbox
from .model import LinkLost, LinkTraits

_LOOK_AGAIN = 0.005
_VANISHED = "vanish"


class Answer(Protocol):
    """A frame to deliver, and the seconds that the device needed for it."""

    @property
    def frame(self) -> bytes:
        """The frame; empty if nothing is to be delivered."""

    @property
    def seconds(self) -> float:
        """How long the device took."""


class HangUp(Protocol):
    """How a device leaves a link: ``"vanish"`` is without a word."""

    @property
    def value(self) -> str:
        """What it is called."""


class Device(Protocol):
    """A virtual device, as far as this link knows it."""

    @property
    def is_running(self) -> bool:
        """Whether an application runs."""

    @property
    def reset_at(self) -> float | None:
        """The time of the next reset, `None` if there is none."""

    @property
    def boot_seconds(self) -> float:
        """How long the last boot takes."""

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        """Take one write."""

    def serve(self, now: float) -> Answer | None:
        """Answer the oldest request."""

    def sent(self) -> None:
        """Note that the answer is delivered."""

    def tick(self, now: float) -> bool:
        """Do the reset whose time has come."""

    def take_hang_up(self) -> HangUp | None:
        """Return how the device ends the link, if it does."""

    def disconnected(self) -> None:
        """Note that the client is gone."""


class LoopbackLink:
    """The way into `device`; see `Link`.

    `max_write` is what one write takes, in bytes. All waiting (resets, slow flash, late answers) is
    `speed` times shorter than it would be on a board. A device that is gone without a word is
    missed `loss_delay` seconds later, as by the supervision timeout of a radio.
    """

    def __init__(
        self,
        device: Device,
        *,
        max_write: int = 495,
        speed: float = 1.0,
        loss_delay: float = 0.0,
    ) -> None:
        """Lead into `device`, which belongs to this link alone."""
        self._device = device
        self._speed = speed
        self._loss_delay = loss_delay
        self._missing: asyncio.TimerHandle | None = None
        self._traits = LinkTraits(
            "virtual",
            "loopback",
            max_write,
            splits_frames=True,
            drops_on_reset=True,
            in_process=True,
        )
        self._inbox = Inbox()
        self._inbox.close("not connected")
        self._work = asyncio.Event()
        self._back_at = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def traits(self) -> LinkTraits:
        """What the link can do."""
        return self._traits

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent now."""
        return self._inbox.lost is None

    async def connect(self, timeout: float) -> None:
        """Wait until the device runs. Raises `DfuBleError` LK402 if it does not in time."""
        if self._task is None:
            self._work = asyncio.Event()
            self._task = asyncio.ensure_future(self._live())
        self._hang_up("the link was closed")
        end = asyncio.get_running_loop().time() + timeout
        while not self._device.is_running or self._now() < self._back_at:
            if asyncio.get_running_loop().time() >= end:
                raise fault("LK402", "the virtual device does not run")
            await asyncio.sleep(_LOOK_AGAIN)
        self._device.disconnected()
        self._inbox = Inbox()

    async def disconnect(self) -> None:
        """Close the link; never raises. The device stands still until the next `connect`."""
        self._hang_up("the link was closed")
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def send(self, frame: bytes) -> None:
        """Write one frame in pieces. Raises `LinkLost` if the link is down."""
        for start in range(0, len(frame), self._traits.max_write):
            if self._inbox.lost is not None:
                raise LinkLost(self._inbox.lost)
            if self._missing is not None:
                return  # nobody hears it
            self._device.take(frame[start : start + self._traits.max_write], self._now())
        self._work.set()

    async def receive(self) -> bytes:
        """Wait for the next bytes. Raises `LinkLost` once the link is down."""
        return await self._inbox.get()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() * self._speed

    def _miss(self, reason: str) -> None:
        """Let the client find out that the device is gone."""
        if not self._loss_delay:
            self._hang_up(reason)
        elif self._inbox.lost is None and self._missing is None:
            self._device.disconnected()
            self._missing = asyncio.get_running_loop().call_later(
                self._loss_delay / self._speed, self._hang_up, reason
            )

    def _hang_up(self, reason: str) -> None:
        if self._missing is not None:
            self._missing.cancel()
            self._missing = None
        if self._inbox.lost is None:
            self._inbox.close(reason)
            self._device.disconnected()

    async def _live(self) -> None:
        """Answer requests, and reset when it is time."""
        while True:
            if self._device.tick(self._now()):
                self._miss("the device was reset")
                self._back_at = self._now() + self._device.boot_seconds
            answer = self._device.serve(self._now())
            hang_up = self._device.take_hang_up()
            if hang_up is not None and hang_up.value == _VANISHED:
                self._miss("the device is not heard any more")
            elif hang_up is not None:
                self._hang_up("the device ended the link")
            if answer is not None:
                if answer.seconds:
                    await asyncio.sleep(answer.seconds / self._speed)
                if self._missing is None:
                    self._inbox.put(answer.frame)
                self._device.sent()
                continue
            if not self._device.is_running:
                self._miss("the device is off")
            self._work.clear()
            await self._wait()

    async def _wait(self) -> None:
        at = self._device.reset_at
        seconds = None if at is None else max(0.0, at - self._now()) / self._speed
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._work.wait(), seconds)
