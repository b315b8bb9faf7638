# SPDX-License-Identifier: Apache-2.0
"""Which build directory the command line means."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import builddir
from ..builddir import Build
from ..faults import fault


def locate_build(args: argparse.Namespace) -> Path:
    """Return the one build directory that the arguments mean, as `west build` would find it.

    Raises `DfuBleError` EN001 or EN002 if there is none, EN008 if several were given.
    """
    given: list[Path] = args.build_dir or []
    if len(given) > 1:
        raise fault(
            "EN008",
            f"{len(given)} build directories were given, and this action works on one",
            why="An update is made from one build.",
            helps=["give --build-dir once"],
        )
    cwd = Path.cwd()
    found = builddir.find(
        given[0] if given else None, cwd=cwd, dir_fmt=builddir.configured_dir_fmt(cwd)
    )
    # What the build names relative to itself lies beside the folder, not beside a link to it.
    return found.resolve() if found.is_symlink() else found


def load_build(args: argparse.Namespace) -> Build:
    """Find and read the build directory that the arguments mean."""
    return builddir.load(locate_build(args))
