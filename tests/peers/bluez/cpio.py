# SPDX-License-Identifier: Apache-2.0
"""An initial RAM filesystem, as the kernel wants it: a cpio archive of the kind `newc`.

The kernel unpacks several of them one after the other, so that what changes can be appended to
what does not. Format: `Documentation/driver-api/early-userspace/buffer-format.rst` in Linux.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_END = "TRAILER!!!"


def write_archive(folder: Path, archive: BinaryIO) -> None:
    """Write everything in `folder`, owned by root, in an order that is always the same."""
    number = 0
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files + folders):
            path = Path(parent, name)
            number += 1
            _write(archive, path.relative_to(folder).as_posix(), path, number)
    _entry(archive, _END, 0, 0, b"")
    archive.write(bytes(-archive.tell() % 512))


def _write(archive: BinaryIO, name: str, path: Path, number: int) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        data = os.fsencode(path.readlink())
    elif stat.S_ISREG(mode):
        data = path.read_bytes()
    else:
        data = b""
    _entry(archive, name, mode, number, data)


def _entry(archive: BinaryIO, name: str, mode: int, number: int, data: bytes) -> None:
    links = 2 if stat.S_ISDIR(mode) else 1
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    archive.write(header + bytes(-len(header) % 4))
    archive.write(data)
    archive.write(bytes(-len(data) % 4))
