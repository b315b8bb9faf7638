# SPDX-License-Identifier: Apache-2.0
"""Read an MCUboot image: strict about every size, tolerant of padding and of unknown entries.

Layout: MCUboot `boot/bootutil/include/bootutil/image.h`; numbers are little-endian.
"""

from __future__ import annotations

import struct
from pathlib import Path

from ..diagnostics import DfuBleError
from ..faults import fault
from .model import ImageVersion, McubootImage, Tlv
from .tlv import HASH_BITS, PROTECTED_MAGIC, UNPROTECTED_MAGIC

MAGIC = 0x96F3B83D
HEADER_LENGTH = 32
_HEADER = struct.Struct("<IIHHIIBBHI4x")
_AREA = struct.Struct("<HH")
_LARGEST_FILE = 128 * 1024 * 1024

# What people pass instead of an image, told from how the file begins.
_OTHER_FORMATS = (
    (b"\x7fELF", "an ELF file", "sign the build; the image is the signed `.bin`"),
    (b"PK\x03\x04", "a zip file", "if it is a package, give it with `--package`"),
    (b":", "an Intel HEX file", "give the signed `.bin`; a hex file is for a programmer"),
)


def read(path: Path) -> McubootImage:
    """Read the image in a file.

    Raises `DfuBleError` IM305 if the file can't be read or is no MCUboot image.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise fault(
            "IM305",
            f"the file can't be read: {reason}",
            why="An image is wanted here: a signed `.bin`, or a package of them.",
            location=path,
            helps=["give the path of one that this user may read; `dfu-ble sign` makes them"],
        ) from None
    if len(data) > _LARGEST_FILE:
        raise fault(
            "IM305", f"the file has more than {_LARGEST_FILE} bytes, as no slot has", location=path
        )
    return parse(data, path)


def parse(data: bytes, path: Path) -> McubootImage:
    """Take the image apart that `data` holds; `path` is where it came from, for diagnostics.

    Bytes behind the image (a slot's padding and trailer) are kept in `data` and not looked at.
    Raises `DfuBleError` IM305 if header, sizes and entries don't make an image.
    """
    if len(data) < HEADER_LENGTH:
        raise _broken(f"the file has {len(data)} bytes, an image's header alone has 32", path)
    magic, load, header_size, protected_size, payload_size, flags, *version = _HEADER.unpack(
        data[: _HEADER.size]
    )
    if magic != MAGIC:
        raise _no_image(data, magic, path)
    if header_size < HEADER_LENGTH:
        raise _broken(f"the header says that it has {header_size} bytes, less than 32", path)
    if payload_size == 0:
        raise _broken("the header says that there is no firmware behind it", path)
    end_of_payload = header_size + payload_size
    if end_of_payload + _AREA.size > len(data):
        raise _broken(
            f"the image is cut off: header and firmware have {end_of_payload} bytes and entries "
            f"behind them, the file has {len(data)}",
            path,
        )
    tlvs, size = _entries(data, end_of_payload, protected_size, path)
    digest = next((t for t in tlvs if t.type in HASH_BITS), None)
    return McubootImage(
        data=data,
        header_size=header_size,
        payload_size=payload_size,
        protected_size=protected_size,
        flags=flags,
        load_address=load,
        version=ImageVersion(*version),
        tlvs=tlvs,
        size=size,
        digest=digest.value if digest else b"",
        digest_bits=HASH_BITS[digest.type] if digest else 0,
    )


def _entries(
    data: bytes, offset: int, protected_size: int, path: Path
) -> tuple[tuple[Tlv, ...], int]:
    """Read the protected area, if the header says there is one, and the other behind it."""
    magic = int.from_bytes(data[offset : offset + 2], "little")
    if (magic == PROTECTED_MAGIC) != (protected_size > 0):
        raise _broken(
            f"the header says that the protected entries have {protected_size} bytes, "
            f"the area behind the firmware begins with 0x{magic:04x}",
            path,
        )
    entries: tuple[Tlv, ...] = ()
    if protected_size:
        entries, end = _area(data, offset, PROTECTED_MAGIC, path)
        if end - offset != protected_size:
            raise _broken(
                f"the protected entries have {end - offset} bytes, the header says "
                f"{protected_size}",
                path,
            )
        offset = end
    rest, end = _area(data, offset, UNPROTECTED_MAGIC, path)
    return entries + rest, end


def _area(data: bytes, offset: int, expected: int, path: Path) -> tuple[tuple[Tlv, ...], int]:
    """Read one area of entries; return them and the offset behind it."""
    if offset + _AREA.size > len(data):
        raise _broken(f"the image is cut off at offset 0x{offset:x}, where entries begin", path)
    magic, total = _AREA.unpack_from(data, offset)
    if magic != expected:
        raise _broken(
            f"the entries at offset 0x{offset:x} begin with 0x{magic:04x}, not 0x{expected:04x}",
            path,
        )
    end = offset + total
    if total < _AREA.size or end > len(data):
        raise _broken(
            f"the entries at offset 0x{offset:x} claim {total} bytes, "
            f"the file has {len(data) - offset} left",
            path,
        )
    entries = []
    offset += _AREA.size
    while offset < end:
        if offset + _AREA.size > end:
            raise _broken(f"the entries end in the middle of one, at offset 0x{offset:x}", path)
        kind, length = _AREA.unpack_from(data, offset)
        offset += _AREA.size
        if offset + length > end:
            raise _broken(
                f"the entry of type 0x{kind:02x} at offset 0x{offset - _AREA.size:x} claims "
                f"{length} bytes, its area has {end - offset} left",
                path,
            )
        if kind in HASH_BITS and length * 8 != HASH_BITS[kind]:
            raise _broken(f"the SHA-{HASH_BITS[kind]} entry has {length} bytes", path)
        value = bytes(data[offset : offset + length])
        entries.append(Tlv(kind, value, expected == PROTECTED_MAGIC, offset))
        offset += length
    return tuple(entries), end


def _no_image(data: bytes, magic: int, path: Path) -> DfuBleError:
    for start, what, cure in _OTHER_FORMATS:
        if data.startswith(start):
            return fault("IM305", f"the file is {what}, not an image", location=path, helps=[cure])
    return fault(
        "IM305",
        f"the file begins with 0x{magic:08x}, an MCUboot image with 0x{MAGIC:08x}",
        location=path,
        helps=["if it is an unsigned binary, sign the build and give the signed one"],
    )


def _broken(message: str, path: Path) -> DfuBleError:
    return fault(
        "IM305", message, location=path, helps=["make or download the file again: it is damaged"]
    )
