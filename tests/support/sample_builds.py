# SPDX-License-Identifier: Apache-2.0
"""Copies of the sample build directories, signed by the tool itself, with one thing spoilt."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from small_builds import Edits, SmallBuild
from west_dfu_ble import builddir, image
from west_dfu_ble.builddir import Build

TINY = Path(__file__).resolve().parents[2] / "samples" / "tiny"
_LEFT_BY_RUNS = shutil.ignore_patterns("*_update.bin", "dfu_application.zip*", "__pycache__")


def copy_tiny(target: Path, part: str = "") -> Path:
    """Copy `samples/tiny`, or a part of it, without what a run left there; return `target`."""
    return Path(shutil.copytree(TINY / part, target, ignore=_LEFT_BY_RUNS, dirs_exist_ok=True))


@dataclass(frozen=True)
class SampleBuild:
    """A copy of a sample; with `signed`, its update images are made before it is spoilt."""

    name: str = "build-direct-xip"
    spoil: Callable[[Path], object] | None = None
    signed: bool = True

    def load(self, folder: Path) -> Build:
        """Copy, sign, spoil and read it."""
        copy_tiny(folder)
        build = folder / self.name
        if self.signed:
            image.sign_build(builddir.load(build))
        if self.spoil is not None:
            self.spoil(build)
        return builddir.load(build)


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Return a spoiler that changes the bytes of a file of the build."""

    def spoil(build: Path) -> None:
        path = build / name
        before = path.read_bytes()
        after = change(before)
        assert after != before
        path.write_bytes(after)

    return spoil


def replace(name: str, old: str, new: str) -> Callable[[Path], object]:
    """Return a spoiler that replaces text in a file of the build."""
    return edit(name, lambda data: data.replace(old.encode(), new.encode()))


def copy(source: str, target: str) -> Callable[[Path], object]:
    """Return a spoiler that puts one file of the build in the place of another."""
    return lambda build: shutil.copyfile(build / source, build / target)


def all_of(*spoilers: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return a spoiler that does several things."""

    def spoil(build: Path) -> None:
        for one in spoilers:
            one(build)

    return spoil


@dataclass(frozen=True)
class BuildWithSources:
    """A small build beside its `prj.conf`, which was changed so many seconds after the build."""

    seconds: float = -60
    configuration: str = "CONFIG_CAF=y\n"
    application: Edits = field(default_factory=dict)

    def load(self, folder: Path) -> Build:
        """Write application and build directory and read it."""
        source, build = folder / "source", folder / "build"
        source.mkdir(parents=True)
        small = SmallBuild(self.application, files={"zephyr/zephyr.bin": bytes(4096)})
        small.write(build)
        for cache in build.rglob("CMakeCache.txt"):
            text = cache.read_text().replace("/src/app", str(source))
            cache.write_text(f"{text}CMAKE_CACHEFILE_DIR:INTERNAL={cache.parent}\n")
        configuration = source / "prj.conf"
        configuration.write_text(self.configuration)
        built = (build / "zephyr/zephyr.bin").stat().st_mtime
        os.utime(configuration, (built + self.seconds, built + self.seconds))
        return builddir.load(build)
