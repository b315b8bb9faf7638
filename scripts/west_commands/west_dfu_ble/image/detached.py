# SPDX-License-Identifier: Apache-2.0
"""Signatures made elsewhere: by an HSM, a signing service, or a machine that alone has the key.

`signing_requests` gives the bytes to sign, `sign_build` takes the signatures, and
`detached_signature` takes one out of an image that was signed here (imgtool's ``--sig-out``).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..builddir import Build, SignatureType
from ..faults import fault
from .entries import open_entries, with_entries
from .imgtool_adapter import Imgtool
from .keys import PublicKey
from .model import McubootImage
from .parsing import parse
from .tlv import HASH_BITS, SIGNATURES, TlvType
from .verification import digest_of

# What goes into which algorithm; ED25519 signs the hash as its message.
_ALGORITHMS = {
    SignatureType.RSA_2048: "RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt of 32 bytes",
    SignatureType.RSA_3072: "RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt of 32 bytes",
    SignatureType.ECDSA_P256: "ECDSA with SHA-256, DER",
    SignatureType.ECDSA_P384: "ECDSA with SHA-384, DER",
    SignatureType.ED25519: "Ed25519",
}


@dataclass(frozen=True)
class Detached:
    """Signatures made elsewhere, by (image number, slot index), and the public key's PEM file.

    A signature is the raw bytes that the algorithm gives (ECDSA: DER).
    """

    public_key: Path
    signatures: Mapping[tuple[int, int], bytes]


@dataclass(frozen=True)
class SigningRequest:
    """What somebody else is to sign for one image: `data`, by `algorithm` (which hashes it)."""

    image_number: int
    slot: int
    data: bytes
    algorithm: str


def signing_request(
    number: int, slot: int, payload: bytes, key: PublicKey, options: tuple[str, ...]
) -> SigningRequest:
    """Make the request for an image's hashed bytes; `options` are those that imgtool gets."""
    data = payload
    if key.type is SignatureType.ED25519 and "--pure" not in options:
        data = digest_of(payload, 512 if "512" in options else 256)
    return SigningRequest(number, slot, data, _ALGORITHMS[key.type])


def detached_signature(image: McubootImage) -> bytes:
    """Return an image's signature; `base64.b64encode` makes of it what imgtool reads and writes.

    Raises `ValueError` if the image has none.
    """
    entry = next((t for t in image.tlvs if t.type in SIGNATURES), None)
    if entry is None:
        raise ValueError("the image has no signature")
    return entry.value


def without_pure(arguments: Sequence[str]) -> list[str]:
    """Return arguments that imgtool takes together with a signature that was made elsewhere.

    It refuses ``--pure`` for want of the private key, which it would not use.
    """
    at = arguments.index("--pure")
    return [*arguments[:at], "--sha", "512", *arguments[at + 1 :]]


def mark_pure(data: bytes, path: Path) -> bytes:
    """Add the entry that says that the signature is over the image itself, as imgtool does.

    `path` is where the image came from, for diagnostics.
    """
    image = parse(data, path)
    entries = open_entries(image)
    behind = next((n for n, (kind, _) in enumerate(entries, 1) if kind in HASH_BITS), 0)
    entries.insert(behind, (TlvType.SIG_PURE, b"\x01"))
    return with_entries(image, entries)


def require_public(build: Build, tool: Imgtool, path: Path) -> PublicKey:
    """Return the public key of a detached signature. Raises IM301 to IM303, IM315."""
    if build.signature_type is SignatureType.NONE:
        raise fault(
            "IM315",
            "a detached signature was given, and the bootloader checks none",
            location=path,
            helps=["sign the build without one"],
        )
    return tool.public_key(path)


def write_signature(detached: Detached, number: int, slot: int, folder: Path) -> tuple[str, ...]:
    """Write a signature as imgtool reads it; return the options that name it.

    Raises `DfuBleError` IM307 if there is none for this image.
    """
    signature = detached.signatures.get((number, slot))
    if signature is None:
        raise fault(
            "IM307",
            f"there is no signature for image {number}, slot {slot}",
            location=detached.public_key,
            helps=["have every image of the build signed: each variant has its own signature"],
        )
    path = folder / "signature"
    path.write_bytes(base64.b64encode(signature))
    return "--fix-sig", str(path), "--fix-sig-pubkey", str(detached.public_key)
