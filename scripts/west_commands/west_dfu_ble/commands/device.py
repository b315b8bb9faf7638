# SPDX-License-Identifier: Apache-2.0
"""Bring images to a device over the link asked for, and tell how it stands at the end."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..builddir import Build
from ..diagnostics import DfuBleError, ExitStatus
from ..faults import fault
from ..link import KINDS, Link, open_link
from ..report.console import Console, can_draw
from ..report.devices import result_as_dict
from ..report.html import UpdateRecord
from ..report.preview import describe_preview, preview_as_dict
from ..report.progress import JsonLines, PlainProgress, TerminalProgress
from ..update import (
    ActivateMode,
    Candidate,
    DeviceResult,
    Event,
    Knowledge,
    Listener,
    Preview,
    Recorder,
    Update,
    UpdateOptions,
    knowledge_from_build,
)
from .interruption import Interruption
from .logs import Logs, frames_on_terminal
from .passkey import passkey_source
from .settings import settings

if TYPE_CHECKING:
    from ..virtual import ReachableDevice, VirtualDevice


def update_device(
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    candidates: Sequence[Candidate],
    virtual: VirtualDevice | None = None,
    tell_record: Callable[[UpdateRecord], None] | None = None,
    also: Listener | None = None,
) -> ExitStatus:
    """Run the update. The last line tells what the device runs and will run next, come what may.

    `virtual` is the device that the link `virtual` leads to; without one it is made. `tell_record`
    is for a report file. `also` hears of every event too.
    """
    with Logs(args, console) as logs:
        link = open_device(args, console, build, logs, virtual)
        with Interruption() as interruption:
            return _update_over(
                link, interruption, args, console, build, candidates, tell_record, also
            )


def _update_over(
    link: Link,
    interruption: Interruption,
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    candidates: Sequence[Candidate],
    tell_record: Callable[[UpdateRecord], None] | None,
    also: Listener | None,
) -> ExitStatus:
    knowledge = knowledge_from_build(build) if build else Knowledge()

    def tell_plan(preview: Preview) -> None:
        if args.format == "json":
            JsonLines(console.out).write(preview_as_dict(preview))
        else:
            console.result(describe_preview(preview))

    with listener_for(args, console) as listener:
        recorder = Recorder(listener)

        def tell_all(event: Event) -> None:
            recorder(event)
            if also is not None:
                also(event)

        update = Update(link, candidates, knowledge, update_options(args), tell_all)
        began = time.monotonic()
        try:
            status = asyncio.run(_run(update, interruption, tell_plan if args.dry_run else None))
            failure = None
        except DfuBleError as error:
            status, failure = error.status, error
    seconds = time.monotonic() - began
    if status is ExitStatus.INTERRUPTED:
        console.note("interrupted")
    elif failure:
        console.error(failure.diagnostic)
    sentence = update.sentence()
    if update.state is None and status is ExitStatus.INTERRUPTED:
        sentence = "nothing was written to the device"
    traits, diagnostic = link.traits, failure.diagnostic if failure else None
    result = DeviceResult(
        traits.peer, status, diagnostic, update.state, seconds=seconds, sentence=sentence
    )
    if args.format == "json":
        JsonLines(console.out).write({**result_as_dict(result), "device": sentence})
    else:
        console.prose(sentence)
    if tell_record is not None:
        tell_record(UpdateRecord(result, recorder.events, traits.kind))
    return status


async def _run(
    update: Update, interruption: Interruption, tell_plan: Callable[[Preview], None] | None
) -> ExitStatus:
    """Run the update in a task that Ctrl-C cancels, so that the device can be asked once more.

    With `tell_plan` it is only told what the update would do.
    """

    async def work() -> None:
        if tell_plan is not None:
            tell_plan(await update.preview())
        else:
            await update.run()

    task = asyncio.ensure_future(work())
    interruption.ends(task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        await update.abort()
        return ExitStatus.INTERRUPTED
    return ExitStatus.DONE


def open_device(
    args: argparse.Namespace,
    console: Console,
    build: Build | None,
    logs: Logs,
    virtual: VirtualDevice | None = None,
) -> Link:
    """Open the link that the arguments ask for; a virtual device is made first.

    Raises `DfuBleError` EN008 if they name several devices, and what `Logs` raises.
    """
    require_one_device(args)
    config = settings(args, build)
    assert config.link
    require_options_of(config.link, args)
    device, on_air = config.device, None
    if config.link == "virtual":
        on_air = virtual_on_air(args, build, virtual)
        # The device that the project's settings name is a real one.
        device = args.device[0] if args.device else None
    packets, ask = logs.packets(config.link), passkey_source(args, console)
    link = open_link(config.link, device, virtual=on_air, ask=ask, hci_log=packets)
    return logs.frames(link)


def virtual_on_air(
    args: argparse.Namespace, build: Build | None, virtual: VirtualDevice | None = None
) -> ReachableDevice:
    """Put the virtual device on the air, made first if it is not there. As `make_virtual`."""
    from ..virtual import ReachableDevice
    from .virtual import make_virtual, timed_air

    return ReachableDevice(virtual or make_virtual(args, build), *timed_air(args.speed))


def require_one_device(args: argparse.Namespace) -> None:
    """Refuse several devices. Raises `DfuBleError` EN008."""
    if len(args.device or []) > 1 or args.all_named:
        raise fault(
            "EN008",
            "several devices were asked for",
            why="This works on one device; the whole job and `upload` update several at once.",
            helps=["give --device once, and run it for each device"],
        )


def require_options_of(link: str, args: argparse.Namespace) -> None:
    """Refuse options that mean nothing on this link. Raises `DfuBleError` EN008."""
    kind = link.partition(":")[0]
    virtual = kind == "virtual"
    pairs = kind in KINDS and KINDS[kind].pairs
    given = {
        "--from": not virtual and args.running is not None,
        "--speed": not virtual and args.speed != 1,
        "--passkey": not pairs and args.passkey is not None,
    }
    for option in (name for name, is_foreign in given.items() if is_foreign):
        raise fault(
            "EN008",
            f"{option} means nothing over the link {kind}",
            why="Nothing is paired over such a link."
            if option == "--passkey"
            else "It says what a virtual device is like, and the device behind this link is real.",
            helps=[f"leave out {option}, or give another --link"],
        )


def listener_for(
    args: argparse.Namespace, console: Console
) -> PlainProgress | TerminalProgress | JsonLines:
    """Return who shows the events: a bar on a terminal, lines elsewhere, JSON where asked for."""
    if args.format == "json":
        return JsonLines(console.out)
    if can_draw(console.err) and not frames_on_terminal(args):
        progress = TerminalProgress(console.err, colour=console.colour_err)
        console.drawings.append(progress)
        return progress
    return PlainProgress(console.err)


def update_options(args: argparse.Namespace) -> UpdateOptions:
    """Return what the arguments ask for. Raises `DfuBleError` EN008 if they exclude each other."""
    chosen = [
        mode
        for wanted, mode in (
            (args.no_confirm, ActivateMode.TEST),
            (args.permanent, ActivateMode.PERMANENT),
            (args.no_activate, ActivateMode.UPLOAD_ONLY),
        )
        if wanted
    ]
    if len(chosen) > 1:
        raise fault(
            "EN008",
            "more than one of --no-confirm, --permanent and --no-activate was given",
            why="They exclude each other.",
            helps=["give one of them, or none: test, verify, then confirm"],
        )
    return UpdateOptions(
        activate=chosen[0] if chosen else ActivateMode.CONFIRM,
        timeout=args.timeout,
        retries=args.retries,
        erase=args.erase,
    )
