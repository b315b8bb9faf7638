# SPDX-License-Identifier: Apache-2.0
"""A real signed image as another version of itself."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from west_dfu_ble import image

_DIGEST_TLV = struct.pack("<HH", 0x10, 32)
_MAJOR_VERSION = 20


def reversioned(path: Path, major: int, *, spoil: bool = False) -> bytes:
    """Give an image without a signature another version, and the digest that goes with it.

    With `spoil` its last byte is another one than the digest was made of.
    """
    original = image.read(path)
    data = bytearray(original.data[: original.size])
    data[_MAJOR_VERSION] = major
    end = original.header_size + original.payload_size + original.protected_size
    at = data.index(_DIGEST_TLV, end) + 4
    data[at : at + 32] = hashlib.sha256(data[:end]).digest()
    if spoil:
        data[end - 1] ^= 1
    return bytes(data)
