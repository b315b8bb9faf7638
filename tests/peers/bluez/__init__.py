# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with Debian's kernel, BlueZ, D-Bus and bleak, and an air around it.

`linux_vm` boots it; inside, the command line runs as it was installed from the wheel. Its Bluetooth
adapter is a virtual controller on this side, so that virtual devices can be put around it.
"""

from .air import HostAir, OnAir, WatchedDevice
from .release import BOOKWORM, RELEASES, TRIXIE, Release
from .vm import Finished, LinuxVm, linux_vm

__all__ = [
    "BOOKWORM",
    "RELEASES",
    "TRIXIE",
    "Finished",
    "HostAir",
    "LinuxVm",
    "OnAir",
    "Release",
    "WatchedDevice",
    "linux_vm",
]
