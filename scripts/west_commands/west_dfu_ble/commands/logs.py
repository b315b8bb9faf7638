# SPDX-License-Identifier: Apache-2.0
"""The logs that `--verbose`, `--log-file` and `--hci-log` ask for: open from first use to the end.

They are written as things happen, so that they tell of a run that was killed too; a log that
can't be written any more does not stop an update.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from ..diagnostics import DfuBleError
from ..faults import fault
from ..link import Link, require_hci
from ..report.console import Console
from ..report.output import BinaryOutput, Output

if TYPE_CHECKING:
    from typing import BinaryIO


def frames_on_terminal(args: argparse.Namespace) -> bool:
    """Whether frames are told on standard error, among which a progress bar has no place."""
    return bool(args.log_frames)


class Logs(AbstractContextManager["Logs"]):
    """The logs of one run."""

    def __init__(self, args: argparse.Namespace, console: Console) -> None:
        """Begin to count the seconds; files are opened when the first of them is needed."""
        self._args = args
        self._console = console
        self._began = time.monotonic()
        self._files: list[IO[Any]] = []
        self._outputs: list[tuple[Path, Output | BinaryOutput]] = []
        self._frames: Output | None = None

    def packets(self, link: str) -> BinaryIO | None:
        """Open the file for the HCI packets of `link`; `None` if there is to be none.

        Raises `DfuBleError` LK408 for a link whose packets this tool never sees, EN008 if the file
        can't be written.
        """
        path: Path | None = self._args.hci_log
        if path is None:
            return None
        require_hci(link)
        # Keys of a pairing pass this way, so that nobody else is to read the file.
        output = BinaryOutput(cast("IO[bytes]", self._open(path, "wb", 0o600)))
        self._outputs.append((path, output))
        return cast("BinaryIO", output)

    def frames(self, link: Link, name: str = "") -> Link:
        """Return the link that tells of its frames, or the same if nobody asked for that.

        `name` begins each line where there are several devices. Raises `DfuBleError` EN008.
        """
        if not (self._args.log_frames or self._args.log_file):
            return link
        from ..update.logged_link import LoggedLink

        if self._args.log_file and self._frames is None:
            file = self._open(self._args.log_file, "w", 0o666)
            self._frames = Output(cast("TextIO", file))
            self._outputs.append((self._args.log_file, self._frames))
        prefix = f"{name}  " if name else ""

        def tell(line: str) -> None:
            if self._frames is not None:
                self._frames.write(f"{prefix}{line}\n")
                self._frames.flush()
            if self._args.log_frames:
                self._console.note(prefix + line)

        return LoggedLink(link, tell, lambda: time.monotonic() - self._began)

    def _open(self, path: Path, mode: str, permissions: int) -> IO[Any]:
        def opener(name: str, flags: int) -> int:
            return os.open(name, flags, permissions)

        binary = "b" in mode
        options: dict[str, Any] = {"buffering": 0} if binary else {"encoding": "utf-8"}
        try:
            file = open(path, mode, opener=opener, **options)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise log_fault(path, error) from error
        self._files.append(file)
        return file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files, and say of each that could not be written to its end."""
        for path, output in self._outputs:
            output.flush()
            if output.failure is not None:
                self._console.error(log_fault(path, output.failure).diagnostic)
        for file in self._files:
            with suppress(OSError):  # what is left to write was lost before, and said so
                file.close()


def log_fault(path: Path, error: OSError) -> DfuBleError:
    """Make the error EN008 for a log that can't be written."""
    return fault(
        "EN008",
        f"the log can't be written: {error.strerror}",
        location=path,
        helps=["name a file in a folder that exists, can be written and has room"],
    )
