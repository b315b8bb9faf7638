# SPDX-License-Identifier: Apache-2.0
"""`upload`: bring an image to the device and, unless told otherwise, activate and verify it."""

from __future__ import annotations

import argparse

from ..diagnostics import ExitStatus
from ..faults import fault
from ..image import build_key
from ..report.console import Console
from ..update import candidates_from_build
from .locate import load_build
from .passphrase import ask_passphrase
from .several_devices import update_all
from .sources import from_files, from_package, unchecked_signature
from .update_reports import require_device_formats


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Upload the files given, or the update images that the build directory holds."""
    require_device_formats(args)
    if args.image and args.package:
        raise fault(
            "EN008",
            "--image and --package were given together",
            why="Only one of them can say what to upload.",
            helps=["give one of them"],
        )
    # A build directory is used with files of one's own only if it was named: what lies in the
    # current folder need not be what the files were built from.
    build = load_build(args) if args.build_dir or not (args.image or args.package) else None
    key = build_key(build, ask_passphrase) if build else None
    if args.image:
        candidates = from_files(args.image, build, key)
    elif args.package:
        candidates = from_package(args.package, build, key)
    else:
        assert build is not None
        candidates = candidates_from_build(build, key)
    unchecked = unchecked_signature(candidates, build, key)
    if unchecked:
        console.step("note", unchecked)
    return update_all(args, console, build, candidates)
