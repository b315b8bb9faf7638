# SPDX-License-Identifier: Apache-2.0
"""A program in a pseudo-terminal, as somebody at a keyboard has it; POSIX systems alone."""

from __future__ import annotations

import os
import select
import signal
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Terminal:
    """Runs a program in a terminal of a size; `seen` is everything that it wrote so far."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 100,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start it."""
        import fcntl
        import pty
        import termios

        ready, go = os.pipe()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.read(ready, 1)  # the terminal has its size by then
            if cwd is not None:
                os.chdir(cwd)
            os.execvpe(command[0], list(command), {**os.environ, **(environment or {})})
        size = struct.pack("HHHH", 50, columns, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)
        os.write(go, b"x")
        os.close(ready)
        os.close(go)
        self.seen = b""

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._terminal, text.encode())

    def wait_for(self, text: str, seconds: float = 20.0) -> bool:
        """Read until `text` was written; whether it was."""
        end = time.monotonic() + seconds
        while text.encode() not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                return text.encode() in self.seen
        return True

    def run(self, seconds: float = 100.0) -> int:
        """Read until the program ends, and return its exit status."""
        end = time.monotonic() + seconds
        while self._read(max(end - time.monotonic(), 0)):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def _read(self, seconds: float) -> bool:
        readable, _, _ = select.select([self._terminal], [], [], seconds)
        if not readable:
            return False
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.seen += data
        return bool(data)
