# SPDX-License-Identifier: Apache-2.0
"""The virtual device that the command line asks for: made from a build, or from an image."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import image
from ..builddir import Build
from ..faults import fault
from ..virtual import Clock, LinkTiming, VirtualDevice, profile_for_image, profile_from_build

if TYPE_CHECKING:
    from ..virtual.peripheral import VirtualRadio


# Seconds, as `link.hci` asks for it.
_SUPERVISION = 2.0


@dataclass(frozen=True)
class TimedDevice:
    """A virtual device behind a radio that takes its time; `speed` times faster than a real one."""

    device: VirtualDevice
    speed: float

    @property
    def address(self) -> str:
        """Its Bluetooth address."""
        return self.device.address

    @property
    def shown_passkey(self) -> int | None:
        """What its display shows."""
        return self.device.shown_passkey

    def on_air(self) -> VirtualRadio:
        """Make a radio to reach it by; an infinite speed takes no time at all."""
        if math.isinf(self.speed):
            return self.device.on_air()
        return self.device.on_air(Clock(self.speed), LinkTiming(supervision_timeout=_SUPERVISION))


def make_virtual(args: argparse.Namespace, build: Build | None) -> VirtualDevice:
    """Make the device; ``--from`` names the image, or the package, that it runs now.

    Raises `DfuBleError` EN008 if there is neither a build nor an image, IM3xx for an image that is
    none, DV513 for a build that can't be played.
    """
    running = _running(args.running) if args.running else None
    if build is not None:
        return VirtualDevice(profile_from_build(build, running))
    if running is not None:
        return VirtualDevice(profile_for_image(running))
    raise fault(
        "EN008",
        "a virtual device needs to know which image it runs",
        why="There is no build directory to make one from.",
        helps=["give the image that the field runs now with --from FILE, or --build-dir"],
    )


def _running(path: Path) -> bytes:
    """Return the image in a file, or the one for the primary slot in a package."""
    if path.suffix.lower() != ".zip":
        return image.read(path).data
    entries = [e for e in image.read_package(path).entries if e.image == 0 and e.slot != 1]
    if len(entries) != 1:
        raise fault(
            "IM311",
            f"the package holds {len(entries) or 'no'} images for the primary slot",
            why="The virtual device can run one.",
            location=path,
            helps=["give the image itself with --from FILE"],
        )
    return entries[0].data
