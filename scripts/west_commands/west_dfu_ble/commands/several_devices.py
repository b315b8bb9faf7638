# SPDX-License-Identifier: Apache-2.0
"""The update of several devices in one run: `--device` repeated, `--all-named PATTERN`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from .. import link as links
from ..builddir import Build
from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..report.console import Console
from ..report.devices import device_table
from ..report.devices_progress import DevicesProgress, devices_progress
from ..report.html import UpdateRecord
from ..report.preview import describe_preview, preview_as_dict
from ..report.progress import JsonLines
from ..rules import CheckReport
from ..update import (
    Candidate,
    DeviceResult,
    Knowledge,
    Recorder,
    SeveralUpdates,
    Update,
    knowledge_from_build,
    worst,
)
from .device import require_options_of, update_device, update_options
from .interruption import Interruption
from .logs import Logs, frames_on_terminal
from .passkey import passkey_source
from .settings import settings
from .update_reports import write_update_reports

# Seconds. Devices advertise within this time, also slowly (Zephyr's slow interval is 1.28 s).
_LISTEN = 5.0


def update_all(
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    candidates: Sequence[Candidate],
    check: CheckReport | None = None,
) -> ExitStatus:
    """Update the device that is meant, or all of them, and write the report files.

    `check` is what the report files hold already. With several devices the status is the worst of
    theirs: 130 over 7 over 6, down to 0.
    """
    records: list[UpdateRecord] = []
    try:
        if len(args.device or []) < 2 and not args.all_named:
            return update_device(args, console, build, candidates, tell_record=records.append)
        records += _update_several(args, console, build, candidates)
    except DfuBleError as error:
        asked = ", ".join([*(args.device or ()), *(args.all_named or ())]) or "the device"
        records.append(UpdateRecord(DeviceResult(asked, error.status, error.diagnostic), ()))
        raise
    finally:
        # Whatever happened, no older report passes for this run's.
        write_update_reports(args, records, check)
    results = [record.result for record in records]
    for result in results:
        if result.bug is not None:
            raise result.bug
    return worst(results)


def _show(args: argparse.Namespace, console: Console, results: Sequence[DeviceResult]) -> None:
    for result in results:
        if result.error is not None:
            console.note(f"{result.device}:")
            console.error(result.error)
        if result.preview is not None:
            if args.format == "json":
                plan = {"device": result.device, **preview_as_dict(result.preview)}
                JsonLines(console.out).write(plan)
            else:
                console.result(f"{result.device}:\n{describe_preview(result.preview)}\n")
    if args.format != "json":
        console.result(device_table(results))


def _update_several(
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    candidates: Sequence[Candidate],
) -> list[UpdateRecord]:
    options = update_options(args)
    spec = settings(args, build).link
    assert spec
    require_options_of(spec, args)
    knowledge = knowledge_from_build(build) if build else Knowledge()
    with Logs(args, console) as logs:
        packets = logs.packets(spec)
        devices = _devices(args, console, spec)
        turn = asyncio.Lock()
        asks = {
            device: passkey_source(args, console, label, turn) for device, label in devices.items()
        }
        made = links.open_links(spec, asks, hci_log=packets)
        opened = dict(zip(devices.values(), made, strict=True))
        plain = frames_on_terminal(args)
        with Interruption() as interruption:
            with devices_progress(console, args.format, list(opened), plain=plain) as progress:
                recorders = {label: Recorder(progress.listener(label)) for label in opened}
                updates = {
                    label: Update(
                        logs.frames(link, label), candidates, knowledge, options, recorders[label]
                    )
                    for label, link in opened.items()
                }
                results = asyncio.run(_run(args, updates, progress, interruption))
            _show(args, console, results)
    return [UpdateRecord(one, recorders[one.device].events, spec) for one in results]


async def _run(
    args: argparse.Namespace,
    updates: Mapping[str, Update],
    progress: DevicesProgress,
    interruption: Interruption,
) -> list[DeviceResult]:
    """Run the updates; Ctrl-C ends all, and the state of each is told."""
    several = SeveralUpdates(updates, args.jobs, progress.finished, dry_run=args.dry_run)
    interruption.ends(several.cancel)
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
