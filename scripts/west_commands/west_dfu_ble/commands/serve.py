# SPDX-License-Identifier: Apache-2.0
"""`device`: serve a virtual device to other programs until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from ..diagnostics import ExitStatus
from ..faults import fault
from ..link import silence
from ..report.console import Console
from ..virtual import Fault, VirtualDevice, parse_fault
from .forward import make_gateway, start_gateway
from .interruption import Interruption
from .locate import load_build
from .logs import Logs
from .virtual import device_profile, timed_air

if TYPE_CHECKING:
    from ..virtual.hci_server import HciServer
    from ..virtual.served import ServedDevice
    from ..virtual.udp_server import UdpServer


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Serve the device, and tell what it says."""
    _require_one_way(args)
    with Logs(args, console) as logs:
        packets = logs.packets("udp" if args.udp else "virtual")
        if args.forward:
            return _forward(args, console, packets)
        return _device(args, console, packets)


def _require_one_way(args: argparse.Namespace) -> None:
    """Refuse options that exclude each other or mean nothing together. Raises EN008."""
    for one, other, together in (
        ("--hci", "--udp", args.hci and args.udp),
        ("--forward", "--speed", args.forward and args.speed != 1),
        ("--udp", "--speed", args.udp and args.speed != 1),
    ):
        if together:
            raise fault(
                "EN008",
                f"{one} and {other} were given together",
                why="A device is served in one way; only a virtual radio has a speed.",
                helps=["give one of them"],
            )
    if args.frame_size is not None and not args.forward:
        raise fault(
            "EN008",
            "--frame-size was given without --forward",
            why="It says how long a frame the server behind a front takes.",
            helps=["leave it out, or name that server with --forward LINK"],
        )


def _device(args: argparse.Namespace, console: Console, packets: BinaryIO | None) -> ExitStatus:
    """Serve a virtual device."""
    faults = _faults(args)
    build = load_build(args) if args.build_dir or not args.running else None
    device = VirtualDevice(device_profile(args, build), faults=faults)
    console.result(f"{device.profile.radio.name} ({device.address})")
    asyncio.run(_serve(args, device, console, packets))
    running = device.running()
    console.result(f"the device runs {running.version}" if running else "the device runs nothing")
    return ExitStatus.DONE


def _forward(args: argparse.Namespace, console: Console, packets: BinaryIO | None) -> ExitStatus:
    """Serve a gateway to the server behind a link."""
    gateway = make_gateway(args, console)

    async def serve() -> None:
        try:
            await start_gateway(gateway, args.forward)
            console.result(f"{gateway.radio.name} ({gateway.radio.address})")
            console.note(f"behind it {args.forward}: {gateway.describe_buffers()}")
            await _serve(args, gateway, console, packets)
        finally:
            await gateway.close()

    asyncio.run(serve())
    console.result(f"{gateway.forwarded} requests were forwarded")
    return ExitStatus.DONE


def _faults(args: argparse.Namespace) -> list[Fault]:
    """Read `--fault`. Raises `DfuBleError` EN008; phases are those of our own update alone."""
    try:
        return [parse_fault(text) for text in args.fault or ()]
    except ValueError as error:
        raise fault(
            "EN008", str(error), helps=["give its place as a number, as in disconnect@12"]
        ) from error


async def _serve(
    args: argparse.Namespace,
    device: ServedDevice,
    console: Console,
    packets: BinaryIO | None,
) -> None:
    """Serve until Ctrl-C, over UDP or on an air of the device's own."""
    if args.udp:
        from ..virtual.udp_server import UdpServer

        server = UdpServer(device)
        console.result(f"udp:{await _start(server, args.udp)}, end with Ctrl-C")
        try:
            await _tell_log(device, console)
        finally:
            await server.close()
        return
    silence("bumble")
    from ..virtual.hci_server import HciServer
    from ..virtual.peripheral import VirtualRadio

    radio = VirtualRadio(device, *timed_air(math.inf if args.forward else args.speed))
    if packets is not None:
        radio.log_packets(packets)
    await radio.switch_on()
    hci = HciServer(radio)
    try:
        place = await _start(hci, args.hci or ("127.0.0.1", 0))
        console.result(f"hci:tcp-client:{place}, end with Ctrl-C")
        await _tell_log(device, console)
    finally:
        await hci.close()
        await radio.close()


async def _start(server: UdpServer | HciServer, address: tuple[str, int]) -> str:
    host, port = address
    try:
        return f"{host}:{await server.start(host, port)}"
    except OSError as error:
        raise fault(
            "EN008",
            f"nobody can be served at {host}:{port}: {error.strerror}",
            why="Other programs reach the virtual device there.",
            helps=["choose another port, or 0 for any that is free"],
        ) from error


async def _tell_log(device: ServedDevice, console: Console) -> None:
    """Tell what the device says, until Ctrl-C."""
    stop = asyncio.Event()
    told = 0
    with Interruption() as interruption:
        interruption.ends(stop.set)
        while not stop.is_set():
            # The log keeps the last lines only; what was told before is not told again.
            fresh, told = device.lines - told, device.lines
            for line in list(device.log)[-fresh:] if fresh else ():
                console.note(line)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.2)
