# SPDX-License-Identifier: Apache-2.0
"""The actions of the command line, and the parser that they make."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .. import __version__
from . import groups, logs
from .forward import FORWARD
from .option import Group, Option, add_groups
from .signing import SIGN_FILES

DESCRIPTION = """\
Verify a finished build, sign its update images, upload the right one to a
device over Bluetooth LE, and prove that the device runs it.

Without an action the whole job is done: check, sign, upload, test, reset, wait
for the device, verify the hash of what it runs, confirm.
"""

EPILOG = """\
exit status:
  0    done
  2    usage
  3    findings
  4    could not decide: no build directory, unreadable input
  5    signing or verification of an image failed
  6    no link; nothing was changed on the device
  7    the device refused, or is not in the state asked for
  130  interrupted

`ACTION --help` lists the options of one action.
"""


@dataclass(frozen=True)
class Action:
    """One action: where it is done, what it says of itself, and the options it takes."""

    module: str
    help: str
    groups: Sequence[Group]
    operand: tuple[str, str] | None = None


ACTIONS: Mapping[str, Action] = {
    "check": Action(
        "check",
        "verify the build; nothing is written, no radio",
        (
            groups.BUILD,
            groups.MANY,
            groups.CONFIG,
            groups.CHECK,
            groups.RULES,
            groups.BASELINE,
            groups.FIX,
            groups.FORMAT,
        ),
    ),
    "sign": Action(
        "sign",
        "write the signed update images and the package",
        (groups.BUILD, groups.SIGN, groups.BASELINE, SIGN_FILES, groups.EVENTS),
    ),
    "image": Action(
        "image",
        "show what stands in an image or a package, and whether it fits the build",
        (groups.BUILD, groups.EVENTS),
        ("FILE", "a signed .bin or a dfu_application.zip"),
    ),
    "upload": Action(
        "upload",
        "upload an image and, unless told otherwise, activate and verify it",
        (
            groups.BUILD,
            groups.CONFIG,
            groups.FILES,
            *groups.DEVICE,
            *logs.LOGS,
            groups.DEVICES,
            groups.ACTIVATE,
            groups.EVENTS,
            groups.UPDATE_REPORT,
        ),
    ),
    "rehearse": Action(
        "rehearse",
        "the whole update against a virtual device made from this build",
        (
            groups.BUILD,
            groups.CONFIG,
            groups.SIGN,
            groups.BASELINE,
            groups.VIRTUAL,
            groups.TIMEOUT,
            groups.RETRIES,
            *logs.LOGS,
            groups.ACTIVATE,
            groups.FAULTS,
            groups.EVENTS,
            groups.UPDATE_REPORT,
        ),
    ),
    "device": Action(
        "serve",
        "serve a virtual device, or a real server behind --forward, for other tools to update, "
        "until Ctrl-C",
        (
            groups.BUILD,
            groups.VIRTUAL,
            groups.FAULT,
            groups.SERVE,
            FORWARD,
            groups.TIMEOUT,
            groups.RETRIES,
            logs.PACKETS,
        ),
    ),
    "scan": Action(
        "operations",
        "list the devices in range",
        (
            groups.BUILD,
            groups.CONFIG,
            groups.LINK,
            groups.TIMEOUT,
            groups.VIRTUAL,
            groups.EVENTS,
        ),
    ),
    "status": Action(
        "operations",
        "show the device's images, slots, mode and buffers",
        (groups.BUILD, groups.CONFIG, *groups.DEVICE, *logs.LOGS, groups.EVENTS),
    ),
    "test": Action(
        "operations",
        "run an image that the device holds after its next reset, on trial",
        (
            groups.BUILD,
            groups.CONFIG,
            *groups.DEVICE,
            *logs.LOGS,
            groups.PERMANENT,
            groups.EVENTS,
        ),
        ("HASH", "the image's hash or its beginning (default: the one that does not run)"),
    ),
    "confirm": Action(
        "operations",
        "confirm the image that the device runs",
        (groups.BUILD, groups.CONFIG, *groups.DEVICE, *logs.LOGS, groups.EVENTS),
    ),
    "erase": Action(
        "operations",
        "empty the slot that the device does not run from",
        (groups.BUILD, groups.CONFIG, *groups.DEVICE, *logs.LOGS, groups.EVENTS),
    ),
    "reset": Action(
        "operations",
        "reboot the device and wait until it is back",
        (groups.BUILD, groups.CONFIG, *groups.DEVICE, *logs.LOGS, groups.EVENTS),
    ),
    "echo": Action(
        "operations",
        "send a text to the device and show what comes back",
        (groups.BUILD, groups.CONFIG, *groups.DEVICE, *logs.LOGS, groups.EVENTS),
        ("TEXT", "the text (default: hello)"),
    ),
    "completion": Action(
        "completion",
        "print a script that completes this command line in a shell",
        (),
        ("SHELL", "bash, zsh, fish or powershell"),
    ),
    "explain": Action(
        "explain",
        "a rule's documentation; without RULE, the catalogue",
        (),
        ("RULE", "code or name, for example KC150"),
    ),
}

# The job as a whole takes what its steps take.
_WHOLE_JOB = (
    groups.BUILD,
    groups.CONFIG,
    groups.CHECK,
    groups.RULES,
    groups.SIGN,
    groups.BASELINE,
    *groups.DEVICE,
    *logs.LOGS,
    groups.DEVICES,
    groups.ACTIVATE,
    groups.EVENTS,
    groups.REPORT,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add every option and action to `parser` (west's, or our own)."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.usage = f"{parser.prog} [-h] [OPTION ...] [ACTION ...]"
    parser.add_argument("--version", action="version", version=f"dfu-ble {__version__}")
    add_groups(parser, _WHOLE_JOB, without_default=())
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", prog=parser.prog
    )
    for name, action in ACTIONS.items():
        operand = f" [{action.operand[0]}]" if action.operand else ""
        options = " [OPTION ...]" if action.groups else ""
        sub = actions.add_parser(
            name,
            help=action.help,
            description=action.help,
            usage=f"{parser.prog} {name} [-h]{options}{operand}",
            allow_abbrev=False,
        )
        # What the top parser has not, has its default here.
        add_groups(sub, action.groups, without_default=_WHOLE_JOB)
        if action.operand:
            operand, text = action.operand
            sub.add_argument("operand", nargs="?", metavar=operand, help=text)


def foreign_option(args: argparse.Namespace) -> str | None:
    """Return an option that was given before an action that does not take it.

    The top parser takes the options of the whole job, whatever action follows.
    """
    if args.action is None:
        return None
    taken = {option.destination for option in _options(ACTIONS[args.action].groups)}
    for option in _options(_WHOLE_JOB):
        given = getattr(args, option.destination)
        if option.destination not in taken and given != option.kwargs.get("default"):
            return option.flags[-1]
    return None


def _options(groups: Sequence[Group]) -> Iterator[Option]:
    for group in groups:
        for options in group.values():
            yield from options


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `dfu-ble`; under west it is west's own."""
    parser = argparse.ArgumentParser(prog="dfu-ble", description=DESCRIPTION, allow_abbrev=False)
    add_arguments(parser)
    return parser
