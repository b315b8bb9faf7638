# SPDX-License-Identifier: Apache-2.0
"""Tell versions: the application's, as it is signed, and those of the SDK that built it."""

from __future__ import annotations

import re
from pathlib import Path

from ..diagnostics import Location
from .cmakecache import CMakeCache
from .model import Kconfig
from .places import Places, path_exists
from .textfile import read_text

_LIMIT = 100_000
_DEFINE = re.compile(r'#define\s+(?:KERNEL|NCS)_VERSION_STRING\s+"([^"\n]+)"')
_FIELD = re.compile(r"^\s*(VERSION_MAJOR|VERSION_MINOR|PATCHLEVEL)\s*=\s*(\d+)\s*$", re.MULTILINE)
_NUMBER = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")


def sign_version(application: Kconfig) -> tuple[str | None, Location | None]:
    """Return the version that the image is signed with, and where it is said.

    `CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION`, or up to NCS 2.4 `CONFIG_MCUBOOT_IMAGE_VERSION`.
    """
    for name in ("CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION", "CONFIG_MCUBOOT_IMAGE_VERSION"):
        if application.text(name):
            return application.text(name), application.where(name)
    return None, None


def zephyr_version(image: Path, cache: CMakeCache, bootloader: CMakeCache) -> str | None:
    """Return the Zephyr version, from the first that tells: generated header, SDK, MCUboot's cache.

    MCUboot's own CMake project has no version, so that CMake records Zephyr's for it.
    """
    return (
        _from_header(image, "version.h")
        or _from_tree(cache.text("ZEPHYR_BASE"))
        or _plain(bootloader.text("CMAKE_PROJECT_VERSION"))
    )


def ncs_version(image: Path, cache: CMakeCache, places: Places) -> str | None:
    """Return the nRF Connect SDK's version, or `None` if nothing here tells it."""
    recorded = cache.text("NRF_DIR")
    if not recorded:
        return _from_header(image, "ncs_version.h")
    return _from_header(image, "ncs_version.h") or _from_text(places.local(recorded) / "VERSION")


def _from_header(image: Path, name: str) -> str | None:
    include = image / "zephyr" / "include" / "generated"
    for path in (include / name, include / "zephyr" / name):
        if path_exists(path):
            match = _DEFINE.search(read_text(path, "EN006", limit=_LIMIT))
            if match:
                return match[1]
    return None


def _from_tree(zephyr_base: str) -> str | None:
    path = Path(zephyr_base) / "VERSION"
    if not zephyr_base or not path_exists(path):
        return None
    fields = dict(_FIELD.findall(read_text(path, "EN006", limit=_LIMIT)))
    parts = [fields.get(n) for n in ("VERSION_MAJOR", "VERSION_MINOR", "PATCHLEVEL")]
    return ".".join(str(p) for p in parts) if all(p is not None for p in parts) else None


def _from_text(path: Path) -> str | None:
    return _plain(read_text(path, "EN006", limit=_LIMIT)) if path_exists(path) else None


def _plain(text: str) -> str | None:
    match = _NUMBER.match(text.strip())
    return match[0] if match else None
