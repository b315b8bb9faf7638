# SPDX-License-Identifier: Apache-2.0
"""Read one text file of a build: whole, of bounded size, and text; or say what is wrong with it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from ..diagnostics import DfuBleError, Location
from ..faults import fault

# Files of a build are written by tools: every one of them ends in a line feed or a carriage return
# and line feed (Python and CMake on Windows).
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REBUILD = "build again (`west build --pristine`), or copy the whole build directory anew"


def read_text(path: Path, code: str, *, limit: int) -> str:
    """Return the text of `path` with a line feed at the end of each line.

    `limit` is the size in bytes above which the file is refused unread: what is so much larger
    than anything that a build writes is not that file. Raises `DfuBleError` with `code` (of the
    EN family) when the file is missing, is no plain file, can't be read, is too large, holds
    control characters (which would reach a terminal with the first message) or is not UTF-8.
    """
    try:
        # Before opening: a named pipe would make open() wait for ever.
        status = os.stat(path)  # noqa: PTH116 (a tenth of the time of Path.stat on a cold start)
        if not stat.S_ISREG(status.st_mode):
            raise unreadable(code, path, f"`{path.name}` is not a file")
        if status.st_size > limit:
            raise unreadable(
                code, path, f"`{path.name}` has {status.st_size} bytes, more than {limit}"
            )
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise unreadable(code, path, f"`{path.name}` is missing") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise unreadable(code, path, f"`{path.name}` can't be read: {reason}") from None
    control = _CONTROL.search(data)
    if control:
        line = data.count(b"\n", 0, control.start()) + 1
        what = f"it holds the byte {control[0][0]:#04x}"
        raise unreadable(code, path, f"`{path.name}` is not text: {what}", line)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise unreadable(
            code, path, f"`{path.name}` is not text: it holds a byte that is not UTF-8", line
        ) from None
    return text.replace("\r\n", "\n") if "\r" in text else text


def unreadable(
    code: str,
    path: Path,
    message: str,
    line: int | None = None,
    *,
    why: str = "",
    notes: Sequence[str] = (),
) -> DfuBleError:
    """Make the error for a file of the build that can't be read."""
    where = Location(path, line)
    return fault(code, message, why=why, location=where, notes=notes, helps=[_REBUILD])


def shorten(text: str, length: int = 48) -> str:
    """Return `text` fit for a message: printable, in one line, at most `length` characters."""
    clean = "".join(c if c.isprintable() else "\ufffd" for c in text[: length + 1].strip())
    return clean if len(clean) <= length else clean[: length - 1] + "…"
