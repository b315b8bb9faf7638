# SPDX-License-Identifier: Apache-2.0
"""The command line: parser, dispatch, and the only place that ends the process.

`west dfu-ble` (through the shim), `python -m west_dfu_ble` and `dfu-ble` all come in here.
Exit statuses are those of `diagnostics.ExitStatus`; 1 is never returned.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from . import __version__, log_options, options
from .diagnostics import DfuBleError, ExitStatus
from .forward_options import FORWARD
from .report.console import Console
from .signing_options import SIGN_FILES

DESCRIPTION = """\
Verify a finished build, sign its update images, upload the right one to a device over Bluetooth LE,
and prove that the device runs it.

Without an action the whole job is done: check, sign, upload, test, reset, wait for the device,
verify the hash of what it runs, confirm.
"""

EPILOG = """\
exit status: 0 done; 2 usage; 3 findings; 4 could not decide (no build directory, unreadable input);
5 signing or verification of an image failed; 6 no link, nothing was changed on the device;
7 the device refused or is not in the state asked for; 130 interrupted.
"""


@dataclass(frozen=True)
class Action:
    """One action: where it is done, what it says of itself, and the options it takes."""

    module: str
    help: str
    groups: Sequence[Mapping[str, Sequence[options.Option]]]
    operand: tuple[str, str] | None = None


ACTIONS: Mapping[str, Action] = {
    "check": Action(
        "check",
        "verify the build; nothing is written, no radio",
        (
            options.BUILD,
            options.MANY,
            options.CONFIG,
            options.CHECK,
            options.RULES,
            options.BASELINE,
            options.FIX,
            options.FORMAT,
        ),
    ),
    "sign": Action(
        "sign",
        "write the signed update images and the package",
        (options.BUILD, options.SIGN, options.BASELINE, SIGN_FILES, options.EVENTS),
    ),
    "image": Action(
        "image",
        "show what stands in an image or a package, and whether it fits the build",
        (options.BUILD, options.EVENTS),
        ("FILE", "a signed .bin or a dfu_application.zip"),
    ),
    "upload": Action(
        "upload",
        "upload an image and, unless told otherwise, activate and verify it",
        (
            options.BUILD,
            options.CONFIG,
            options.FILES,
            options.DEVICE,
            *log_options.LOGS,
            options.DEVICES,
            options.ACTIVATE,
            options.EVENTS,
            options.REPORT,
        ),
    ),
    "rehearse": Action(
        "rehearse",
        "the whole update against a virtual device made from this build",
        (
            options.BUILD,
            options.CONFIG,
            options.SIGN,
            options.BASELINE,
            options.DEVICE,
            *log_options.LOGS,
            options.ACTIVATE,
            options.FAULTS,
            options.EVENTS,
            options.REPORT,
        ),
    ),
    "device": Action(
        "serve",
        "serve a virtual device, or a real server behind --forward, for other tools to update, "
        "until Ctrl-C",
        (
            options.BUILD,
            options.CONFIG,
            options.DEVICE,
            log_options.PACKETS,
            options.SERVE,
            FORWARD,
        ),
    ),
    "scan": Action(
        "operations",
        "list the devices in range",
        (options.CONFIG, options.DEVICE, options.EVENTS),
    ),
    "status": Action(
        "operations",
        "show the device's images, slots, mode and buffers",
        (options.BUILD, options.CONFIG, options.DEVICE, *log_options.LOGS, options.EVENTS),
    ),
    "test": Action(
        "operations",
        "run an image that the device holds after its next reset, on trial",
        (
            options.BUILD,
            options.CONFIG,
            options.DEVICE,
            *log_options.LOGS,
            options.PERMANENT,
            options.EVENTS,
        ),
        ("HASH", "the image's hash or its beginning (default: the one that does not run)"),
    ),
    "confirm": Action(
        "operations",
        "confirm the image that the device runs",
        (options.BUILD, options.CONFIG, options.DEVICE, *log_options.LOGS, options.EVENTS),
    ),
    "erase": Action(
        "operations",
        "empty the slot that the device does not run from",
        (options.BUILD, options.CONFIG, options.DEVICE, *log_options.LOGS, options.EVENTS),
    ),
    "reset": Action(
        "operations",
        "reboot the device and wait until it is back",
        (options.BUILD, options.CONFIG, options.DEVICE, *log_options.LOGS, options.EVENTS),
    ),
    "echo": Action(
        "operations",
        "send a text to the device and show what comes back",
        (options.BUILD, options.CONFIG, options.DEVICE, *log_options.LOGS, options.EVENTS),
        ("TEXT", "the text (default: hello)"),
    ),
    "explain": Action(
        "explain",
        "a rule's documentation; without RULE, the catalogue",
        (),
        ("RULE", "code or name, for example KC150"),
    ),
}

# Actions that have no other result than what they write.
_TELLING = ("check", "explain", "image")

# The job as a whole takes what its steps take.
_WHOLE_JOB = (
    options.BUILD,
    options.CONFIG,
    options.CHECK,
    options.RULES,
    options.SIGN,
    options.BASELINE,
    options.DEVICE,
    *log_options.LOGS,
    options.DEVICES,
    options.ACTIVATE,
    options.EVENTS,
    options.REPORT,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add every option and action to `parser` (west's, or our own)."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("--version", action="version", version=f"dfu-ble {__version__}")
    options.add_groups(parser, _WHOLE_JOB, with_default=True)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, action in ACTIONS.items():
        sub = actions.add_parser(
            name, help=action.help, description=action.help, allow_abbrev=False
        )
        # What the top parser has not, has its default here.
        for group in action.groups:
            options.add_groups(sub, [group], with_default=group not in _WHOLE_JOB)
        if action.operand:
            operand, text = action.operand
            sub.add_argument("operand", nargs="?", metavar=operand, help=text)


def run(args: argparse.Namespace) -> int:
    """Do what the parsed arguments ask for and return the exit status.

    Expected errors are printed, one diagnostic each; only a bug of ours leaves as an exception.
    """
    console = Console.for_process()
    module = ACTIONS[args.action].module if args.action else "update"
    try:
        command = import_module(f".commands.{module}", __package__)
        status = ExitStatus(command.execute(args, console))
    except DfuBleError as error:
        console.error(error.diagnostic)
        status = error.status
    except KeyboardInterrupt:
        console.note("interrupted")
        status = ExitStatus.INTERRUPTED
    except ModuleNotFoundError:
        raise  # of a package that is not installed; the west command knows the remedy there
    except Exception:
        console.note(_bug_report())
        status = ExitStatus.UNDECIDED
    return int(_after_output(console, module, status))


def _after_output(console: Console, module: str, status: ExitStatus) -> ExitStatus:
    """Say if the result could not be written; what was done on a device stays what it is."""
    console.out.flush()
    failure = console.out.failure
    if failure is None or isinstance(failure, BrokenPipeError):
        return status  # `| head` has seen what it wanted
    console.note(f"standard output can't be written: {failure.strerror}")
    lost = status is ExitStatus.DONE and module in _TELLING
    return ExitStatus.UNDECIDED if lost else status


def _bug_report() -> str:
    """Save the traceback of the exception at hand, and say in a line where it is."""
    import platform
    import tempfile
    import traceback

    versions = f"dfu-ble {__version__}, Python {platform.python_version()}, {platform.platform()}"
    with tempfile.NamedTemporaryFile(
        "w", prefix="dfu-ble-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{versions}\n{traceback.format_exc()}")
    return f"this is a bug in dfu-ble ({versions}); please report it with the file {file.name}"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv` (default: the process's arguments), run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="dfu-ble", description=DESCRIPTION, allow_abbrev=False)
    add_arguments(parser)
    return run(parser.parse_args(argv))
