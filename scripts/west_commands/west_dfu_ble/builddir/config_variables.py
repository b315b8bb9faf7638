# SPDX-License-Identifier: Apache-2.0
"""By which variable one more configuration file is given to a build, and what it holds already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .config_sources import Caches
from .model import Build, Image, Layout
from .places import path_exists

# `EXTRA_CONF_FILE` came with Zephyr 3.4 (Kconfig migration guide, release notes 3.4);
# `OVERLAY_CONFIG` is its older name, which later versions take as well.
_SINCE = (3, 4)


@dataclass(frozen=True)
class ExtraConfiguration:
    """The CMake variable for further files, and its value now, which a new one would replace.

    `folder` is where the build looks for files without a path, if it is on this machine.
    """

    variable: str
    files: tuple[str, ...]
    folder: Path | None


def extra_configuration(build: Build, image: Image | None) -> ExtraConfiguration:
    """Return how the application (`None`: sysbuild itself) takes one more configuration file.

    What is in use already decides: Kconfig merges the variables in a fixed order, and a file in
    the weaker one would lose against those in the stronger. Raises `DfuBleError` EN006 for a
    damaged cache.
    """
    caches = Caches.of(build, image)
    names = ("OVERLAY_CONFIG", "EXTRA_CONF_FILE")
    cache = caches.above if caches.prefix else caches.own
    if image is None:
        names = ("SB_OVERLAY_CONFIG", "SB_EXTRA_CONF_FILE")
    wanted = [f"{caches.prefix}{name}" for name in names] if caches.prefix else []
    wanted += names
    used = next((name for name in wanted if caches.files_of(cache, name)), None)
    folder = caches.config_dir()
    local = caches.places.local(folder) if folder else None
    return ExtraConfiguration(
        used or names[_is_recent(build)],
        caches.files_of(cache, used) if used else (),
        local if local is not None and path_exists(local) else None,
    )


def _is_recent(build: Build) -> bool:
    match = re.match(r"(\d+)\.(\d+)", build.zephyr_version or "")
    if match is None:
        return build.layout is not Layout.NCS_CHILD_IMAGE
    return (int(match[1]), int(match[2])) >= _SINCE
