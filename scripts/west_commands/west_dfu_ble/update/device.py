# SPDX-License-Identifier: Apache-2.0
"""The device as it says it is: images, slots, bootloader mode, buffers; and a sentence on that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ..diagnostics import DfuBleError
from ..mcuboot import BootloaderMode
from ..smp import (
    BootloaderInfo,
    ImageSlot,
    ImageState,
    McumgrParameters,
    SlotInfo,
    image_group,
    os_group,
)
from .session import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..smp import Request
    from .model import Knowledge
    from .session import Payload, Session

_T = TypeVar("_T")
_READ_ATTEMPTS = 3

NEVER_REACHED = "the state of the device is not known: it was never reached"


@dataclass(frozen=True)
class DeviceState:
    """The device at one moment.

    `mode` is what the device tells, else what the build says (`mode_is_told` tells which).
    `parameters`, `bootloader` and `slots` are `None` or empty where the server was built without
    the command. `is_current` is false if the device could not be asked again since something
    happened that may have changed it.
    """

    images: ImageState
    mode: BootloaderMode | None = None
    mode_is_told: bool = False
    parameters: McumgrParameters | None = None
    bootloader: BootloaderInfo | None = None
    slots: tuple[SlotInfo, ...] = ()
    is_current: bool = True

    @property
    def running(self) -> ImageSlot | None:
        """The application that runs, `None` if the device does not tell."""
        return self.images.active()

    @property
    def is_in_recovery(self) -> bool:
        """Whether MCUboot itself answers (serial recovery): it runs no image, so it flags none."""
        return self.running is None

    @property
    def next(self) -> ImageSlot | None:
        """The application that runs after the next reset."""
        return self.next_of(0)

    def next_of(self, image: int) -> ImageSlot | None:
        """Return what runs as image number `image` after the next reset."""
        active = self.images.active(image)
        others = [i for i in self.images if i.image == image and not i.active]
        pending = next((i for i in others if i.pending), None)
        if pending is not None:
            return pending
        if active is not None and self.is_on_trial(active):
            return others[0] if others else active
        return active

    def is_on_trial(self, image: ImageSlot) -> bool:
        """Whether an image runs that the bootloader will undo unless it is confirmed."""
        reverts = self.mode is None or self.mode.reverts
        return image.active and not image.confirmed and reverts

    def sentence(self, *, already: bool = False) -> str:
        """Say which image the device runs and which it will run next.

        With `already` it ran, before anything was done, what was to be brought to it.
        """
        running, following = self.running, self.next
        if running is None:
            said = "the device does not say which image it runs"
            return said if following is None else f"{said}; next it runs {_name(following)}"
        name = _name(running)
        if following is running or following is None:
            what = f"runs {name} and will run it again after a reset"
            if self.is_on_trial(running):
                what = f"runs {name} on trial, and the other slot is empty"
        elif following.pending:
            how = "for good" if following.permanent else "on trial"
            if not self.mode_has_trials:
                how = "for good"
            what = f"runs {name} and will run {_name(following)} {how} after the next reset"
        else:
            what = (
                f"runs {name} on trial and will go back to {_name(following)} at the next reset "
                "unless it is confirmed"
            )
        if already:
            what = f"already {what}; nothing was uploaded"
        return f"the device {what}" if self.is_current else f"when last seen, the device {what}"

    @property
    def mode_has_trials(self) -> bool:
        """Whether an image can be run on trial; taken for granted where nobody tells the mode."""
        return self.mode is None or self.mode.reverts

    def outdated(self) -> DeviceState:
        """Return the same state, as one that may not be true any more."""
        return replace(self, is_current=False)


def _name(image: ImageSlot) -> str:
    version = image.version or "an image without a version"
    digest = f", hash {image.hash.hex()[:8]}" if image.hash else ""
    return f"{version} (slot {image.slot}{digest})"


async def read_device(session: Session, knowledge: Knowledge) -> DeviceState:
    """Ask the device for all that it tells. Raises `DfuBleError` and `LinkLost`."""
    parameters = await read_parameters(session)
    state = await read_images(session)
    bootloader = await _read_bootloader(session)
    slots = await _optional(session, image_group.slot_info(), image_group.parse_slot_info)
    mode = _known_mode(bootloader)
    return DeviceState(
        images=state,
        mode=mode or knowledge.mode,
        mode_is_told=mode is not None,
        parameters=parameters,
        bootloader=bootloader,
        slots=slots or (),
    )


async def read_parameters(session: Session) -> McumgrParameters | None:
    """Ask for the server's buffers; `None` if it does not tell. As `read_device` otherwise."""
    return await _optional(session, os_group.parameters(), os_group.parse_parameters)


async def read_images(session: Session, timeout: float | None = None) -> ImageState:
    """Ask for the image state alone. Raises `DfuBleError` and `LinkLost`."""
    attempts = _READ_ATTEMPTS if timeout is None else 1
    payload = await session.request(image_group.read_state(), timeout=timeout, attempts=attempts)
    return image_group.parse_state(payload)


async def _read_bootloader(session: Session) -> BootloaderInfo | None:
    name = await _optional(session, os_group.bootloader(), os_group.parse_bootloader)
    if name != "MCUboot":
        return BootloaderInfo(name) if name else None
    told = await _optional(
        session,
        os_group.bootloader("mode"),
        lambda payload: os_group.parse_bootloader_mode(name, payload),
    )
    return told or BootloaderInfo(name)


async def _optional(
    session: Session, request: Request, parse: Callable[[Payload], _T]
) -> _T | None:
    """Ask for what a server may have been built without: any error means that it does not tell."""
    try:
        return parse(await session.request(request, attempts=_READ_ATTEMPTS))
    except Refusal:
        return None
    except DfuBleError as error:
        if error.diagnostic.code == "DV511":
            return None
        raise


def _known_mode(bootloader: BootloaderInfo | None) -> BootloaderMode | None:
    if bootloader is None or bootloader.mode is None:
        return None
    try:
        return BootloaderMode(bootloader.mode)
    except ValueError:
        # A mode of a newer MCUboot: as good as not told.
        return None
