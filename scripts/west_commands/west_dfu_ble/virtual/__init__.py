# SPDX-License-Identifier: Apache-2.0
"""The virtual device: a board that isn't there, made from a build or an image.

`VirtualDevice` is the device without a radio: flash, MCUboot's decisions, the SMP server. It knows
bytes and seconds only. What puts it on the air stands beside it and is imported when it is asked
for.
"""

from .background import BackgroundDevice
from .build_symbols import radio_profile
from .clock import Clock, LoopClock
from .device import VirtualDevice
from .fault_effects import Progress
from .faults import Fault, FaultCount, FaultKind, HangUp, parse_fault
from .flash import FlashController, FlashError, Operation, OperationKind, PowerCut
from .from_build import profile_for_image, profile_from_build
from .generations import ZEPHYR_2_7, ZEPHYR_4
from .image_state import SlotImage
from .profile import (
    PLAYABLE_MODES,
    Access,
    DeviceProfile,
    RadioProfile,
    ServerProfile,
    SlotProfile,
)
from .reachable import ReachableDevice
from .served import Answer
from .timing import LinkTiming, capacity

__all__ = [
    "PLAYABLE_MODES",
    "ZEPHYR_2_7",
    "ZEPHYR_4",
    "Access",
    "Answer",
    "BackgroundDevice",
    "Clock",
    "DeviceProfile",
    "Fault",
    "FaultCount",
    "FaultKind",
    "FlashController",
    "FlashError",
    "HangUp",
    "LinkTiming",
    "LoopClock",
    "Operation",
    "OperationKind",
    "PowerCut",
    "Progress",
    "RadioProfile",
    "ReachableDevice",
    "ServerProfile",
    "SlotImage",
    "SlotProfile",
    "VirtualDevice",
    "capacity",
    "parse_fault",
    "profile_for_image",
    "profile_from_build",
    "radio_profile",
]
