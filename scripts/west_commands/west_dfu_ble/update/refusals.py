# SPDX-License-Identifier: Apache-2.0
"""What an update refuses to begin, since the bootloader would not run it: one function a reason."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import replace

from ..faults import fault
from ..image import ImageVersion
from ..mcuboot import BootloaderMode
from ..smp import ImageSlot
from .device import DeviceState
from .model import Candidate, Knowledge, UpdateOptions

# There the server has no command to set an image's state: the bootloader goes by the version.
NO_STATE_MODES = (BootloaderMode.DIRECT_XIP, BootloaderMode.RAM_LOAD)


def choose(
    candidates: Sequence[Candidate],
    linked_for: int,
    target: int,
    mode: BootloaderMode | None,
    knowledge: Knowledge,
) -> Candidate:
    """Return the candidate that is linked for the slot it will run from, else raise DV502."""
    candidates = _told_apart(candidates)
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


def _told_apart(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Give two variants of one application their slots, by the addresses they are linked for.

    Without a build nobody knows where the slots are, but the primary comes first in every layout
    that has both in one memory (and direct-xip needs that).
    """
    if len(candidates) != 2 or any(c.slot is not None for c in candidates):
        return candidates
    addresses = {c: linked_address(c) for c in candidates}
    first, second = sorted(candidates, key=lambda c: addresses[c] or 0)
    low, high = addresses[first], addresses[second]
    if low is None or high is None or high - low < first.image.size:
        return candidates
    return replace(first, slot=0), replace(second, slot=1)


def linked_address(candidate: Candidate) -> int | None:
    """Return an address inside of the slot that an image is linked for, if anything tells one."""
    if candidate.image.is_rom_fixed:
        return candidate.image.load_address
    return reset_vector(candidate)


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


def refuse_if_too_large(
    candidate: Candidate, target: int, device: DeviceState, knowledge: Knowledge
) -> None:
    """Raise IM304 if the image does not fit its slot, as the device or the build tells its size."""
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


def refuse_lower_version(
    candidate: Candidate,
    running: ImageSlot,
    in_place: bool,
    device: DeviceState,
    knowledge: Knowledge,
) -> None:
    """Raise DV503 where the bootloader would not run this version: direct-xip, no downgrades."""
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


def downgrade_warning(candidate: Candidate, device: DeviceState) -> list[str]:
    """Return what to say of a lower version than the one that runs, where it may be meant."""
    running = device.images.active(candidate.image_number)
    old = parse_version(running.version) if running is not None else None
    if running is None or old is None:
        return []
    if candidate.image.version.without_build >= old.without_build:
        return []
    name, new = candidate.path.name, candidate.image.version
    return [f"this is a downgrade: {name} is {new}, and the device runs {running.version}"]


def refuse_if_another_waits(other: ImageSlot | None, mode: BootloaderMode | None) -> None:
    """Raise DV505 if the image on offer runs, and another one is set to take its place."""
    if other is not None and other.pending and mode not in NO_STATE_MODES:
        raise fault(
            "DV505",
            f"the device runs this image already, and slot {other.slot} holds {other.version}, "
            "which is set to run after the next reset",
            helps=["throw that away: dfu-ble erase", "or let it run: dfu-ble reset"],
        )


def refuse_if_in_use(
    held: ImageSlot | None,
    running: ImageSlot | None,
    device: DeviceState,
    mode: BootloaderMode | None,
    options: UpdateOptions,
) -> None:
    """Raise DV505 if the slot holds what is to run next, or the way back from a trial."""
    if mode in NO_STATE_MODES:
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
