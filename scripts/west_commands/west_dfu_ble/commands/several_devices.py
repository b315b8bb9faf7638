# SPDX-License-Identifier: Apache-2.0
"""The update of several devices in one run: `--device` repeated, `--all-named PATTERN`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from .. import link as links
from ..builddir import Build
from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..report import devices as device_report
from ..report.console import Console
from ..report.devices_progress import DevicesProgress, devices_progress
from ..report.preview import describe_preview
from ..update import (
    Candidate,
    DeviceResult,
    Knowledge,
    SeveralUpdates,
    Update,
    knowledge_from_build,
    worst,
)
from .device import passkey_source, update_device, update_options
from .report_files import write_report
from .settings import settings

# Seconds. Devices advertise within this time, also slowly (Zephyr's slow interval is 1.28 s).
_LISTEN = 5.0
_FORMATS = {
    "junit": device_report.render_junit,
    "json": device_report.render_json,
    "human": device_report.device_table,
}


def update_all(
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    candidates: Sequence[Candidate],
) -> ExitStatus:
    """Update the device that is meant, or all of them, and write the report files.

    With several the status is the worst of theirs: 130 over 7 over 6, down to 0.
    """
    results: list[DeviceResult] = []
    try:
        if len(args.device or []) < 2 and not args.all_named:
            return update_device(args, console, build, candidates, tell_result=results.append)
        results += _update_several(args, console, build, candidates)
    except DfuBleError as error:
        asked = ", ".join([*(args.device or ()), *(args.all_named or ())]) or "the device"
        results.append(DeviceResult(asked, error.status, error.diagnostic))
        raise
    finally:
        # Whatever happened, no older report passes for this run's.
        _write_reports(args, results)
    for result in results:
        if result.error is not None:
            console.note(f"{result.device}:")
            console.error(result.error)
        if result.preview is not None:
            tell = console.note if args.format == "json" else console.result
            tell(f"{result.device}:\n{describe_preview(result.preview)}\n")
    if args.format != "json":
        console.result(device_report.device_table(results))
    for result in results:
        if result.bug is not None:
            raise result.bug
    return worst(results)


def require_device_formats(args: argparse.Namespace) -> None:
    """Refuse report files in which devices have no form. Raises `DfuBleError` EN008."""
    for name, _ in args.report or ():
        if name not in _FORMATS:
            raise fault(
                "EN008",
                f"there is no report of devices in the format {name}",
                why="It is one of the check.",
                helps=[f"with `upload`: one of {', '.join(_FORMATS)}"],
            )


def _update_several(
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    candidates: Sequence[Candidate],
) -> list[DeviceResult]:
    options = update_options(args)
    spec = settings(args, build).link
    assert spec
    devices = _devices(args, console, spec)
    asks = {device: passkey_source(args, console, label) for device, label in devices.items()}
    knowledge = knowledge_from_build(build) if build else Knowledge()
    opened = dict(zip(devices.values(), links.open_links(spec, asks), strict=True))
    with devices_progress(console, args.format, list(opened)) as progress:
        updates = {
            label: Update(link, candidates, knowledge, options, progress.listener(label))
            for label, link in opened.items()
        }
        return asyncio.run(_run(args, updates, progress))


async def _run(
    args: argparse.Namespace, updates: Mapping[str, Update], progress: DevicesProgress
) -> list[DeviceResult]:
    """Run the updates; Ctrl-C ends all, and the state of each is told."""
    several = SeveralUpdates(updates, args.jobs, progress.finished, dry_run=args.dry_run)
    # Windows has no signal handlers in asyncio; there, and only from Python 3.11 on, asyncio.run
    # itself turns Ctrl-C into a cancellation.
    with suppress(NotImplementedError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, several.cancel)
    return await several.run()


def _devices(args: argparse.Namespace, console: Console, spec: str) -> dict[str, str]:
    """Return what to look for (name or address) and what to call it, for every device meant.

    Raises `DfuBleError` LK402 if a pattern fits no device in range.
    """
    asked = {links.plain_address(device): device for device in args.device or ()}
    found = {device: device for device in asked.values()}
    if not args.all_named:
        return found
    seen = asyncio.run(links.scan(spec, min(args.timeout, _LISTEN)))
    for pattern in args.all_named:
        if not any(fnmatchcase(one.name, pattern) for one in seen):
            raise fault(
                "LK402",
                f"no device in range has a name like {pattern!r}",
                notes=[f"seen: {one.name or '(no name)'} at {one.address}" for one in seen[:15]]
                or ["no device at all was seen"],
                helps=["quote the pattern, so that the shell leaves it alone: --all-named 'Tag *'"],
            )
    fitting = [
        one
        for one in seen
        if any(fnmatchcase(one.name, pattern) for pattern in args.all_named)
        and not {links.plain_address(one.name), links.plain_address(one.address)} & set(asked)
    ]
    names = [one.name for one in fitting]
    for one in sorted(fitting, key=lambda one: (one.name, one.address)):
        alone = names.count(one.name) == 1
        found[one.address] = one.name if alone else f"{one.name} ({one.address})"
    console.note(f"{len(found)} devices: {', '.join(found.values())}")
    return found


def _write_reports(args: argparse.Namespace, results: Sequence[DeviceResult]) -> None:
    """Write the files that `--report` asks for.

    In the whole job they hold the check already: what can hold both (JUnit) gets the devices too.
    """
    for name, path in args.report or ():
        if args.action is not None:
            write_report(path, _FORMATS[name](results))
        elif name == "junit":
            from ..report.junit import combine

            both = [path.read_text(encoding="utf-8"), device_report.render_junit(results)]
            write_report(path, combine(both))
