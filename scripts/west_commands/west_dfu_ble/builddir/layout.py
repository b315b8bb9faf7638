# SPDX-License-Identifier: Apache-2.0
"""Tell the layout of a build directory from its files alone, never from an SDK version."""

from __future__ import annotations

from pathlib import Path

from ..faults import fault
from .cmakecache import CMakeCache, read_cmake_cache
from .model import Kconfig, Layout
from .places import path_exists
from .textfile import unreadable

_MADE_BY_WEST = "make one with `west build`, or name it with `--build-dir`"


def is_build_directory(path: Path) -> bool:
    """Whether `west` would take the folder for a Zephyr build (or what is left of one).

    Never raises: a folder that can't be read is none.
    """
    try:
        if not path.is_dir():
            return False
        if path_exists(path / "domains.yaml") or path_exists(path / "zephyr" / ".config"):
            return True
        with (path / "CMakeCache.txt").open(encoding="utf-8", errors="replace") as stream:
            return any(
                line.startswith(("ZEPHYR_BASE:", "ZEPHYR_TOOLCHAIN_VARIANT:"))
                for line in stream.readlines(4_000_000)
            )
    except (OSError, ValueError):
        return False


def require_build_directory(path: Path) -> None:
    """Raise EN001 if nothing is there, EN002 if it is no build directory or only part of one."""
    if not path_exists(path):
        raise fault(
            "EN001", f"there is no build directory `{path}`", location=path, helps=[_MADE_BY_WEST]
        )
    if not path.is_dir():
        raise fault(
            "EN002",
            f"`{path}` is a file, not a build directory",
            why="A build directory is the folder that `west build` makes.",
            location=path,
            helps=[_MADE_BY_WEST],
        )
    if not is_build_directory(path):
        raise fault(
            "EN002",
            f"`{path}` holds no Zephyr build",
            location=path,
            notes=[
                "neither `domains.yaml`, nor `zephyr/.config`, nor a `CMakeCache.txt` with "
                "`ZEPHYR_BASE` is there"
            ],
            helps=[_MADE_BY_WEST],
        )


def refuse_part_of_build(path: Path, cache: CMakeCache) -> None:
    """Raise EN002 for the folder of one image of a build: the rest lies above it."""
    parent = path.resolve().parent
    of_sysbuild = cache.is_on("SYSBUILD") and path_exists(parent / "domains.yaml")
    of_parent = bool(cache.text("IMAGE_NAME")) and path_exists(parent / "zephyr" / ".config")
    if of_sysbuild or of_parent:
        raise fault(
            "EN002",
            f"`{path}` is the folder of one image, not the whole build",
            why="Bootloader, partitions and packages are told by the build directory above it.",
            location=path,
            helps=[f"give the build directory above it: `--build-dir {parent}`"],
        )


def require_application(path: Path, kconfig: Kconfig) -> None:
    """Raise EN006 where a sysbuild build lost its `domains.yaml`, EN002 for MCUboot's own build."""
    if not any(name.startswith("CONFIG_") for name in kconfig):
        raise unreadable(
            "EN006",
            path / "domains.yaml",
            "`domains.yaml` is missing: the build is a sysbuild one, and it says which images "
            "there are",
        )
    if kconfig.is_on("CONFIG_MCUBOOT"):
        raise fault(
            "EN002",
            f"`{path}` is the build of MCUboot itself, not of an application",
            location=kconfig.where("CONFIG_MCUBOOT"),
            helps=["give the build directory of the application"],
        )


def sysbuild_layout(path: Path, sysbuild: Kconfig | None, application: CMakeCache) -> Layout:
    """Tell an NCS sysbuild build from an upstream one."""
    if (
        _has_partition_manager(path)
        or application.text("NRF_DIR")
        or (sysbuild is not None and "SB_CONFIG_PARTITION_MANAGER" in sysbuild)
        or (sysbuild is not None and sysbuild.is_on("SB_CONFIG_ZEPHYR_NRF_MODULE"))
    ):
        return Layout.NCS_SYSBUILD
    return Layout.ZEPHYR_SYSBUILD


def single_layout(path: Path, application: Kconfig) -> Layout:
    """Tell an NCS child-image build from a plain Zephyr build.

    An NCS build without Partition Manager and children is laid out as a plain one.
    """
    if _has_partition_manager(path) or application.is_on("CONFIG_PARTITION_MANAGER_ENABLED"):
        return Layout.NCS_CHILD_IMAGE
    children = ("mcuboot", "b0", "hci_rpmsg")
    if any(read_cmake_cache(path / c / "CMakeCache.txt").text("IMAGE_NAME") for c in children):
        return Layout.NCS_CHILD_IMAGE
    return Layout.ZEPHYR


def _has_partition_manager(path: Path) -> bool:
    return any(path_exists(path / name) for name in ("partitions.yml", "pm.config"))
