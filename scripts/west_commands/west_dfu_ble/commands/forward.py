# SPDX-License-Identifier: Apache-2.0
"""The gateway that `device --forward LINK` serves: a front for the server behind a link."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ..diagnostics import DfuBleError
from ..faults import fault
from ..link import LinkLost, open_link
from ..report.console import Console
from ..smp import McumgrParameters
from ..update import Event, Remark, UpdateOptions, operations
from ..virtual import RadioProfile, radio_profile
from .locate import load_build

if TYPE_CHECKING:
    from ..virtual.gateway import Gateway

# Short enough to stand beside the service in an advertisement.
_NAME = "Gateway"


def make_gateway(args: argparse.Namespace, console: Console) -> Gateway:
    """Make the gateway, not yet started.

    Its name, access rights and MTU are those of the build that was named. Raises `DfuBleError`
    EN008 for arguments that exclude each other, LK408 and LK409 for a link that can't be made.
    """
    from ..virtual.gateway import Gateway

    if args.running or args.fault or args.forward == "virtual":
        raise fault(
            "EN008",
            "--forward leads to a real server, and a virtual device was asked for as well",
            why="What runs behind a gateway is the server's own image.",
            helps=["leave out --from and --fault", "forward to serial:PORT or udp:HOST:PORT"],
        )
    link = open_link(args.forward, None)
    options = UpdateOptions(timeout=args.timeout, retries=args.retries)

    def tell(event: Event) -> None:
        if isinstance(event, Remark):
            console.note(event.text)

    frame_size: int | None = args.frame_size

    async def ask_buffers() -> McumgrParameters:
        # What the link carries is tried once: clients would not expect another limit after a reset.
        nonlocal frame_size
        buffers = await operations.usable_buffers(link, options, tell, frame_size)
        frame_size = buffers.buffer_size
        return buffers

    radio = RadioProfile(name=_NAME, advertise_service=True)
    if args.build_dir:
        radio = radio_profile(load_build(args))
    return Gateway(link, ask_buffers, replace(radio, address=_address_for(args.forward)))


def _address_for(spec: str) -> str:
    """Return a random static address, another for each server and always the same for one."""
    tail = hashlib.sha256(spec.encode()).digest()[:3]
    return f"C0:FF:EE:{tail.hex(':').upper()}"


async def start_gateway(gateway: Gateway, spec: str) -> None:
    """Reach the server behind. Raises `DfuBleError` LK4xx that says so if there is none."""
    try:
        await gateway.start()
    except LinkLost as lost:
        raise fault("LK407", f"the link {spec} to the server behind was lost: {lost}") from lost
    except DfuBleError as error:
        if error.diagnostic.code != "LK406":
            raise
        raise fault(
            "LK406",
            f"nothing at {spec} answers SMP requests",
            why="A gateway needs a server behind it.",
            notes=[error.diagnostic.message],
            helps=["start the server first, and see that SMP is spoken on this very port"],
        ) from error
