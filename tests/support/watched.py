# SPDX-License-Identifier: Apache-2.0
"""Watch, by Python's audit events, that a piece of code leaves the machine as it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What reading a build never does: write, delete, rename, link, run, connect, unpickle.
_FORBIDDEN = (
    "os.exec", "os.fork", "os.link", "os.mkdir", "os.posix_spawn", "os.putenv", "os.remove",
    "os.rename", "os.rmdir", "os.startfile", "os.symlink", "os.system", "os.truncate",
    "pickle.find_class", "shutil.copyfile", "shutil.move", "shutil.rmtree",
    "shutil.unpack_archive", "socket.bind", "socket.connect", "subprocess.Popen",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Watch:
    """The one hook of this process: Python can't take an audit hook away again."""

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.is_on:
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and path != os.devnull:
                self.seen.append(f"open for writing {path!r:.200}")


_watch: _Watch | None = None


@contextmanager
def nothing_done() -> Iterator[None]:
    """Fail if the code inside writes a file, starts a program, connects or unpickles."""
    global _watch
    _watch = _watch or _Watch()
    # A module that is imported for the first time would be compiled, and that written.
    compiles, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _watch.seen.clear()
    _watch.is_on = True
    try:
        yield
    finally:
        _watch.is_on = False
        sys.dont_write_bytecode = compiles
    assert not _watch.seen, _watch.seen
