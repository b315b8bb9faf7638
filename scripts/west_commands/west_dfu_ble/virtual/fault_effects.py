# SPDX-License-Identifier: Apache-2.0
"""What faults make of a device, and what their places count."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ..smp import image_group
from .faults import FaultKind, Faults
from .profile import DeviceProfile

# Bytes of the first chunk of somebody else's upload.
_FOREIGN_CHUNK = 256
# Bytes: the ATT MTU of a connection that never asked for more (Bluetooth Core 5.4, 3.F.3.2.8).
_SMALLEST_MTU = 23


@dataclass(frozen=True)
class Progress:
    """How many requests and bytes a device has taken, and flash operations it has done.

    `erases` are among the operations.
    """

    requests: int
    bytes: int
    operations: int
    erases: int


def with_standing_faults(profile: DeviceProfile, faults: Faults) -> DeviceProfile:
    """Return what the faults that hold from the start leave of a device."""
    if faults.holds(FaultKind.SMALL_MTU):
        profile = replace(profile, radio=replace(profile.radio, mtu=_SMALLEST_MTU))
    if faults.holds(FaultKind.NO_PARAMETERS):
        profile = replace(profile, server=replace(profile.server, parameters=False))
    return profile


def foreign_upload(profile: DeviceProfile) -> bytes:
    """Return how somebody else begins to upload another image: the one from the factory."""
    data = next(iter(profile.factory.values()))
    request = image_group.upload_first(
        data[:_FOREIGN_CHUNK], len(data), hashlib.sha256(data).digest(), 0
    )
    return request.encode(sequence=0, version=1)
