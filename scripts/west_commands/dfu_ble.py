# SPDX-License-Identifier: Apache-2.0
"""`west dfu-ble`: hands west's arguments to the package beside this file.

Standard library and west only, and readable by Python 3.8, which toolchains of nRF Connect SDK up
to 2.6 bring: too old for the package, but its users deserve an answer instead of a traceback.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from west.commands import WestCommand

HERE = Path(__file__).resolve().parent


def stop(message: str) -> NoReturn:
    """Say in one line why nothing could be decided, and end with the exit status for that."""
    print("west dfu-ble: " + message, file=sys.stderr)
    sys.exit(4)


class DfuBle(WestCommand):
    """The command as west knows it; its one-line help stands in west-commands.yml."""

    def __init__(self) -> None:
        super().__init__("dfu-ble", "", "verify, sign and update firmware over Bluetooth LE")

    def do_add_parser(self, parser_adder: Any) -> argparse.ArgumentParser:
        """Load the package, now that the command is wanted, and let it describe its arguments."""
        if sys.version_info < (3, 10):  # noqa: UP036 - the one file that an older Python reads
            stop(
                "needs Python 3.10 or newer, and this west runs on {}.{}; install dfu-ble into an "
                'environment of its own (pipx install --python python3.10 "{}") and call `dfu-ble` '
                "instead of `west dfu-ble`".format(*sys.version_info[:2], HERE.parents[1])
            )
        sys.path.insert(0, str(HERE))  # west only appends: an installed copy would win
        import west_dfu_ble

        if Path(str(west_dfu_ble.__file__)).resolve().parent != HERE / "west_dfu_ble":
            stop(f"the package was loaded from {west_dfu_ble.__file__}, not from {HERE}")
        from west_dfu_ble import cli

        self.run_arguments = cli.run
        parser = parser_adder.add_parser(self.name, description=cli.DESCRIPTION, allow_abbrev=False)
        cli.add_arguments(parser)
        return parser  # type: ignore[no-any-return] # west gives us its own parser class

    def do_run(self, args: argparse.Namespace, unknown: list[str]) -> NoReturn:
        """Do what the arguments ask for and end the process: west ignores what this returns."""
        try:
            sys.exit(self.run_arguments(args))
        except ModuleNotFoundError as error:
            if str(error.name).startswith("west_dfu_ble"):
                raise  # ours: a bug, and a traceback says where
            pip = f'"{sys.executable}" -m pip install -r "{HERE.parent / "requirements.txt"}"'
            stop(f"no Python package {error.name}: `west packages pip --install`, or `{pip}`")
