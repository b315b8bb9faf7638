# SPDX-License-Identifier: Apache-2.0
"""The types of an image's type-length-value entries, and which of them are hashes and signatures.

Numbers: MCUboot `boot/bootutil/include/bootutil/image.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from ..builddir import SignatureType

UNPROTECTED_MAGIC, PROTECTED_MAGIC = 0x6907, 0x6908
"""What the two areas of entries begin with; hash and signature are over the protected one too."""


class TlvType(IntEnum):
    """What an entry holds; a number that is not here is the vendor's own or newer than this."""

    KEYHASH = 0x01
    PUBKEY = 0x02
    SHA256 = 0x10
    SHA384 = 0x11
    SHA512 = 0x12
    RSA2048 = 0x20
    ECDSA = 0x22
    RSA3072 = 0x23
    ED25519 = 0x24
    SIG_PURE = 0x25
    ENC_RSA2048 = 0x30
    ENC_AES_KW = 0x31
    ENC_EC256 = 0x32
    ENC_X25519 = 0x33
    ENC_X25519_SHA512 = 0x34
    DEPENDENCY = 0x40
    SECURITY_COUNTER = 0x50
    BOOT_RECORD = 0x60
    DECOMPRESSED_SIZE = 0x70
    DECOMPRESSED_HASH = 0x71
    DECOMPRESSED_SIGNATURE = 0x72
    COMPRESSED_DECRYPTED_SIZE = 0x73
    UUID_VENDOR = 0x74
    UUID_CLASS = 0x75
    MANIFEST = 0x76


HASH_BITS: Mapping[int, int] = {TlvType.SHA256: 256, TlvType.SHA384: 384, TlvType.SHA512: 512}
"""The entries that hold the image's hash, and the length of each in bits."""

SIGNATURES = frozenset({TlvType.RSA2048, TlvType.ECDSA, TlvType.RSA3072, TlvType.ED25519})
"""The entries that hold a signature."""

WRAPPED_KEYS: Mapping[int, str] = {
    TlvType.ENC_RSA2048: "RSA-OAEP",
    TlvType.ENC_AES_KW: "AES-KW",
    TlvType.ENC_EC256: "ECIES-P256",
    TlvType.ENC_X25519: "ECIES-X25519",
    TlvType.ENC_X25519_SHA512: "ECIES-X25519 with SHA-512",
}
"""The entries that hold an encrypted image's key, and how it was wrapped for the device."""

SIGNATURE_TLV: Mapping[SignatureType, TlvType] = {
    SignatureType.RSA_2048: TlvType.RSA2048,
    SignatureType.RSA_3072: TlvType.RSA3072,
    SignatureType.ECDSA_P256: TlvType.ECDSA,
    SignatureType.ECDSA_P384: TlvType.ECDSA,
    SignatureType.ED25519: TlvType.ED25519,
}
"""Which entry holds the signature of which key."""


def name(tlv_type: int) -> str:
    """Return the type's name, or its number where it has none."""
    try:
        return TlvType(tlv_type).name
    except ValueError:
        return f"0x{tlv_type:02x}"
