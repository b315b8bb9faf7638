# SPDX-License-Identifier: Apache-2.0
"""The virtual device that the command line asks for: made from a build, or from an image."""

from __future__ import annotations

import argparse
import math

from ..builddir import Build
from ..faults import fault
from ..virtual import (
    Clock,
    DeviceProfile,
    LinkTiming,
    VirtualDevice,
    profile_for_image,
    profile_from_build,
)

# Seconds, as `link.hci` asks for it.
_SUPERVISION = 2.0


def timed_air(speed: float) -> tuple[Clock | None, LinkTiming | None]:
    """Return an air `speed` times faster than a real one; infinite: it takes no time at all."""
    if math.isinf(speed):
        return None, None
    return Clock(speed), LinkTiming(supervision_timeout=_SUPERVISION)


def make_virtual(args: argparse.Namespace, build: Build | None) -> VirtualDevice:
    """Make the device; see `device_profile`."""
    return VirtualDevice(device_profile(args, build))


def device_profile(args: argparse.Namespace, build: Build | None) -> DeviceProfile:
    """Describe the device; ``--from`` names the image, or the package, that it runs now.

    Raises `DfuBleError` EN008 if there is neither a build nor an image, IM3xx for an image that is
    none, DV513 for a build that can't be played.
    """
    if build is not None:
        return profile_from_build(build, args.running)
    if args.running is not None:
        return profile_for_image(args.running)
    raise fault(
        "EN008",
        "a virtual device needs to know which image it runs",
        why="There is no build directory to make one from.",
        helps=["give the image that the field runs now with --from FILE, or --build-dir"],
    )
