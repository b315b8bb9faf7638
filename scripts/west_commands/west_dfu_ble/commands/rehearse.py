# SPDX-License-Identifier: Apache-2.0
"""`rehearse`: the whole update against a virtual device made from this build, and its own log."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..builddir import Build
from ..diagnostics import ExitStatus
from ..faults import fault
from ..report.console import Console
from .check import evaluate_build
from .device import update_device
from .locate import load_build
from .sign import describe, sign_build
from .sources import from_signed
from .update_reports import require_device_formats, write_update_reports
from .virtual import make_virtual

if TYPE_CHECKING:
    from ..report.html import UpdateRecord
    from ..update import Candidate
    from ..virtual import VirtualDevice


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Sign, update the virtual device as a real one, show what it said, then the verdict."""
    require_device_formats(args)
    if args.faults:
        _require_no_files(args)
    build = load_build(args)
    signed = sign_build(args, build)
    for line in describe(signed):
        console.step("sign", line)
    args.link = "virtual"
    device = make_virtual(args, build)
    if args.faults:
        return _faults(args, console, build, from_signed(signed), device)
    records: list[UpdateRecord] = []
    status = update_device(
        args, console, build, from_signed(signed), virtual=device, tell_record=records.append
    )
    if args.report:
        told = [replace(record, log=tuple(device.log)) for record in records]
        write_update_reports(args, told, evaluate_build(args, build))
    said = "\n".join(f"  {line}" for line in device.log)
    verdict = (
        "this build updates the device that runs now"
        if status is ExitStatus.DONE
        else f"this build does not update the device that runs now (status {int(status)})"
    )
    tell = console.note if args.format == "json" else console.result
    tell(f"\nthe device's own log:\n{said}\n\n{verdict}")
    return status


def _require_no_files(args: argparse.Namespace) -> None:
    """Refuse what tells of one update, where hundreds are done. Raises `DfuBleError` EN008."""
    given = {
        "--report": args.report,
        "--verbose": args.log_frames,
        "--log-file": args.log_file,
        "--hci-log": args.hci_log,
    }
    for option, value in given.items():
        if value:
            raise fault(
                "EN008",
                f"{option} was given with --faults",
                why="It tells of one update, and with --faults there are hundreds.",
                helps=[f"rehearse once with {option}, and once with --faults"],
            )


def _faults(
    args: argparse.Namespace,
    console: Console,
    build: Build,
    candidates: Sequence[Candidate],
    device: VirtualDevice,
) -> ExitStatus:
    """Run the matrix and show it; 7 if the device or the report was ever wrong."""
    from ..report.faults import fault_table, trials_as_json
    from .rehearse_faults import run_matrix

    def tell(number: int, count: int) -> None:
        if number == 1 or number % 20 == 0 or number == count:
            console.step("faults", f"{number} of {count}")

    trials = run_matrix(device.profile, candidates, build, tell)
    if args.format == "json":
        console.result(trials_as_json(trials))
    else:
        console.result(fault_table(trials))
    return ExitStatus.DONE if all(trial.is_true for trial in trials) else ExitStatus.DEVICE
