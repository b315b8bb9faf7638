# SPDX-License-Identifier: Apache-2.0
"""The version of the firmware in the field, from an image or a package of it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..image import ImageVersion


def baseline_version(path: Path) -> ImageVersion:
    """Return the version in the update image or package at `path`.

    Raises `DfuBleError` IM305 or IM311 if it can't be read.
    """
    from ..image import parse, read, read_package

    if not zipfile.is_zipfile(path):
        return read(path).version
    package = read_package(path)
    entry = next((one for one in package.entries if not one.image), package.entries[0])
    return parse(entry.data, path).version
