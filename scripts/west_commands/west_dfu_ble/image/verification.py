# SPDX-License-Identifier: Apache-2.0
"""Decide about an image as MCUboot will: its hash, its key, its signature.

This is our own and not imgtool's: imgtool calls an unsigned image valid when it is given no key.
The order of things follows MCUboot's `bootutil_img_validate()`: a signature counts for the key
that the entry before it names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ..builddir import SignatureType
from ..faults import fault
from .keys import PublicKey, demo_key
from .model import McubootImage, Tlv
from .tlv import HASH_BITS, SIGNATURE_TLV, SIGNATURES, TlvType

_HASHES = {256: hashlib.sha256, 384: hashlib.sha384, 512: hashlib.sha512}
# What MCUboot can be built to take together.
_ALLOWED_BITS = {
    SignatureType.RSA_2048: (256,),
    SignatureType.RSA_3072: (256,),
    SignatureType.ECDSA_P256: (256,),
    SignatureType.ECDSA_P384: (384,),
    SignatureType.ED25519: (256, 512),
}


def verify(image: McubootImage, path: Path, key: PublicKey | None) -> None:
    """Prove that MCUboot with `key` will accept the image's content and signature.

    With `None` (MCUboot checks no signature, or its key is not known here) only the hash is
    checked; that says nothing about who made the image. The hash of an encrypted image is over
    the plain firmware and is not checked; its signature is.

    Raises `DfuBleError` IM306 if the content does not have the hash in the image, IM303 if the
    image is signed with another key, IM307 if the signature is missing or wrong.
    """
    _check_digest(image, path)
    if key is None:
        if any(t.type in SIGNATURES for t in image.tlvs) or not image.tlv(TlvType.KEYHASH):
            return
        raise _no_signature(path)
    _check_key(image, path, key)
    _check_signature(image, path, key)


def hashed_region(image: McubootImage) -> bytes:
    """Return what hash and signature are over: header, firmware, protected entries."""
    return image.data[: image.header_size + image.payload_size + image.protected_size]


def digest_of(data: bytes, bits: int) -> bytes:
    """Return the SHA-256, 384 or 512 of `data`, as `bits` says."""
    return _HASHES[bits](data).digest()


def is_pure(image: McubootImage) -> bool:
    """Whether the signature is over the image itself, not over its hash."""
    return image.tlv(TlvType.SIG_PURE) is not None


def _check_digest(image: McubootImage, path: Path) -> None:
    digests = [t for t in image.tlvs if t.type in HASH_BITS and not t.protected]
    if not digests and not is_pure(image):
        raise fault(
            "IM306",
            "the image has no hash",
            why="MCUboot refuses an image without a hash, and a device names images by it.",
            location=path,
        )
    if image.is_encrypted:
        return
    region = hashed_region(image)
    for entry in digests:
        actual = _HASHES[HASH_BITS[entry.type]](region).digest()
        if actual != entry.value:
            raise fault(
                "IM306",
                f"the content has the SHA-{HASH_BITS[entry.type]} {_short(actual)}, "
                f"the image says {_short(entry.value)}",
                location=path,
                helps=["sign the build again, or fetch the file again: it was changed or damaged"],
                data={"actual": actual.hex(), "expected": entry.value.hex()},
            )


def _check_key(image: McubootImage, path: Path, key: PublicKey) -> None:
    named = [t for t in image.tlvs if t.type in (TlvType.KEYHASH, TlvType.PUBKEY)]
    if not named:
        if any(t.type in SIGNATURES for t in image.tlvs):
            raise fault("IM307", "the image does not say which key signed it", location=path)
        raise _no_signature(path)
    if any(_names(entry, key) for entry in named):
        return
    theirs = named[0].value if named[0].type == TlvType.KEYHASH else _sha256(named[0].value)
    ours = _keyhash_like(theirs, key)
    raise fault(
        "IM303",
        f"the image is signed with the key {_key_name(theirs)}, "
        f"the bootloader's is {_key_name(ours)}",
        why="MCUboot knows no other key than the one that it was built with: it would not run "
        "this image.",
        location=path,
        helps=["sign the build with the bootloader's key"],
        data={"image_keyhash": theirs.hex(), "bootloader_keyhash": ours.hex()},
    )


def _check_signature(image: McubootImage, path: Path, key: PublicKey) -> None:
    if image.digest_bits not in (*_ALLOWED_BITS[key.type], *((0,) if is_pure(image) else ())):
        raise fault(
            "IM307",
            f"the image is hashed with SHA-{image.digest_bits}, which MCUboot does not take "
            f"together with {key.type.value}",
            location=path,
        )
    # As in MCUboot, the last signature that belongs to the key decides.
    verdict: bool | None = None
    for entry in _signatures_for(image, key):
        verdict = _is_valid(image, entry.value, key)
    if verdict is None:
        other = next((t for t in image.tlvs if t.type in SIGNATURES), None)
        if other is None:
            raise _no_signature(path)
        raise fault(
            "IM307",
            f"the image has a signature of type {TlvType(other.type).name}, "
            f"the key is {key.type.value}",
            location=path,
        )
    if not verdict:
        raise fault(
            "IM307",
            f"the image's {key.type.value} signature is not valid for the key "
            f"{_key_name(key.keyhash)}",
            location=path,
            helps=["sign the build again"],
        )


def _signatures_for(image: McubootImage, key: PublicKey) -> Iterator[Tlv]:
    """Yield the signatures that `key` is to check: those right behind an entry that names it."""
    is_named = False
    for entry in image.tlvs:
        if entry.type in (TlvType.KEYHASH, TlvType.PUBKEY):
            is_named = _names(entry, key)
        elif entry.type in SIGNATURES:
            if is_named and entry.type == SIGNATURE_TLV[key.type]:
                yield entry
            is_named = False


def _names(entry: Tlv, key: PublicKey) -> bool:
    if entry.type == TlvType.PUBKEY:
        return entry.value == key.embedded
    bits = len(entry.value) * 8
    return bits in _HASHES and entry.value == key.keyhash_of(bits)


def _is_valid(image: McubootImage, signature: bytes, key: PublicKey) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384

    public = key.handle
    try:
        if isinstance(public, rsa.RSAPublicKey):
            scheme = padding.PSS(padding.MGF1(SHA256()), salt_length=32)
            public.verify(signature, image.digest, scheme, utils.Prehashed(SHA256()))
        elif isinstance(public, ec.EllipticCurvePublicKey):
            algorithm = SHA384() if image.digest_bits == 384 else SHA256()
            # MCUboot before 1.5 wanted zeros behind the signature (imgtool --pad-sig).
            der = signature[: signature[1] + 2] if len(signature) > 1 else signature
            public.verify(der, image.digest, ec.ECDSA(utils.Prehashed(algorithm)))
        elif isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, hashed_region(image) if is_pure(image) else image.digest)
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _no_signature(path: Path) -> Exception:
    return fault(
        "IM307",
        "the image has no signature",
        location=path,
        helps=["sign it with the bootloader's key"],
    )


def _keyhash_like(other: bytes, key: PublicKey) -> bytes:
    bits = len(other) * 8
    return key.keyhash_of(bits) if bits in _HASHES else key.keyhash


def _key_name(keyhash: bytes) -> str:
    demo = demo_key(keyhash)
    return f"{_short(keyhash)} (the public demo key {demo})" if demo else _short(keyhash)


def _short(digest: bytes) -> str:
    return f"{digest.hex()[:16]}…"


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
