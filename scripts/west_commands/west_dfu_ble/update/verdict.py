# SPDX-License-Identifier: Apache-2.0
"""What the device's state behind a reboot proves: the new image runs, or why it does not."""

from __future__ import annotations

from ..diagnostics import DfuBleError
from ..faults import fault
from ..mcuboot import BootloaderMode
from ..smp import ImageSlot
from .device import DeviceState
from .plan import ImagePlan, Plan


def running_image(plan: ImagePlan, device: DeviceState) -> ImageSlot | None:
    """Return the planned image's entry if it is the one that runs, by its hash.

    MCUmgr lists only the application's image as active. Another core's counts as running once a
    swap has brought it into its primary slot.
    """
    active, digest = _active(plan, device), plan.candidate.image.digest
    return active if active is not None and active.hash == digest != b"" else None


def _active(plan: ImagePlan, device: DeviceState) -> ImageSlot | None:
    number = plan.candidate.image_number
    active = device.images.active(number)
    if active is None and number > 0 and plan.target != plan.runs_from:
        return device.images.at(plan.runs_from, number)
    return active


def is_running(plan: ImagePlan, device: DeviceState) -> bool:
    """Whether the planned image is the one that runs."""
    return running_image(plan, device) is not None


def is_waiting(plan: ImagePlan, device: DeviceState) -> bool:
    """Whether the planned image is in its slot and set to run after the next reset."""
    held = device.images.at(plan.target, plan.candidate.image_number)
    return held is not None and held.hash == plan.candidate.image.digest and held.pending


def is_stored(plan: ImagePlan, device: DeviceState) -> bool:
    """Whether the planned image is in its slot, or runs already."""
    held = device.images.at(plan.target, plan.candidate.image_number)
    stored = held is not None and held.hash == plan.candidate.image.digest
    return stored or is_running(plan, device)


def is_half_done(plan: Plan, device: DeviceState) -> bool:
    """Whether the device rebooted before all images were set: some run on trial, others not at all.

    At the next reset the former would go back while the latter come in.
    """
    running = [running_image(image, device) for image in plan.images]
    return None in running and any(one is not None and not one.confirmed for one in running)


def require_running(plan: Plan, device: DeviceState) -> None:
    """Raise DV506 or DV507 unless all planned images run."""
    for image in plan.images:
        if is_running(image, device):
            continue
        # Another core's image need not be listed anywhere once its bootloader has taken it.
        number = image.candidate.image_number
        is_taken = (
            number > 0
            and device.images.active(number) is None
            and device.images.at(image.target, number) is None
        )
        if not is_taken:
            raise why_not_running(plan, image, device)


def why_not_running(plan: Plan, image: ImagePlan, device: DeviceState) -> DfuBleError:
    """Make the error for a device that does not run the planned image after a reboot.

    DV506 if the bootloader went back to the old image, DV507 otherwise.
    """
    new = image.candidate.image
    name = f"{new.version} ({image.candidate.path.name})"
    active = _active(image, device)
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
