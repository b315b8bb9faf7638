# SPDX-License-Identifier: Apache-2.0
"""Read an unsigned binary, plain or as Intel HEX."""

from __future__ import annotations

import io
from pathlib import Path

from ..diagnostics import DfuBleError
from ..faults import fault

_LARGEST_SPAN = 64 * 1024 * 1024
_LARGEST_FILE = 256 * 1024 * 1024


def read_binary(path: Path) -> bytes:
    """Return the bytes of a `.bin` or `.hex` file; gaps in a hex file are filled as erased flash.

    Raises `DfuBleError` IM316 if it can't be read, is empty, or makes no sense.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise senseless(path, f"can't be read: {reason}") from None
    if len(data) > _LARGEST_FILE:
        raise senseless(path, f"has more than {_LARGEST_FILE} bytes")
    if path.suffix.lower() == ".hex":
        data = _from_hex(data, path)
    if not data:
        raise senseless(path, "is empty")
    return data


def _from_hex(data: bytes, path: Path) -> bytes:
    """Return the bytes that a hex file describes, gaps filled as erased flash."""
    # imgtool depends on intelhex and reads hex files with it too.
    from intelhex import IntelHex, IntelHexError

    try:
        parsed = IntelHex(io.StringIO(data.decode("ascii")))
    except UnicodeDecodeError:
        raise senseless(path, "is no Intel HEX file") from None
    except IntelHexError as error:
        text = str(error)
        raise senseless(path, f"is no sound Intel HEX file: {text[:1].lower()}{text[1:]}") from None
    if not len(parsed):
        return b""
    first, last = parsed.minaddr(), parsed.maxaddr()
    if last - first >= _LARGEST_SPAN:
        raise senseless(path, f"spans {last - first + 1} bytes, from 0x{first:x} to 0x{last:x}")
    parsed.padding = 0xFF
    return bytes(parsed.tobinarray())


def senseless(path: Path, what: str) -> DfuBleError:
    """Return the error IM316; `what` goes on after the file's name."""
    return fault("IM316", f"`{path.name}` {what}", location=path, helps=["build it again"])
