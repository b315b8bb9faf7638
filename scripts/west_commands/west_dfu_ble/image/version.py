# SPDX-License-Identifier: Apache-2.0
"""Read a version as imgtool reads it."""

from __future__ import annotations

import re

from ..builddir import Build
from ..faults import fault
from .model import ImageVersion

_NUMBER = r"(0|[1-9]\d*)"
_VERSION = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}(?:\+{_NUMBER})?)?)?")


def parse_version(text: str, build: Build | None = None, *, is_own: bool = False) -> ImageVersion:
    """Read a version as imgtool does; `is_own` says that the build's configuration has it.

    Raises `DfuBleError` IM314 if it is none, or if a part does not fit its field in the header.
    """
    match = _VERSION.fullmatch(text)
    numbers = [int(part or 0) for part in match.groups()] if match else []
    limits = (0xFF, 0xFF, 0xFFFF, 0xFFFFFFFF)
    if not match or any(n > limit for n, limit in zip(numbers, limits, strict=True)):
        cure = "write it as major.minor.revision+build, at most 255.255.65535+4294967295"
        raise fault(
            "IM314",
            f"the version is `{text}`",
            location=build.version_location if build and is_own else None,
            helps=[cure],
        )
    return ImageVersion(*numbers)
