# SPDX-License-Identifier: Apache-2.0
"""Which image goes where, and whether that can work: a pure decision from build and device.

Nothing is uploaded that the bootloader would not run. What is refused, and why, stands in one
function each.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ..faults import fault
from ..image.model import ImageVersion
from ..mcuboot import BootloaderMode
from ..smp import ImageSlot
from .device import DeviceState
from .model import ActivateMode, Candidate, Knowledge, UpdateOptions


@dataclass(frozen=True)
class ImagePlan:
    """What happens to one image number. `target` is the slot index that the upload goes to.

    `upload`: the image is not there yet. `erase`: the slot is emptied first. `is_running`: the
    image runs already (on trial) and only has to be confirmed.
    """

    candidate: Candidate
    target: int
    upload: bool = True
    erase: bool = False
    is_running: bool = False


@dataclass(frozen=True)
class Plan:
    """The whole update: images in the order of upload and activation, then at most one reset.

    `sets_state`: the images are set to test or made permanent (plain direct-xip has no such
    command: there the higher version runs). `resets`, `confirms`: these steps are done.
    `remarks` tell what is unusual.
    """

    images: tuple[ImagePlan, ...]
    mode: BootloaderMode | None
    sets_state: bool
    permanent: bool
    resets: bool
    confirms: bool
    remarks: tuple[str, ...] = ()


def make_plan(
    candidates: Sequence[Candidate],
    device: DeviceState,
    knowledge: Knowledge,
    options: UpdateOptions,
) -> Plan:
    """Choose an image for each image number on offer, and the steps.

    Raises `DfuBleError`: DV502 no image fits the free slot, DV503 its version is not higher where
    it must be, DV504 it runs already, DV505 something is in the way, DV513 the bootloader's mode
    can't be updated, IM304 it does not fit the slot.
    """
    mode = device.mode
    remarks = []
    if mode is None:
        in_place = any(c.image.is_rom_fixed or c.slot is not None for c in candidates)
        mode = BootloaderMode.DIRECT_XIP_WITH_REVERT if in_place else None
        remarks.append(
            "neither the device nor a build tells the bootloader's mode; the image's header says "
            + ("direct-xip" if in_place else "that it is to be swapped in")
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
    reverts = mode is None or mode.reverts
    sets_state = activates and not runs and mode not in _NO_STATE
    permanent = options.activate is ActivateMode.PERMANENT
    for plan in images:
        if plan.is_running:
            remarks.append(f"{plan.candidate.path.name} runs already, on trial")
        elif not plan.upload:
            remarks.append(f"{plan.candidate.path.name} is on the device already")
    return Plan(
        images=images,
        mode=mode,
        sets_state=sets_state,
        permanent=permanent,
        resets=activates and not runs,
        confirms=options.activate is ActivateMode.CONFIRM and reverts,
        remarks=tuple(remarks),
    )


# There the server has no command to set an image's state: the bootloader goes by the version.
_NO_STATE = (BootloaderMode.DIRECT_XIP, BootloaderMode.RAM_LOAD)


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
        return _already_running(running_candidate, running, device, options)
    in_place = mode is not None and (mode.is_direct_xip or mode is BootloaderMode.RAM_LOAD)
    # An image of another core is not listed as active; it goes to the secondary slot.
    target = 1 - running.slot if in_place and running is not None else 1
    linked_for = target if in_place else 0
    chosen = _choose(candidates, linked_for, target, mode, knowledge)
    _refuse_if_too_large(chosen, target, device, knowledge)
    if running is not None:
        _refuse_lower_version(chosen, running, in_place, device, knowledge)
    held = device.images.at(target, number)
    if held is not None and _is(chosen, held) and not options.erase:
        return ImagePlan(chosen, target, upload=False)
    _refuse_if_in_use(held, running, device, mode, options)
    return ImagePlan(chosen, target, erase=options.erase)


def _is(candidate: Candidate, image: ImageSlot) -> bool:
    return bool(image.hash) and candidate.image.digest == image.hash


def _already_running(
    candidate: Candidate, running: ImageSlot, device: DeviceState, options: UpdateOptions
) -> ImagePlan:
    if device.is_on_trial(running) and options.activate is ActivateMode.CONFIRM:
        return ImagePlan(candidate, running.slot, upload=False, is_running=True)
    raise fault(
        "DV504",
        f"the device already runs {candidate.path.name} ({running.version}, "
        f"hash {running.hash.hex()[:8]})",
        why="The same image in both slots can't be told apart: the device knows images by hash.",
        helps=["nothing is left to do; for another build, raise the version and sign again"],
    )


def _choose(
    candidates: Sequence[Candidate],
    linked_for: int,
    target: int,
    mode: BootloaderMode | None,
    knowledge: Knowledge,
) -> Candidate:
    """Return the candidate that is linked for the slot it will run from, else raise DV502."""
    reasons = {c: _why_not(c, linked_for, mode, knowledge) for c in candidates}
    fitting = [c for c in candidates if reasons[c] is None]
    if fitting:
        # One that says its slot is better than one that only does not contradict.
        return max(fitting, key=lambda c: (c.slot is not None, c.image.is_rom_fixed))
    mode_name = mode.title if mode else "swap"
    raise fault(
        "DV502",
        f"no image on offer is linked for slot {linked_for}, which it would run from",
        why=f"In {mode_name} mode the upload goes to slot {target} and runs from slot "
        f"{linked_for}; an image that is linked for another address does not start.",
        notes=[f"{c.path.name}: {reason}" for c, reason in reasons.items() if reason],
        helps=[
            "offer both variants: `dfu-ble sign` makes app_update.bin and "
            "mcuboot_secondary_app_update.bin"
            if mode is not None and mode.is_direct_xip
            else "offer the image that is linked for the primary slot (app_update.bin)"
        ],
    )


def _why_not(
    candidate: Candidate, slot: int, mode: BootloaderMode | None, knowledge: Knowledge
) -> str | None:
    """Return why an image can't run from a slot, `None` if nothing says so."""
    if mode is BootloaderMode.RAM_LOAD:
        return None
    image, number = candidate.image, candidate.image_number
    if candidate.slot is not None and candidate.slot != slot:
        return f"it is linked for slot {candidate.slot}"
    place = knowledge.slots.get((number, slot))
    if place is None:
        return None
    address, size = place
    if image.is_rom_fixed and image.load_address != address:
        return f"its header says address {image.load_address:#x}, the slot is at {address:#x}"
    vector = reset_vector(candidate)
    if vector is not None and number == 0 and not address <= vector < address + size:
        return f"its reset vector {vector:#x} is outside the slot ({address:#x} + {size:#x})"
    return None


def reset_vector(candidate: Candidate) -> int | None:
    """Return where a Cortex-M image starts, `None` if that can't be read from its payload."""
    image = candidate.image
    if image.is_encrypted or len(image.payload) < 8:
        return None
    stack, reset = struct.unpack_from("<II", image.payload)
    # Any vector table begins with a stack pointer into RAM and an odd (Thumb) address.
    if 0x2000_0000 <= stack <= 0x3FFF_FFFF and reset & 1:
        return int(reset - 1)
    return None


def _refuse_if_too_large(
    candidate: Candidate, target: int, device: DeviceState, knowledge: Knowledge
) -> None:
    number, size = candidate.image_number, candidate.image.size
    limits = [
        limit
        for s in device.slots
        if (s.image, s.slot) == (number, target)
        for limit in (s.size, s.max_image_size)
        if limit is not None
    ]
    if (number, target) in knowledge.slots:
        limits.append(knowledge.slots[number, target][1])
    if limits and size > min(limits):
        raise fault(
            "IM304",
            f"{candidate.path.name} has {size} bytes and slot {target} has room for {min(limits)}",
            location=candidate.path,
        )


def parse_version(text: str) -> ImageVersion | None:
    """Read a version as MCUmgr writes it, ``1.2.3`` or with its build number ``1.2.3.4``."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:[.+](\d+))?", text)
    return ImageVersion(*(int(part or 0) for part in found.groups())) if found else None


def _refuse_lower_version(
    candidate: Candidate,
    running: ImageSlot,
    in_place: bool,
    device: DeviceState,
    knowledge: Knowledge,
) -> None:
    old, new = parse_version(running.version), candidate.image.version
    no_downgrade = knowledge.rejects_downgrade or (
        device.bootloader is not None and device.bootloader.no_downgrade
    )
    if old is None or not (in_place or no_downgrade):
        return
    if not knowledge.compares_build_number:
        old, new = old.without_build, new.without_build
    if new > old or (new == old and not in_place):
        return
    why = "In direct-xip the bootloader runs the higher version: this image would never run."
    if not in_place:
        why = "The device's bootloader refuses lower versions: this image would never run."
    build_matters = candidate.image.version > (parse_version(running.version) or old)
    raise fault(
        "DV503",
        f"{candidate.path.name} is version {candidate.image.version}, "
        f"and the device runs {running.version}",
        why=why,
        notes=["the bootloader does not compare build numbers"] if build_matters else [],
        helps=["sign it with a higher version: --image-version MAJOR.MINOR.REVISION"],
    )


def _refuse_if_in_use(
    held: ImageSlot | None,
    running: ImageSlot | None,
    device: DeviceState,
    mode: BootloaderMode | None,
    options: UpdateOptions,
) -> None:
    if mode in _NO_STATE:
        # Nothing can be pending there but by its version, and the server lets it be replaced.
        return
    if held is not None and held.pending and not options.erase:
        raise fault(
            "DV505",
            f"slot {held.slot} holds {held.version}, which is set to run after the next reset",
            helps=[
                "reset the device to let it run: dfu-ble reset",
                "or throw it away: --erase",
            ],
        )
    if running is not None and device.is_on_trial(running):
        raise fault(
            "DV505",
            f"the device runs {running.version} on trial, and the other slot holds the way back",
            helps=[
                "keep it: dfu-ble confirm",
                "or go back to the old image: dfu-ble reset",
            ],
        )
