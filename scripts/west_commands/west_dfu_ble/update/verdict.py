# SPDX-License-Identifier: Apache-2.0
"""What the device's state behind a reboot proves: the new image runs, or why it does not."""

from __future__ import annotations

from ..diagnostics import DfuBleError
from ..faults import fault
from ..mcuboot import BootloaderMode
from .device import DeviceState
from .plan import ImagePlan, Plan


def is_running(plan: ImagePlan, device: DeviceState) -> bool:
    """Whether the planned image is the one that runs, by its hash."""
    active = device.images.active(plan.candidate.image_number)
    return active is not None and active.hash == plan.candidate.image.digest != b""


def is_waiting(plan: ImagePlan, device: DeviceState) -> bool:
    """Whether the planned image is in its slot and set to run after the next reset."""
    held = device.images.at(plan.target, plan.candidate.image_number)
    return held is not None and held.hash == plan.candidate.image.digest and held.pending


def is_stored(plan: ImagePlan, device: DeviceState) -> bool:
    """Whether the planned image is in its slot, or runs already."""
    held = device.images.at(plan.target, plan.candidate.image_number)
    stored = held is not None and held.hash == plan.candidate.image.digest
    return stored or is_running(plan, device)


def why_not_running(plan: Plan, image: ImagePlan, device: DeviceState) -> DfuBleError:
    """Make the error for a device that does not run the planned image after a reboot.

    DV506 if the bootloader went back to the old image, DV507 otherwise.
    """
    new = image.candidate.image
    name = f"{new.version} ({image.candidate.path.name})"
    active = device.images.active(image.candidate.image_number)
    if active is None:
        return fault("DV507", f"the device does not say which image it runs; expected {name}")
    runs = f"the device runs {active.version} and not {name}"
    held = device.images.at(image.target, image.candidate.image_number)
    stored = held is not None and held.hash == new.digest
    mode, trial = plan.mode, plan.sets_state and not plan.permanent
    if trial and stored and held is not None and not held.pending:
        if mode is None or mode.is_swap:
            return _reverted(active.version, name, "the new image is back in the secondary slot")
    elif trial and held is None and mode is BootloaderMode.DIRECT_XIP_WITH_REVERT:
        return _reverted(
            active.version,
            name,
            "the bootloader erased the new image: it did not accept it, or ran it and found it "
            "not confirmed at the next reset",
        )
    if held is None:
        return fault(
            "DV507",
            f"{runs}: the bootloader refused it, and slot {image.target} is empty",
            helps=[
                "compare the signing key with the one that the device's bootloader was built with"
            ],
        )
    if stored and held.pending:
        return fault(
            "DV507",
            f"{runs}, which still waits in slot {image.target}",
            why="The device was asked to reset and did not, or its bootloader did not act on it.",
            helps=["reset the device by hand, and look with dfu-ble status"],
        )
    if stored:
        return fault(
            "DV507",
            f"{runs}, which lies in slot {image.target} and is not what the bootloader chose",
            helps=["look at the bootloader's log: signature, slot address, version"],
        )
    return fault("DV507", f"{runs}, and slot {image.target} holds {held.version}")


def _reverted(old: str, new: str, evidence: str) -> DfuBleError:
    return fault(
        "DV506",
        f"the device went back to {old}: {new} did not stay",
        notes=[evidence],
        helps=["find out why the new firmware did not come up or reset before it was confirmed"],
    )
