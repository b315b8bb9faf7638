# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a Bluetooth controller that the tool drives itself (Bumble)."""

from __future__ import annotations

import platform

from ..diagnostics import DfuBleError
from ..faults import fault
from .gatt_faults import pairing_refused, text_of


def controller_fault(spec: str, error: BaseException) -> DfuBleError:
    """Make LK401, or LK408 if Bumble knows no such kind of controller."""
    if type(error).__name__ == "TransportSpecError":
        return fault(
            "LK408",
            f"there is no kind of Bluetooth controller {spec!r}",
            notes=[f"Bumble says: {text_of(error)}"],
            helps=["hci:usb:0, hci:serial:/dev/ttyACM0,1000000 or hci:tcp-client:127.0.0.1:9000"],
        )
    helps = ["see that it is connected, and that nothing else uses it"]
    if spec.startswith(("usb", "pyusb", "serial")) and platform.system() == "Linux":
        helps.append(
            "see that this user may open it (udev rules for USB, group dialout for serial)"
        )
    if spec.startswith("hci-socket"):
        helps.append("the system's Bluetooth must leave it alone: sudo hciconfig hci0 down")
    timed_out = type(error).__name__ == "TimeoutError"
    return fault(
        "LK401",
        f"the Bluetooth controller {spec} does not answer"
        if timed_out
        else f"the Bluetooth controller {spec} can't be used",
        why="The tool drives this controller itself, past the system's Bluetooth.",
        notes=[] if timed_out else [f"Bumble says: {text_of(error)}"],
        helps=helps,
    )


def connect_fault(peer: str, error: BaseException, seconds: float) -> DfuBleError:
    """Make LK403: the device was heard, and the connection did not come about."""
    timed_out = type(error).__name__ == "TimeoutError"
    return fault(
        "LK403",
        f"{peer} did not accept the connection within {seconds:.0f} s"
        if timed_out
        else f"the connection to {peer} failed",
        notes=[] if timed_out else [f"Bumble says: {text_of(error)}"],
        helps=["bring the device nearer, and see that nothing else is connected to it"],
    )


def pairing_fault(peer: str, error: BaseException, *, paired: bool) -> DfuBleError:
    """Make LK405; `paired` tells that pairing passed and the device still refuses."""
    # Vol 3 Part H, 3.5.5: both sides had another passkey.
    is_wrong = "CONFIRM_VALUE_FAILED" in str(error)
    return pairing_refused(
        peer,
        f"Bumble says: {text_of(error)}",
        [
            "give the passkey that the device shows with --passkey, or be asked in a terminal"
            if paired
            else "the passkey was another than the device shows; give that one with --passkey"
            if is_wrong
            else "clear the device's bonds (it may hold too many), then try again",
        ],
        paired=paired,
    )
