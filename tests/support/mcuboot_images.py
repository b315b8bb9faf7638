# SPDX-License-Identifier: Apache-2.0
"""Small MCUboot images made by hand: quick, and exactly as a test wants them."""

from __future__ import annotations

import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def make_image(
    version: tuple[int, int, int] | tuple[int, int, int, int] = (1, 0, 0),
    *,
    size: int = 20_000,
    seed: int = 0,
    linked_for: int = 0,
    header_size: int = 0x200,
    rom_fixed: bool = False,
    wrong_digest: bool = False,
    flags: int = 0,
    extra_tlvs: tuple[tuple[int, bytes], ...] = (),
    sign_with: Ed25519PrivateKey | None = None,
) -> bytes:
    """Return an image of about `size` bytes whose reset vector points behind `linked_for`.

    `flags` are further ones of the header.
    `extra_tlvs` are protected entries (type, value); the last entry is always the digest.
    """
    vectors = struct.pack("<II", 0x2000_8000, linked_for + header_size + 0x101)
    blocks = range(-(-(size - len(vectors)) // 32))
    noise = b"".join(hashlib.sha256(b"%d %d %r" % (seed, n, version)).digest() for n in blocks)
    payload = (vectors + noise)[:size]
    protected = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in extra_tlvs)
    if protected:
        protected = struct.pack("<HH", 0x6908, len(protected) + 4) + protected
    major, minor, revision, build = (*version, 0)[:4]
    header = struct.pack(
        "<IIHHIIBBHII",
        0x96F3B83D,
        linked_for if rom_fixed else 0,
        header_size,
        len(protected),
        len(payload),
        flags | (0x100 if rom_fixed else 0),
        major,
        minor,
        revision,
        build,
        0,
    ).ljust(header_size, b"\0")
    digest = hashlib.sha256(header + payload + protected).digest()
    if wrong_digest:
        digest = digest[::-1]
    tlvs = struct.pack("<HH", 0x10, 32) + digest
    if sign_with is not None:
        key = sign_with.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for kind, value in ((0x24, sign_with.sign(digest)), (0x01, hashlib.sha256(key).digest())):
            tlvs = struct.pack("<HH", kind, len(value)) + value + tlvs
    return header + payload + protected + struct.pack("<HH", 0x6907, len(tlvs) + 4) + tlvs


def digest_of(image: bytes) -> bytes:
    """Return the digest that such an image is known by: its last 32 bytes."""
    return image[-32:]
