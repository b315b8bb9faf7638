# SPDX-License-Identifier: Apache-2.0
"""Which image goes where, and whether that can work: a pure decision from build and device.

Nothing is uploaded that the bootloader would not run; what is refused, and why, stands in
`refusals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..faults import fault
from ..mcuboot import BootloaderMode
from ..smp import ImageSlot
from .device import DeviceState
from .model import ActivateMode, Candidate, Knowledge, UpdateOptions
from .refusals import (
    NO_STATE_MODES,
    choose,
    downgrade_warning,
    linked_address,
    refuse_if_another_waits,
    refuse_if_in_use,
    refuse_if_too_large,
    refuse_lower_version,
)

_RAM_LOAD = 0x20  # MCUboot `bootutil/image.h`, IMAGE_F_RAM_LOAD


@dataclass(frozen=True)
class ImagePlan:
    """What happens to one image number.

    `target` is the slot index that the upload goes to, `runs_from` the one that the image will run
    from: the same in direct-xip, the primary one where it is swapped in.
    `upload`: the image is not there yet. `erase`: the slot is emptied first. `is_running`: the
    image runs already, and at most has to be confirmed.
    """

    candidate: Candidate
    target: int
    runs_from: int
    upload: bool = True
    erase: bool = False
    is_running: bool = False


@dataclass(frozen=True)
class Plan:
    """The whole update: images in the order of upload and activation, then at most one reset.

    `sets_state`: the images are set to test or made permanent (plain direct-xip has no such
    command: there the higher version runs). `resets`, `confirms`: these steps are done.
    `remarks` tell what is unusual, `warnings` what the user may not have meant.
    """

    images: tuple[ImagePlan, ...]
    mode: BootloaderMode | None
    sets_state: bool
    permanent: bool
    resets: bool
    confirms: bool
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_reached(self) -> bool:
        """Whether the device runs all of it already, as was asked for: nothing is to be done."""
        return all(image.is_running for image in self.images) and not self.confirms


def make_plan(
    candidates: Sequence[Candidate],
    device: DeviceState,
    knowledge: Knowledge,
    options: UpdateOptions,
) -> Plan:
    """Choose an image for each image number on offer, and the steps.

    Raises `DfuBleError`: DV502 no image fits the free slot, DV503 its version is not higher where
    it must be, DV505 something is in the way, DV513 the bootloader's mode
    can't be updated, IM304 it does not fit the slot.
    """
    mode = device.mode
    remarks = []
    if device.is_in_recovery:
        remarks.append(
            "the bootloader itself answers (serial recovery): the image goes straight to the "
            "primary slot, without a trial"
        )
    elif mode is None:
        mode, said = _mode_from_headers(candidates)
        remarks.append(
            "neither the device nor a build tells the bootloader's mode; the image's header says "
            + said
        )
    elif knowledge.mode is not None and knowledge.mode is not mode:
        remarks.append(
            f"the device's bootloader is {mode.title}, the build's {knowledge.mode.title}"
        )
    if mode is not None and not mode.has_two_slots:
        raise fault(
            "DV513",
            f"the device's bootloader mode is {mode.title}",
            helps=["such a device is updated from its bootloader or firmware loader"],
        )
    # The network core first: its image must be in place when the application's is swapped in.
    numbers = sorted({c.image_number for c in candidates}, reverse=True)
    images = tuple(
        _plan_image(
            [c for c in candidates if c.image_number == n], device, mode, knowledge, options
        )
        for n in numbers
    )
    runs = all(plan.is_running for plan in images)
    activates = options.activate is not ActivateMode.UPLOAD_ONLY
    reverts = (mode is None or mode.reverts) and not device.is_in_recovery
    sets_state = activates and not runs and mode not in NO_STATE_MODES
    sets_state = sets_state and not device.is_in_recovery
    permanent = options.activate is ActivateMode.PERMANENT
    # What runs on trial becomes permanent by being confirmed.
    keeps = options.activate is ActivateMode.CONFIRM or (permanent and runs)
    warnings = []
    for plan in images:
        name = plan.candidate.path.name
        if mode is not None and mode.is_direct_xip and not _slot_is_told(plan.candidate, knowledge):
            remarks.append(f"nothing tells which slot {name} is linked for")
        if plan.is_running:
            remarks.append(f"{name} runs already{', on trial' * _is_on_trial(plan, device)}")
        elif not plan.upload:
            remarks.append(f"{name} is on the device already")
        warnings += downgrade_warning(plan.candidate, device)
    stays = all(plan.is_running and not _is_on_trial(plan, device) for plan in images)
    return Plan(
        images=images,
        mode=mode,
        sets_state=sets_state,
        permanent=permanent,
        resets=activates and not runs,
        confirms=keeps and reverts and not stays,
        remarks=tuple(remarks),
        warnings=tuple(warnings),
    )


def _mode_from_headers(candidates: Sequence[Candidate]) -> tuple[BootloaderMode | None, str]:
    if all(c.image.flags & _RAM_LOAD for c in candidates):
        return BootloaderMode.RAM_LOAD, "that it is loaded into RAM"
    if any(c.image.is_rom_fixed or c.slot is not None for c in candidates):
        return BootloaderMode.DIRECT_XIP_WITH_REVERT, "direct-xip"
    return None, "that it is to be swapped in"


def _plan_image(
    candidates: Sequence[Candidate],
    device: DeviceState,
    mode: BootloaderMode | None,
    knowledge: Knowledge,
    options: UpdateOptions,
) -> ImagePlan:
    number = candidates[0].image_number
    running = device.images.active(number)
    running_candidate = next((c for c in candidates if running and _is(c, running)), None)
    if running is not None and running_candidate is not None:
        refuse_if_another_waits(device.images.at(1 - running.slot, number), mode)
        return ImagePlan(
            running_candidate, running.slot, running.slot, upload=False, is_running=True
        )
    in_place = mode is not None and (mode.is_direct_xip or mode is BootloaderMode.RAM_LOAD)
    # An image of another core is not listed as active; it goes to the secondary slot.
    target = 1 - running.slot if in_place and running is not None else 1
    if device.is_in_recovery and number == 0:
        target = 0
    linked_for = target if in_place else 0
    chosen = choose(candidates, linked_for, target, mode, knowledge)
    refuse_if_too_large(chosen, target, device, knowledge)
    if running is not None:
        refuse_lower_version(chosen, running, in_place, device, knowledge)
    held = device.images.at(target, number)
    is_there = held is not None and _is(chosen, held) and not options.erase
    refuse_if_in_use(None if is_there else held, running, device, mode, options)
    if is_there:
        return ImagePlan(chosen, target, linked_for, upload=False)
    return ImagePlan(chosen, target, linked_for, erase=options.erase)


def _slot_is_told(candidate: Candidate, knowledge: Knowledge) -> bool:
    told = linked_address(candidate) is not None and bool(knowledge.slots)
    return told or candidate.slot is not None


def _is(candidate: Candidate, image: ImageSlot) -> bool:
    return bool(image.hash) and candidate.image.digest == image.hash


def _is_on_trial(plan: ImagePlan, device: DeviceState) -> bool:
    running = device.images.active(plan.candidate.image_number)
    return plan.is_running and running is not None and device.is_on_trial(running)
