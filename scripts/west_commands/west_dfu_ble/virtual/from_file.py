# SPDX-License-Identifier: Apache-2.0
"""The image that the field runs now, out of the file that a user has of it."""

from __future__ import annotations

from pathlib import Path

from .. import image
from ..faults import fault


def image_from_file(path: Path) -> bytes:
    """Return the image in a file, or the one for the primary slot in a package.

    Raises `DfuBleError` IM305 or IM311.
    """
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
