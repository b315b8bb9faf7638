# SPDX-License-Identifier: Apache-2.0
"""`rehearse`: the whole update against a virtual device made from this build, and its own log."""

from __future__ import annotations

import argparse

from ..diagnostics import ExitStatus
from ..report.console import Console
from .device import update_device
from .locate import load_build
from .sign import describe, sign_build
from .sources import from_signed
from .virtual import make_virtual


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Sign, update the virtual device as a real one, show what it said, then the verdict."""
    build = load_build(args)
    signed = sign_build(args, build)
    for line in describe(signed):
        console.step("sign", line)
    args.link = "virtual"
    device = make_virtual(args, build)
    status = update_device(args, console, build, from_signed(signed), virtual=device)
    said = "\n".join(f"  {line}" for line in device.log)
    verdict = (
        "this build updates the device that runs now"
        if status is ExitStatus.DONE
        else f"this build does not update the device that runs now (status {int(status)})"
    )
    tell = console.note if args.format == "json" else console.result
    tell(f"\nthe device's own log:\n{said}\n\n{verdict}")
    return status
