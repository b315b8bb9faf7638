# SPDX-License-Identifier: Apache-2.0
"""Change the entries behind an image's firmware that neither hash nor signature are over."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from .model import McubootImage
from .tlv import UNPROTECTED_MAGIC

_PAIR = struct.Struct("<HH")

Entry = tuple[int, bytes]
"""An entry's type and value."""


def open_entries(image: McubootImage) -> list[Entry]:
    """Return the entries that may change without the signature becoming wrong."""
    return [(entry.type, entry.value) for entry in image.tlvs if not entry.protected]


def with_entries(
    image: McubootImage, entries: Iterable[Entry], payload: bytes | None = None
) -> bytes:
    """Return the image with these entries, and this payload of the same length, for its own.

    A padded image keeps its length: what stands at the end of the slot stays there.
    """
    body = b"".join(_PAIR.pack(kind, len(value)) + value for kind, value in entries)
    area = _PAIR.pack(UNPROTECTED_MAGIC, _PAIR.size + len(body)) + body
    end = image.header_size + image.payload_size
    firmware = image.payload if payload is None else payload
    made = image.data[: image.header_size] + firmware
    made += image.data[end : end + image.protected_size] + area
    padding = image.data[image.size :]
    missing = len(image.data) - len(padding) - len(made)
    return made + padding[:1] * max(missing, 0) + padding[max(-missing, 0) :]
