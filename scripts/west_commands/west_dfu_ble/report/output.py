# SPDX-License-Identifier: Apache-2.0
"""An output stream that may break without breaking the work whose progress it shows."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import IO, TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Output(io.TextIOBase):
    """Writes to `stream` until that fails; `failure` is what it failed with.

    Whoever reads may go away (`| head`), a disk may be full, and the stream may be closed from the
    beginning (`None`). An update must not stop for that with the device on trial.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """Take over the process's stream."""
        self.failure: OSError | None = None
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            # A file name may be no valid text, and a Windows console may lack a character of ours.
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write `text`, or nothing if the stream has failed."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError) as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        with suppress(ValueError):
            return self._stream is not None and self._stream.isatty()
        return False

    @property
    def columns(self) -> int | None:
        """How wide the terminal is that shows it: ``COLUMNS``, or what it says; else `None`."""
        if not self.isatty():
            return None
        given = os.environ.get("COLUMNS", "")
        if given.isdecimal() and int(given) > 0:
            return int(given)
        with suppress(OSError, ValueError):
            assert self._stream is not None
            return os.get_terminal_size(self._stream.fileno()).columns or None
        return None

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has it writable
        """The stream's encoding."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def _give_up(self, error: Exception) -> None:
        if isinstance(error, OSError):
            self.failure = error
        stream, self._stream = self._stream, None
        # Python flushes at exit: what is left in the buffer must not fail a second time.
        with suppress(Exception):
            assert stream is not None
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


class BinaryOutput(io.RawIOBase):
    """Writes bytes to `stream` until that fails, as `Output` does with text."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Take over a file that somebody else closes."""
        super().__init__()
        self.failure: OSError | None = None
        self._stream = stream

    def write(self, data: Buffer) -> int:
        """Write `data`, or nothing if the stream has failed."""
        size = memoryview(data).nbytes
        if self.failure is None:
            try:
                self._stream.write(data)
            except OSError as error:
                self.failure = error
        return size

    def flush(self) -> None:
        """Hand on what was written."""
        # Also called by the base class when it is thrown away, with the file closed by then.
        if self.failure is None and not self._stream.closed:
            try:
                self._stream.flush()
            except OSError as error:
                self.failure = error


# What progress is written to: the process's output, or a file of a test's.
Stream = TextIO | Output
