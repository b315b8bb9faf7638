# SPDX-License-Identifier: Apache-2.0
"""Every option of the command line, once, in a table, and which action takes which.

The job as a whole (no action named) takes the options of all its steps, so options stand on the
top parser with their defaults and on the actions' parsers without: `west dfu-ble -d build check`
and `west dfu-ble check -d build` mean the same. Destinations avoid those of west itself
(`command`, `help`, `quiet`, `verbose`, `zephyr_base`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .option import Option
from .types import FORMATS, address, attempts, jobs, passkey, report_target, seconds, speed


def _option(*flags: str, **kwargs: Any) -> Option:
    return Option(flags, kwargs)


BUILD = {
    "build directory": (
        _option(
            "-d",
            "--build-dir",
            action="append",
            type=Path,
            metavar="DIR",
            help="the build directory (default: as `west build` finds it)",
        ),
    )
}
CONFIG = {
    "settings": (
        _option(
            "--config",
            type=Path,
            metavar="FILE",
            help="the project's settings (default: dfu-ble.yml in the application's folder)",
        ),
    )
}
CHECK = {
    "check": (
        _option(
            "--profile",
            choices=("caf", "mcumgr"),
            help="which rules apply: an application with the CAF SMP module, or with plain MCUmgr "
            "(default: told from the build)",
        ),
        _option(
            "--release",
            action="store_true",
            default=False,
            help="what is unsafe in production (demo keys, open access) is an error",
        ),
        _option(
            "--fail-on",
            choices=("error", "warning", "info"),
            help="the least severity that ends with status 3 (default: error)",
        ),
        _option(
            "--strict",
            action="store_true",
            default=False,
            help="end with status 4 if a rule could not be decided",
        ),
    )
}
RULES = {
    "check": (
        _option(
            "--select",
            action="append",
            metavar="RULE",
            help="only these rules: code, name or family (KC); repeatable, or comma-separated",
        ),
        _option("--ignore", action="append", metavar="RULE", help="all but these rules"),
    )
}
MANY = {
    "several builds": (
        _option(
            "--all",
            action="append",
            type=Path,
            metavar="FOLDER",
            help="check every build directory below this folder; repeatable, as is --build-dir",
        ),
        _option(
            "--exit-zero",
            action="store_true",
            default=False,
            help="end with 0 instead of 3; a build that can't be read still ends with 4",
        ),
    )
}
_FIX = "write the safe edits to dfu-ble.conf in FOLDER (default: the application's)"
FIX = {"fixing": (_option("--fix", nargs="?", const=True, type=Path, metavar="FOLDER", help=_FIX),)}
_REPORT = _option(
    "--report",
    action="append",
    type=report_target,
    metavar="FORMAT:PATH",
    help="also write a report of the check to a file; repeatable",
)
FORMAT = {
    "report": (
        _option(
            "--format",
            choices=FORMATS,
            default="human",
            help="format of standard output (default: human)",
        ),
        _REPORT,
    )
}
REPORT = {
    "report": (
        _option(
            "--report",
            action="append",
            type=report_target,
            metavar="FORMAT:PATH",
            help="also write a report of the check, as html or junit of the update too, to a file; "
            "repeatable",
        ),
    )
}
UPDATE_REPORT = {
    "report": (
        _option(
            "--report",
            action="append",
            type=report_target,
            metavar="FORMAT:PATH",
            help="also write a report of the update (html, junit, json, human) to a file; "
            "repeatable",
        ),
    )
}
_FAULT = _option(
    "--fault",
    action="append",
    metavar="KIND@PLACE",
    help="let this go wrong with the device; PLACE is a number (of the request, byte or flash "
    "operation, from 0) or, for `rehearse`, a phase: disconnect@upload, request-lost@12x3, "
    "power-cut@reset+25%%, response-late@confirm:2.5s, mtu-23; repeatable",
)
FAULT = {"faults": (_FAULT,)}
FAULTS = {
    "faults": (
        _FAULT,
        _option(
            "--faults",
            nargs="?",
            const="smp",
            choices=("smp", "ble"),
            help="rehearse every fault in every phase, and show how each ends: at SMP level "
            "(default), or over two Bluetooth stacks with GATT, which takes minutes",
        ),
    )
}
SERVE = {
    "serving": (
        _option(
            "--hci",
            type=address,
            metavar="[tcp-server:]HOST:PORT",
            help="serve Bluetooth controllers (HCI over TCP) on the device's air; port 0 for any "
            "that is free (default: 127.0.0.1:0)",
        ),
        _option(
            "--udp",
            type=address,
            metavar="HOST:PORT",
            help="serve SMP over UDP instead",
        ),
    )
}
EVENTS = {
    "report": (
        _option(
            "--format",
            choices=("human", "json"),
            default="human",
            help="format of standard output: text, or JSON (default: human)",
        ),
    )
}
# For the actions that check or sign; it stands on the top parser once.
BASELINE = {
    "versions": (
        _option(
            "--baseline",
            type=Path,
            metavar="FILE|ZIP",
            help="the image or package that devices run now: the version must be higher",
        ),
    )
}
SIGN = {
    "signing": (
        _option(
            "--key", type=Path, metavar="PEM", help="sign with this key (default: the build's)"
        ),
        _option(
            "--image-version",
            metavar="VERSION",
            help="sign as this version, major.minor.revision+build (default: the build's)",
        ),
        _option(
            "--force",
            action="store_true",
            default=False,
            help="sign again even if the update image is up to date",
        ),
    )
}
LINK = {
    "device": (
        _option(
            "--link",
            metavar="LINK",
            help="how to reach the device: ble (default), hci:SPEC, serial:PORT[@BAUD], "
            "udp:HOST:PORT, or virtual (a device made from the build)",
        ),
    )
}
NAMED = {
    "device": (
        _option(
            "--device",
            action="append",
            metavar="NAME|ADDRESS",
            help="which device (default: the only one in range with the SMP service); repeatable "
            "for an update of several",
        ),
        _option(
            "--passkey",
            type=passkey,
            metavar="DIGITS",
            help="the passkey that the device shows when it is paired, over --link hci, and over "
            "--link ble on Linux (default: asked for on a terminal)",
        ),
    )
}
TIMEOUT = {
    "device": (
        _option(
            "--timeout",
            type=seconds,
            default=30.0,
            metavar="SECONDS",
            help="how long to look for the device, and for it to come back (default: 30)",
        ),
    )
}
RETRIES = {
    "device": (
        _option(
            "--retries",
            type=attempts,
            default=5,
            metavar="N",
            help="how often to reconnect and resume (default: 5)",
        ),
    )
}
VIRTUAL = {
    "virtual device": (
        _option(
            "--from",
            dest="running",
            type=Path,
            metavar="FILE",
            help="the image or package that the virtual device runs now "
            "(default: this application in a lower version)",
        ),
        _option(
            "--speed",
            type=speed,
            default=1.0,
            metavar="FACTOR|max",
            help="how much faster than a real radio (interval 15 ms, 2M PHY) its air is; max: no "
            "time at all (default: 1)",
        ),
    )
}
DEVICE = (LINK, NAMED, TIMEOUT, RETRIES, VIRTUAL)
DEVICES = {
    "several devices": (
        _option(
            "--all-named",
            action="append",
            metavar="PATTERN",
            help="update every device in range whose name the shell pattern fits; repeatable",
        ),
        _option(
            "--jobs",
            type=jobs,
            default=8,
            metavar="N",
            help="how many devices are updated at once (default: 8)",
        ),
    )
}
_PERMANENT = _option(
    "--permanent",
    action="store_true",
    default=False,
    help="activate for good without a trial; DANGER: there is no way back if the image "
    "does not come up",
)
PERMANENT = {"activation": (_PERMANENT,)}
ACTIVATE = {
    "activation": (
        _option(
            "--no-confirm",
            action="store_true",
            default=False,
            help="leave the image on trial: unless something confirms it, the device goes back "
            "to the old one at its next reset",
        ),
        _PERMANENT,
        _option(
            "--no-activate",
            action="store_true",
            default=False,
            help="upload only; the device goes on as before",
        ),
        _option(
            "--dry-run",
            action="store_true",
            default=False,
            help="say what would be done, with frame size, window and expected time; nothing is "
            "written to the device",
        ),
        _option(
            "--erase",
            action="store_true",
            default=False,
            help="erase the free slot first, also if it holds an image that waits to run",
        ),
    )
}
FILES = {
    "files": (
        _option(
            "--image",
            action="append",
            type=Path,
            metavar="FILE",
            help="upload this signed image instead of the build's; repeatable, one a variant",
        ),
        _option("--package", type=Path, metavar="ZIP", help="upload the images of this package"),
    )
}
