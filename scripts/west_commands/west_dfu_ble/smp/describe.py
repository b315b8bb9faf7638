# SPDX-License-Identifier: Apache-2.0
"""Frames in words, for a log: operation, group and command by name, and the payload's values.

Source of the names: Zephyr `include/zephyr/mgmt/mcumgr/mgmt/mgmt_defines.h` (`enum mcumgr_group_t`)
and `grp/*/*.h` (`*_MGMT_ID_*`).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..diagnostics import DfuBleError
from .errors import find_error
from .frames import HEADER_SIZE, READ, READ_RESPONSE, WRITE, WRITE_RESPONSE, Header
from .payload import decode_payload

_OPERATIONS = {
    READ: "read",
    READ_RESPONSE: "read response",
    WRITE: "write",
    WRITE_RESPONSE: "write response",
}
_GROUPS = {
    0: "os",
    1: "image",
    2: "statistics",
    3: "settings",
    4: "log",
    5: "crash",
    6: "split",
    7: "run",
    8: "fs",
    9: "shell",
    10: "enumeration",
    63: "zephyr",
}
_COMMANDS = {
    (0, 0): "echo",
    (0, 1): "console echo control",
    (0, 2): "task statistics",
    (0, 3): "memory pool statistics",
    (0, 4): "date-time",
    (0, 5): "reset",
    (0, 6): "mcumgr parameters",
    (0, 7): "info",
    (0, 8): "bootloader info",
    (1, 0): "state",
    (1, 1): "upload",
    (1, 2): "file",
    (1, 3): "corelist",
    (1, 4): "coreload",
    (1, 5): "erase",
    (1, 6): "slot info",
}
# Bytes shown in full are those of a hash; anything longer is an image's, and only counted.
_LONGEST_BYTES, _LONGEST_TEXT, _LONGEST_PAYLOAD = 64, 64, 1000


def describe_frame(header: Header, payload: bytes) -> str:
    """Return a frame in one line: ``write image upload seq 3 v2 490 bytes off=0 data=<460>``.

    The length is that of the whole frame in bytes. Nothing in the payload is trusted: what a device
    sends can't break the line, or the terminal that shows it.
    """
    operation = _OPERATIONS.get(header.operation, f"operation {header.operation}")
    group = _GROUPS.get(header.group, f"group {header.group}")
    command = _COMMANDS.get((header.group, header.command), f"command {header.command}")
    version = f"v{header.version + 1}"
    head = f"{operation} {group} {command} seq {header.sequence} {version}"
    length = f"{HEADER_SIZE + len(payload)} bytes"
    if header.length != len(payload):
        length += f" (the header says {HEADER_SIZE + header.length})"
    return f"{head} {length} {describe_payload(payload)}".rstrip()


def describe_payload(payload: bytes) -> str:
    """Return the values of a CBOR map as ``key=value``, an error by its name."""
    try:
        values = decode_payload(payload)
        error = find_error(values)
    except DfuBleError as bad:
        return f"[{bad.diagnostic.message}] {payload[:16].hex(' ')}".rstrip()
    shown = [_pair(key, value) for key, value in values.items()]
    if error is not None:
        shown.append(f"({error.name})")
    text = " ".join(shown)[: _LONGEST_PAYLOAD + 1]
    if len(text) > _LONGEST_PAYLOAD:
        text = text[:_LONGEST_PAYLOAD] + "..."
    return "".join(c if c.isprintable() else "?" for c in text)


def _pair(key: str, value: object) -> str:
    return f"{key}={_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= _LONGEST_BYTES else f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return "{" + " ".join(_pair(str(key), item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= _LONGEST_TEXT else f"<{len(value)} characters>"
    return str(value)
