# SPDX-License-Identifier: Apache-2.0
"""Find the build directory as `west build` and `west flash` do, and west's settings for it."""

from __future__ import annotations

import configparser
import string
from collections.abc import Mapping
from pathlib import Path

from ..faults import fault
from .layout import is_build_directory, require_build_directory
from .places import path_exists

_DEFAULT = "build"


def find(
    given: Path | None,
    *,
    cwd: Path,
    board: str | None = None,
    source_dir: Path | None = None,
    dir_fmt: str | None = None,
) -> Path:
    """Return the build directory that is meant.

    In this order, as `west` has it: `given` (``--build-dir``); the format `dir_fmt` (west's
    ``build.dir-fmt``, default ``build``), below `cwd` if relative; `cwd` itself. Keys of the
    format that nothing is known for (`board` most of all) are taken for whatever makes the one
    build directory that exists. Raises EN001 if there is none or more than one, EN002 if `given`
    is none.
    """
    if given is not None:
        path = cwd / given
        require_build_directory(path)
        return path
    pattern = dir_fmt or _DEFAULT
    known = _known_keys(cwd, board, source_dir)
    matches = _matches(cwd, pattern, known)
    builds = [path for path in matches if is_build_directory(path)]
    if len(builds) == 1:
        return builds[0]
    if is_build_directory(cwd):
        return cwd
    if builds:
        raise fault(
            "EN001",
            f"{len(builds)} build directories match `{pattern}`",
            location=cwd,
            notes=[str(path) for path in builds],
            helps=[f"say which one is meant: `--build-dir {builds[0]}`"],
        )
    if len(matches) == 1:
        require_build_directory(matches[0])
    raise fault(
        "EN001",
        f"there is no build directory in `{cwd}`",
        location=cwd,
        notes=[f"neither `{pattern}` nor the folder itself is one"],
        helps=["make one with `west build`, or name it with `--build-dir`"],
    )


def _known_keys(cwd: Path, board: str | None, source_dir: Path | None) -> dict[str, str]:
    source = source_dir or cwd
    topdir = west_topdir(cwd)
    known = {"app": source.name}
    if source.is_relative_to(cwd):
        # west makes it relative, so that build directories mirror the source tree
        known["source_dir"] = str(source.relative_to(cwd))
    else:
        known["source_dir"] = source.name
    if topdir:
        known["west_topdir"] = str(topdir)
        if source.is_relative_to(topdir):
            known["source_dir_workspace"] = str(source.relative_to(topdir))
    if board:
        known["board"] = board
    return known


def _matches(cwd: Path, pattern: str, known: Mapping[str, str]) -> list[Path]:
    """Return the folders that the format may mean: one, or for unknown keys those that exist."""
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise _bad_format(pattern, str(error)) from None
    text, unknown = "", False
    for literal, key, spec, conversion in pieces:
        text += literal
        if key is None:
            continue
        if spec or conversion or not key.isidentifier():
            raise _bad_format(pattern, f"`{{{key}}}` is no key of it")
        unknown |= key not in known
        text += known.get(key, "*")
    path = cwd / text
    if not unknown:
        return [path]
    rest = path.relative_to(path.anchor)
    try:
        found = sorted(Path(path.anchor).glob(str(rest)))
    except (OSError, ValueError, NotImplementedError):
        return []
    # A board's name may hold slashes, so that what stands for it is one folder or several.
    return [path for path in found if path.is_dir()]


def _bad_format(pattern: str, problem: str) -> Exception:
    return fault(
        "EN008",
        f"west's setting `build.dir-fmt` is `{pattern}`, which can't be used: {problem}",
        helps=["correct it with `west config build.dir-fmt`, or give `--build-dir`"],
    )


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


def configured_dir_fmt(cwd: Path) -> str | None:
    """Return west's setting ``build.dir-fmt`` if west is installed and `cwd` is in a workspace.

    `None` if it is not set, or if nothing can be asked.
    """
    topdir = west_topdir(cwd)
    if topdir is None:
        return None
    try:
        from west.configuration import Configuration, MalformedConfig
    except ImportError:
        return None
    try:
        value = Configuration(topdir=topdir).get("build.dir-fmt")
    except (MalformedConfig, configparser.Error, OSError, ValueError):
        return None
    return str(value) if value else None
