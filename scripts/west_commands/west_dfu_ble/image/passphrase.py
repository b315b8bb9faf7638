# SPDX-License-Identifier: Apache-2.0
"""The passphrase of a locked key, from where a CI system puts secrets; never the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ..faults import fault

VARIABLE = "DFU_BLE_KEY_PASSPHRASE"
DESCRIPTOR = "DFU_BLE_KEY_PASSPHRASE_FD"
_LONGEST = 4096


def passphrase_from_environment(path: Path) -> str | None:
    """Return the passphrase of the key at `path`, or `None` if the environment has none.

    `DFU_BLE_KEY_PASSPHRASE` holds it, or `DFU_BLE_KEY_PASSPHRASE_FD` the number of an open file
    descriptor to read it from (up to its end, without the newline there). A descriptor is read
    once: ask once a run. Raises `DfuBleError` IM302 if the descriptor can't be read.
    """
    value = os.environ.get(VARIABLE)
    if value:
        return value
    descriptor = os.environ.get(DESCRIPTOR)
    if not descriptor:
        return None
    try:
        return _read(int(descriptor)).decode().rstrip("\r\n") or None
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "it is no open file descriptor with text"
        raise fault(
            "IM302",
            f"{DESCRIPTOR} is `{descriptor}`: {reason}",
            location=path,
            helps=[f"give the number of an open file descriptor, or use {VARIABLE}"],
        ) from None


def _read(descriptor: int) -> bytes:
    data = b""
    while len(data) < _LONGEST:
        more = os.read(descriptor, _LONGEST)
        if not more:
            break
        data += more
    return data
