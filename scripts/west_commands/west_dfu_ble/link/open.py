# SPDX-License-Identifier: Apache-2.0
"""From what the user calls a link (`ble`, `serial:/dev/ttyACM0`) to the link itself.

`KINDS` is the one place that knows which kinds there are. A kind is a module with a function
`open_link(argument, device, virtual, ask) -> Link` and, if there is anything to look for, a
coroutine `scan(argument, timeout, *, virtual) -> list[Seen]`, and if several devices can be reached
at once, a function `open_links(argument, devices) -> list[Link]`; all raise `DfuBleError`. It is
imported when it is asked for, so that nobody waits for a Bluetooth stack to update over a cable.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from ..faults import fault

if TYPE_CHECKING:
    from typing import BinaryIO

    from .model import AskPasskey, Link, Seen


@dataclass(frozen=True)
class Kind:
    """One kind of link: how it is written, where it is made, and what it cannot do without.

    `libraries` maps the importable module to the name that pip knows it by. `hci` tells that the
    link drives a Bluetooth controller itself, so that every packet passes through this program,
    `pairs` that a device behind it may want a passkey.
    """

    form: str
    module: str
    libraries: Mapping[str, str]
    hci: bool = False
    pairs: bool = False


KINDS: Mapping[str, Kind] = {
    "ble": Kind("ble", ".ble", {"bleak": "bleak"}, pairs=True),
    "hci": Kind("hci:SPEC", ".hci", {"bumble": "bumble"}, hci=True, pairs=True),
    "serial": Kind("serial:PORT[@BAUD]", ".serial_console", {"serial": "pyserial", "smp": "smp"}),
    "udp": Kind("udp:HOST:PORT", ".udp", {}),
    "virtual": Kind("virtual", ".virtual", {"bumble": "bumble"}, hci=True),
}


def open_link(
    spec: str,
    device: str | None,
    *,
    virtual: object | None = None,
    ask: AskPasskey | None = None,
    hci_log: BinaryIO | None = None,
) -> Link:
    """Make the link that `spec` names, not yet connected.

    `device` is the name or address to look for on the air (`None`: the only one with the SMP
    service); a link that leads to one device by itself takes no notice of it. `virtual` is the
    device that the link `virtual` ends in. `ask` gets the passkey that a device shows when it
    wants to be paired with one; without it devices are paired without a passkey. `hci_log` gets
    every HCI packet as btsnoop, where the link is one that has them (`require_hci`).

    Raises `DfuBleError` LK408 for a spec that makes no sense, LK409 when a Python package is
    missing.
    """
    kind, argument = _parse(spec)
    made = _load(kind).open_link(argument, device, virtual, ask)
    if hci_log is not None:
        made.log_packets(hci_log)
    link: Link = made
    return link


def open_links(
    spec: str, devices: Mapping[str, AskPasskey | None], *, hci_log: BinaryIO | None = None
) -> list[Link]:
    """Make links to several devices that share what `spec` names, none of them connected.

    `devices` maps names or addresses to who knows the passkey that the device shows. The links
    are for one event loop, take turns to connect, and none takes the device of another. `hci_log`
    is as for `open_link`.

    Raises `DfuBleError` LK408 for a spec that makes no sense or leads to one device, LK409 when a
    Python package is missing.
    """
    kind, argument = _parse(spec)
    module = _load(kind)
    if not hasattr(module, "open_links"):
        raise fault(
            "LK408",
            f"the link {spec!r} leads to one device, not to {len(devices)}",
            helps=["update several with --link ble or --link hci:SPEC, or one after the other"],
        )
    made = module.open_links(argument, devices)
    if hci_log is not None:
        made[0].log_packets(hci_log)  # they share a controller
    links: list[Link] = made
    return links


def require_hci(spec: str) -> None:
    """Refuse a link whose HCI packets do not pass through this program. Raises LK408."""
    kind, _ = _parse(spec)
    if KINDS[kind].hci:
        return
    if kind != "ble":
        raise fault(
            "LK408",
            f"the link {kind} has no HCI packets to log",
            why="They are what a Bluetooth controller and its host exchange.",
            helps=["see the SMP frames of any link with --verbose or --log-file FILE"],
        )
    raise fault(
        "LK408",
        "the HCI packets of the link ble can't be logged from here",
        why="The operating system's Bluetooth stack talks with the controller, and shows its "
        "packets to its own tools alone.",
        helps=[
            "on Linux, as root, beside the update: btmon -w FILE (Wireshark opens it)",
            "on macOS: PacketLogger, of Additional Tools for Xcode",
            "on Windows: btvs.exe, of Microsoft's Bluetooth Test Platform",
            "or update through a controller of its own, --link hci:SPEC --hci-log FILE",
        ],
    )


async def scan(spec: str, timeout: float, *, virtual: object | None = None) -> list[Seen]:
    """Listen for `timeout` seconds to who advertises, the strongest first.

    `virtual` is the device that is on the air of the link `virtual`.

    Raises `DfuBleError` LK401 if that is not possible, LK408 for a link that has no air to listen
    to, LK409 when a Python package is missing.
    """
    kind, argument = _parse(spec)
    module = _load(kind)
    if not hasattr(module, "scan"):
        raise fault(
            "LK408",
            f"nothing can be looked for over {kind}",
            why="Such a link leads to one device, which its own name says.",
            helps=["scan with --link ble or --link hci:SPEC"],
        )
    found: list[Seen] = await module.scan(argument, timeout, virtual=virtual)
    return sorted(found, key=lambda one: -1000 if one.rssi is None else one.rssi, reverse=True)


def _parse(spec: str) -> tuple[str, str]:
    name, colon, argument = spec.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        raise fault(
            "LK408",
            f"there is no link {spec!r}",
            helps=["one of " + ", ".join(kind.form for kind in KINDS.values())],
        )
    takes_argument = ":" in kind.form
    if takes_argument != bool(argument) or (colon and not argument):
        raise fault(
            "LK408",
            f"the link {spec!r} " + ("says not where" if takes_argument else "says too much"),
            helps=[f"write it as {kind.form}"],
        )
    return name, argument


def silence(library: str) -> None:
    """Keep a library's log lines out of ours, unless somebody asked for them.

    What matters of it becomes a diagnostic; the rest, also of a stack that is taken down by Ctrl-C
    or fed with nonsense, would stand between our own lines.
    """
    if (logger := logging.getLogger(library)).level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)


def _load(name: str) -> ModuleType:
    kind = KINDS[name]
    for library in kind.libraries:
        silence(library)
    try:
        return import_module(kind.module, __package__)
    except ModuleNotFoundError as error:
        missing = kind.libraries.get(error.name or "")
        if missing is None:
            raise
        raise fault(
            "LK409",
            f"the Python package {missing} is not installed",
            why=f"The link {name} needs it.",
            helps=[
                f"python -m pip install {missing}",
                "or, in a west workspace: west packages pip --install",
            ],
        ) from error
