# SPDX-License-Identifier: Apache-2.0
"""West's own configuration (`west config`), as far as this tool asks it."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..diagnostics import DfuBleError
from ..faults import fault
from .places import path_exists


def west_topdir(start: Path) -> Path | None:
    """Return the folder of the west workspace that `start` lies in, or `None`.

    Told as west tells it: the nearest folder upwards that holds `.west/config`.
    """
    try:
        start = start.resolve()
    except (OSError, RuntimeError):
        return None
    for folder in (start, *start.parents):
        if path_exists(folder / ".west" / "config"):
            return folder
    return None


def west_options(topdir: Path, section: str) -> Mapping[str, str]:
    """Return what west's configuration says in a section, by option, for a workspace.

    Workspace over user over machine, as west has it. West itself reads it where it is installed;
    a tool in an environment of its own reads the same files. Raises `DfuBleError` EN008 if they
    can't be read.
    """
    try:
        try:
            from west.configuration import Configuration, MalformedConfig
        except ImportError:
            return _from_files(topdir, section)
        try:
            items = list(Configuration(topdir=topdir).items())
        except MalformedConfig as error:
            raise ValueError(str(error)) from error
    except (configparser.Error, OSError, RuntimeError, ValueError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise fault(
            "EN008",
            f"west's configuration can't be read: {problem}",
            why="Settings that are not understood are not half applied.",
            location=topdir / ".west" / "config",
            helps=["correct the file; `west config -l` must list it"],
        ) from error
    prefix = f"{section}."
    return {name[len(prefix) :]: str(v or "") for name, v in items if name.startswith(prefix)}


def _from_files(topdir: Path, section: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser(allow_no_value=True)
    parser.read(_files(topdir), encoding="utf-8")
    if not parser.has_section(section):
        return {}
    return {name: value or "" for name, value in parser[section].items()}


def _files(topdir: Path) -> Iterator[Path]:
    """Yield the files that west reads, the last one winning (west.configuration documents them)."""
    home, known = Path.home(), os.environ
    if sys.platform == "win32":
        system = Path(known.get("PROGRAMDATA", "C:/ProgramData")) / "west" / "config"
    else:
        system = Path("/usr/local/etc" if sys.platform == "darwin" else "/etc") / "westconfig"
    user = home / ".westconfig"
    if sys.platform == "linux" and known.get("XDG_CONFIG_HOME"):
        user = Path(known["XDG_CONFIG_HOME"]) / "west" / "config"
    yield Path(known.get("WEST_CONFIG_SYSTEM") or system)
    yield Path(known.get("WEST_CONFIG_GLOBAL") or user)
    yield Path(known.get("WEST_CONFIG_LOCAL") or topdir / ".west" / "config")


def configured_dir_fmt(cwd: Path) -> str | None:
    """Return west's setting ``build.dir-fmt`` if `cwd` is in a workspace.

    `None` if it is not set, or can't be read.
    """
    topdir = west_topdir(cwd)
    try:
        return west_options(topdir, "build").get("dir-fmt") or None if topdir else None
    except DfuBleError:
        return None
