# SPDX-License-Identifier: Apache-2.0
"""The single steps on a device: status, test, confirm, erase, reset, echo, and scan."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from .. import link as links
from ..builddir import Build
from ..diagnostics import ExitStatus
from ..faults import fault
from ..report.console import Console
from ..report.status import state_as_dict, state_table
from ..update import DeviceState, Knowledge, UpdateOptions, knowledge_from_build, operations
from .device import (
    listener_for,
    open_device,
    require_one_device,
    require_options_of,
    virtual_on_air,
)
from .locate import load_build
from .logs import Logs
from .settings import settings

_Asked = Callable[..., Coroutine[Any, Any, DeviceState]]
_STEPS: dict[str, _Asked] = {
    "status": operations.read_status,
    "test": operations.activate_image,
    "confirm": operations.confirm_running,
    "erase": operations.erase_slot,
    "reset": operations.reset_device,
}


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Do the step that the action names and show the device as it is then."""
    if args.action == "scan":
        return _scan(args, console)
    # A build directory is not needed to talk to a device; where it was named, it helps to read
    # what the device does not tell (and a virtual device is made from it).
    build = load_build(args) if args.build_dir else None
    with Logs(args, console) as logs:
        return _step(args, console, build, logs)


def _step(
    args: argparse.Namespace, console: Console, build: Build | None, logs: Logs
) -> ExitStatus:
    knowledge = knowledge_from_build(build) if build else Knowledge()
    link = open_device(args, console, build, logs)
    options = UpdateOptions(timeout=args.timeout, retries=args.retries)
    with listener_for(args, console) as listener:
        if args.action == "echo":
            text = args.operand or "hello"
            came = asyncio.run(operations.echo(link, options, listener, text))
            return _echoed(args, console, text, came)
        extra = {"digest": _digest(args.operand)} if args.action == "test" else {}
        if args.action == "test":
            extra["permanent"] = args.permanent
        step = _STEPS[args.action]
        state = asyncio.run(step(link, knowledge, options, listener, **extra))
    if args.format == "json":
        console.result(json.dumps(state_as_dict(state)))
    else:
        if args.action == "status":
            console.result(state_table(state))
        console.prose(state.sentence())
    return ExitStatus.DONE


def _digest(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise fault(
            "EN008",
            f"'{text}' is not the beginning of a hash",
            why="An image on the device is named by its hash.",
            helps=["give an even number of hexadecimal digits, as `dfu-ble status` shows them"],
        ) from error


def _echoed(args: argparse.Namespace, console: Console, sent: str, came: str) -> ExitStatus:
    if args.format == "json":
        console.result(json.dumps({"echo": came}))
    else:
        console.result(came)
    if came != sent:
        raise fault("DV511", "the device's echo is not what was sent")
    return ExitStatus.DONE


def _scan(args: argparse.Namespace, console: Console) -> ExitStatus:
    require_one_device(args)
    spec = settings(args, None).link
    assert spec
    require_options_of(spec, args)
    on_air = None
    if spec == "virtual":
        on_air = virtual_on_air(args, load_build(args) if args.build_dir else None)
    seen = asyncio.run(links.scan(spec, args.timeout, virtual=on_air))
    if args.format == "json":
        rows = [
            {"name": s.name, "address": s.address, "rssi": s.rssi, "smp": s.has_smp} for s in seen
        ]
        console.result(json.dumps(rows, indent=2))
        return ExitStatus.DONE
    for one in seen:
        strength = "" if one.rssi is None else f"{one.rssi} dBm"
        service = "SMP" if one.has_smp else ""
        console.result(f"{one.address:<40}{strength:>8}  {service:<4}{one.name}".rstrip())
    if not seen:
        console.note("nothing was heard: is the device on, advertising, and not connected already?")
    return ExitStatus.DONE
