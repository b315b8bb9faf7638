# SPDX-License-Identifier: Apache-2.0
"""SMP frames as a Zephyr server reads and writes them, byte for byte.

Written apart from `west_dfu_ble.smp` on purpose: a device that shared the client's codec would
share its mistakes. Zephyr (zcbor) writes maps and lists of indefinite length.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2

HEADER_SIZE = 8
READ, WRITE = 0, 2


class MalformedPayload(Exception):
    """The payload is no CBOR map, or a value in it is of the wrong type."""


@dataclass(frozen=True)
class RequestHeader:
    """The eight bytes in front of a request; `length` in bytes counts what follows them."""

    op: int
    version: int
    length: int
    group: int
    sequence: int
    command: int


def decode_header(data: bytes) -> RequestHeader:
    """Decode a header out of at least eight bytes."""
    first, _flags, length, group, sequence, command = struct.unpack_from(">BBHHBB", data)
    return RequestHeader(first & 7, first >> 3 & 3, length, group, sequence, command)


def encode_response(request: RequestHeader, payload: bytes, *, version_2: bool = True) -> bytes:
    """Put the header of an answer in front of `payload`.

    Zephyr answers every op but READ as a WRITE, and versions from the future as SMP v2.
    """
    op = 1 if request.op == READ else 3
    version = min(request.version, 1) if version_2 else 0
    return (
        struct.pack(
            ">BBHHBB",
            version << 3 | op,
            0,
            len(payload),
            request.group,
            request.sequence,
            request.command,
        )
        + payload
    )


def encode_map(value: Mapping[str, Any]) -> bytes:
    """Encode a map the way zcbor does."""
    return _encode(value)


def _encode(value: Any) -> bytes:
    if isinstance(value, Mapping):
        inner = b"".join(cbor2.dumps(key) + _encode(item) for key, item in value.items())
        return b"\xbf" + inner + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(_encode(item) for item in value) + b"\xff"
    encoded: bytes = cbor2.dumps(value)
    return encoded


class Arguments:
    """The map of a request, read as `zcbor_map_decode_bulk` does: unknown keys do not matter."""

    def __init__(self, payload: bytes) -> None:
        """Decode the payload; what follows the map is not looked at.

        Raises `MalformedPayload` for anything but a map.
        """
        try:
            value = cbor2.CBORDecoder(io.BytesIO(payload)).decode()
        except Exception as error:  # hostile bytes fail in many ways, all the same to the caller
            raise MalformedPayload(str(error)) from error
        if not isinstance(value, Mapping):
            raise MalformedPayload("not a map")
        self._values = value

    def text(self, key: str) -> str | None:
        """Return a text, or `None` if it is not there."""
        value: str | None = self._get(key, str)
        return value

    def data(self, key: str) -> bytes | None:
        """Return a byte string, or `None` if it is not there."""
        value: bytes | None = self._get(key, bytes)
        return value

    def flag(self, key: str) -> bool:
        """Return a truth value; false if it is not there."""
        return bool(self._get(key, bool))

    def unsigned(self, key: str) -> int | None:
        """Return a number from 0 to 2**32 - 1, or `None` if it is not there."""
        value: int | None = self._get(key, int)
        if value is not None and not 0 <= value < 1 << 32:
            raise MalformedPayload(f"{key} is out of range")
        return value

    def _get(self, key: str, kind: type) -> Any:
        value = self._values.get(key)
        if key not in self._values:
            return None
        if type(value) is not kind:
            raise MalformedPayload(f"{key} is of the wrong type")
        return value
