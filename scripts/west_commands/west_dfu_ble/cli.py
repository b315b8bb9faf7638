# SPDX-License-Identifier: Apache-2.0
"""The command line: dispatch, and the only place that ends the process.

`west dfu-ble` (through the shim), `python -m west_dfu_ble` and `dfu-ble` all come in here.
Exit statuses are those of `diagnostics.ExitStatus`; 1 is never returned.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from . import __version__
from .diagnostics import DfuBleError, ExitStatus
from .faults import fault
from .options import ACTIONS, DESCRIPTION, EPILOG, add_arguments, foreign_option, make_parser
from .report.console import Console

__all__ = ["ACTIONS", "DESCRIPTION", "EPILOG", "add_arguments", "main", "run"]

# Actions that have no other result than what they write.
_TELLING = ("check", "completion", "explain", "image")


def run(args: argparse.Namespace) -> int:
    """Do what the parsed arguments ask for and return the exit status.

    Expected errors are printed, one diagnostic each; only a bug of ours leaves as an exception.
    """
    console = Console.for_process()
    module = ACTIONS[args.action].module if args.action else "update"
    try:
        _refuse_foreign(args)
        command = import_module(f".commands.{module}", __package__)
        with _terminated_as_interrupted():
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


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM (`timeout`, a CI job that is cancelled) do what Ctrl-C does: say where it ends.

    Raising the other signal, not an exception, is what lets asyncio wind up as it does for Ctrl-C.
    """
    try:
        before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    except ValueError:  # not the main thread: signals belong to whoever runs us in this one
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_foreign(args: argparse.Namespace) -> None:
    """Refuse what the action would take no notice of. Raises `DfuBleError` EN008."""
    option = foreign_option(args)
    if option is not None:
        raise fault(
            "EN008",
            f"`{args.action}` does not take {option}",
            why="An option without effect is a misunderstanding.",
            helps=[f"leave it out; `{args.action} --help` lists what there is"],
        )


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
    return run(make_parser().parse_args(argv))
