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
from ..update import Candidate, candidates_from_signed, knowledge_from_build
from .device import update_device, update_options
from .evaluation import evaluate_build
from .locate import load_build
from .sign import baseline_of, describe, sign_build
from .update_reports import require_device_formats, write_update_reports
from .virtual import device_profile

if TYPE_CHECKING:
    from ..rehearsal import Cue, PlacedFault, Scene
    from ..report.html import UpdateRecord
    from ..virtual import DeviceProfile, Fault, VirtualDevice


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Sign, update the virtual device as a real one, show what it said, then the verdict."""
    require_device_formats(args)
    if args.faults:
        _require_no_files(args)
    faults = _asked_for(args)
    build = load_build(args)
    # A device that can't be played is told before anything is written.
    profile = device_profile(args, build)
    signed = sign_build(args, build, baseline_of(args))
    for line in describe(signed):
        console.step("sign", line)
    candidates = candidates_from_signed(signed)
    _refuse_if_running(candidates, profile)
    if args.faults:
        return _matrix(args, console, _scene(args, profile, candidates, build))
    args.link = "virtual"
    return _once(args, console, build, candidates, profile, faults)


def _once(
    args: argparse.Namespace,
    console: Console,
    build: Build,
    candidates: Sequence[Candidate],
    profile: DeviceProfile,
    faults: Sequence[PlacedFault],
) -> ExitStatus:
    from ..rehearsal import Cue, Prompter
    from ..virtual import Fault, VirtualDevice

    placed = _place(_scene(args, profile, candidates, build), faults)
    device = VirtualDevice(profile, faults=[one for one in placed if isinstance(one, Fault)])
    prompter = Prompter(device, [one for one in placed if isinstance(one, Cue)])
    records: list[UpdateRecord] = []
    status = update_device(
        args,
        console,
        build,
        candidates,
        virtual=device,
        tell_record=records.append,
        also=prompter,
    )
    if args.report:
        told = [replace(record, log=tuple(device.log)) for record in records]
        write_update_reports(args, told, evaluate_build(args, build))
    said = "\n".join(f"  {line}" for line in device.log)
    verdict = "this build updates the device that runs now"
    if args.dry_run or args.no_activate:
        asked = "--dry-run" if args.dry_run else "--no-activate"
        verdict = f"whether this build's image runs was not tried: {asked} was given"
    if status is ExitStatus.INTERRUPTED:
        verdict = (
            "the rehearsal was interrupted: whether this build updates the device is not known"
        )
    elif status is not ExitStatus.DONE:
        verdict = f"this build does not update the device that runs now (status {int(status)})"
    if faults:
        verdict += f"\n{_what_struck(faults, device)}"
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
        "--dry-run": args.dry_run,
    }
    for option, value in given.items():
        if value:
            raise fault(
                "EN008",
                f"{option} was given with --faults",
                why="It tells of one update, and with --faults there are hundreds.",
                helps=[f"rehearse once with {option}, and once with --faults"],
            )


def _what_struck(faults: Sequence[PlacedFault], device: VirtualDevice) -> str:
    """Say whether everything went wrong that was to go wrong."""
    asked = ", ".join(str(one) for one in faults)
    struck = {one.kind for one in device.struck}
    missed = [str(one) for one in faults if one.fault.kind not in struck]
    if not missed:
        return f"what went wrong on the way: {asked}"
    return f"it was over before this could go wrong: {', '.join(missed)}"


def _refuse_if_running(candidates: Sequence[Candidate], profile: DeviceProfile) -> None:
    """Raise DV504 if nothing would be updated, which would prove nothing."""
    from ..virtual import VirtualDevice

    device = VirtualDevice(profile)
    for candidate in candidates:
        running = device.running(candidate.image_number)
        if running is not None and running.digest == candidate.image.digest:
            raise fault(
                "DV504",
                f"the device runs {candidate.path.name} ({candidate.image.version}) already",
                why="A rehearsal of no update proves nothing.",
                location=candidate.path,
                helps=[
                    "raise the version and sign again",
                    "or give the image that the field runs with --from FILE",
                ],
            )


def _place(scene: Scene, faults: Sequence[PlacedFault]) -> Sequence[Fault | Cue]:
    """Find out where the phases are, if that is asked for. Raises `DfuBleError` EN008."""
    from ..rehearsal import Rehearsal

    rehearsal = Rehearsal(scene)
    try:
        for one in faults:
            rehearsal = rehearsal.with_placed_fault(one)
    except ValueError as error:
        raise fault(
            "EN008", str(error), helps=["choose another phase, or leave it to --faults"]
        ) from error
    return rehearsal.faults()


def _asked_for(args: argparse.Namespace) -> list[PlacedFault]:
    """Read `--fault`. Raises `DfuBleError` EN008."""
    if not args.fault:
        return []
    if args.faults:
        raise fault(
            "EN008",
            "both --fault and --faults were given",
            why="--faults plays every fault there is, each in a run of its own.",
            helps=["give one of them"],
        )
    from ..rehearsal import parse_placed_fault

    try:
        return [parse_placed_fault(text) for text in args.fault]
    except ValueError as error:
        raise fault("EN008", str(error), helps=["dfu-ble rehearse --help"]) from error


def _scene(
    args: argparse.Namespace,
    profile: DeviceProfile,
    candidates: Sequence[Candidate],
    build: Build,
) -> Scene:
    from ..rehearsal import Over, Scene

    over = Over(args.faults or "smp")
    options = update_options(args)
    return Scene(profile, candidates, knowledge_from_build(build), options, over)


def _matrix(args: argparse.Namespace, console: Console, scene: Scene) -> ExitStatus:
    """Run the matrix and show it; 7 if the device or the report was ever wrong."""
    from ..rehearsal import run_matrix
    from ..report.faults import fault_table, trials_as_json

    def tell(number: int, count: int) -> None:
        if number == 1 or number % 20 == 0 or number == count:
            console.step("faults", f"{number} of {count}")

    trials = run_matrix(scene, tell)
    console.result(trials_as_json(trials) if args.format == "json" else fault_table(trials))
    return ExitStatus.DONE if all(trial.is_true for trial in trials) else ExitStatus.DEVICE
