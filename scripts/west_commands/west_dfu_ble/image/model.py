# SPDX-License-Identifier: Apache-2.0
"""An MCUboot image as it stands in a file: header, TLVs, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, eq=True)
class ImageVersion:
    """MCUboot's version; `build` takes part in comparisons only where the bootloader says so."""

    major: int
    minor: int
    revision: int
    build: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.revision}+{self.build}"

    def __lt__(self, other: ImageVersion) -> bool:
        return (self.major, self.minor, self.revision, self.build) < (
            other.major,
            other.minor,
            other.revision,
            other.build,
        )

    @property
    def without_build(self) -> ImageVersion:
        """The same version with build number 0: what MCUboot compares by default."""
        return ImageVersion(self.major, self.minor, self.revision)


@dataclass(frozen=True)
class Tlv:
    """One type-length-value entry behind the payload; `offset` is the value's place in the file."""

    type: int
    value: bytes
    protected: bool
    offset: int


@dataclass(frozen=True)
class McubootImage:
    """A parsed image. Sizes and offsets in bytes.

    `size` is the image's own length (header, payload, TLVs), at most `len(data)`: a padded file
    is longer. `digest` is the value of the hash TLV, the identity that MCUmgr works with, and
    `digest_bits` 256, 384 or 512; `b""` and 0 if there is none. Nothing here has been verified:
    see `image.verify`.
    """

    data: bytes
    header_size: int
    payload_size: int
    protected_size: int
    flags: int
    load_address: int
    version: ImageVersion
    tlvs: tuple[Tlv, ...]
    size: int
    digest: bytes
    digest_bits: int

    @property
    def payload(self) -> bytes:
        """The firmware between header and TLVs."""
        return self.data[self.header_size : self.header_size + self.payload_size]

    @property
    def is_rom_fixed(self) -> bool:
        """Whether the header declares the slot that the image is linked for (flag 0x100)."""
        return bool(self.flags & 0x100)

    @property
    def is_encrypted(self) -> bool:
        """Whether the payload is encrypted (flag 0x04 or 0x08)."""
        return bool(self.flags & 0x0C)

    @property
    def is_compressed(self) -> bool:
        """Whether the payload is compressed (flags 0x200 and 0x400)."""
        return bool(self.flags & 0x600)

    def tlv(self, *types: int) -> Tlv | None:
        """Return the first TLV of one of `types`, or `None`."""
        return next((t for t in self.tlvs if t.type in types), None)
