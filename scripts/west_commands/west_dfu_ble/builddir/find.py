# SPDX-License-Identifier: Apache-2.0
"""Find the build directory as `west build` and `west flash` do."""

from __future__ import annotations

import glob
import string
from collections.abc import Mapping
from pathlib import Path

from ..faults import fault
from .layout import is_build_directory, require_build_directory
from .places import path_exists
from .westconfig import west_topdir

_DEFAULT = "build"
_UNKNOWN = "\0"  # in no path


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
    ``build.dir-fmt``, default ``build``), below `cwd` if relative; `cwd` itself. Where nothing is
    known for a key of the format (`board` most of all), and `cwd` is no build directory, the one
    build directory that fits the format is taken. Raises EN001 if there is none or more than one,
    EN002 if `given`, or what the format means, is none, EN008 for a format that makes no sense.
    """
    if given is not None:
        path = cwd / given
        require_build_directory(path)
        return path
    pattern = dir_fmt or _DEFAULT
    folder, exact = _resolve(cwd, pattern, _known_keys(cwd, board, source_dir))
    builds = [folder] if exact else _builds_matching(folder)
    if exact and is_build_directory(folder):
        return folder
    if is_build_directory(cwd):
        return cwd
    if not exact and len(builds) == 1:
        return builds[0]
    if not exact and builds:
        raise fault(
            "EN001",
            f"{len(builds)} build directories match `{pattern}`",
            location=cwd,
            notes=[str(path) for path in builds],
            helps=[f"say which one is meant: `--build-dir {builds[0]}`"],
        )
    if exact and path_exists(folder):
        require_build_directory(folder)
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


def _resolve(cwd: Path, pattern: str, known: Mapping[str, str]) -> tuple[Path, bool]:
    """Return the folder that the format means, and whether that is exact.

    Without all keys it is not: then the folder is a glob pattern with `_UNKNOWN` for the others.
    """
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError:
        raise _bad_format(pattern, "a brace in it has no other half") from None
    exact = all(key is None or key in known for _, key, _, _ in pieces)
    text = ""
    for literal, key, spec, conversion in pieces:
        text += literal if exact else glob.escape(literal)
        if key is None:
            continue
        if spec or conversion or not key.isidentifier():
            raise _bad_format(pattern, f"`{{{key}}}` is no key of it")
        value = known.get(key, _UNKNOWN)
        text += value if exact or key not in known else glob.escape(value)
    return (cwd if exact else Path(glob.escape(str(cwd)))) / text, exact


def _builds_matching(pattern: Path) -> list[Path]:
    # A board's name may hold slashes, so that one `*` may stand for up to three folders.
    found: list[Path] = []
    for stars in ("*", "*/*", "*/*/*"):
        names = glob.glob(str(pattern).replace(_UNKNOWN, stars))  # noqa: PTH207 (absolute)
        for name in sorted(names):
            path = Path(name)
            if not any(path.is_relative_to(other) for other in found) and is_build_directory(path):
                found.append(path)
    return found


def _bad_format(pattern: str, problem: str) -> Exception:
    return fault(
        "EN008",
        f"west's setting `build.dir-fmt` is `{pattern}`, which can't be used: {problem}",
        helps=["correct it with `west config build.dir-fmt`, or give `--build-dir`"],
    )
