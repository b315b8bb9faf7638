# SPDX-License-Identifier: Apache-2.0
"""The key that MCUboot checks images with: its public half, never the private one.

A private key file is read by imgtool alone; what comes back here is the public key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..builddir import SignatureType

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_HASHES = {256: hashlib.sha256, 384: hashlib.sha384, 512: hashlib.sha512}


@dataclass(frozen=True)
class PublicKey:
    """A public key as DER SubjectPublicKeyInfo, and what kind of signature it checks.

    `keyhash` is the SHA-256 of the key as MCUboot embeds it, the value of an image's KEYHASH
    entry; images hashed with SHA-384 or SHA-512 carry that hash of the key instead, see
    `keyhash_of`.
    """

    der: bytes
    type: SignatureType
    keyhash: bytes

    @cached_property
    def handle(self) -> PublicKeyTypes:
        """The key as `cryptography` takes it."""
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        return load_der_public_key(self.der)

    @cached_property
    def embedded(self) -> bytes:
        """The key as it stands in MCUboot: RSA as PKCS#1, the others as SubjectPublicKeyInfo."""
        if self.type not in (SignatureType.RSA_2048, SignatureType.RSA_3072):
            return self.der
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.handle.public_bytes(Encoding.DER, PublicFormat.PKCS1)

    def keyhash_of(self, bits: int) -> bytes:
        """Return the KEYHASH of an image that is hashed with SHA-256, 384 or 512."""
        return self.keyhash if bits == 256 else _HASHES[bits](self.embedded).digest()


def public_key_of(handle: PublicKeyTypes) -> PublicKey | None:
    """Return a key of `cryptography` as a `PublicKey`; `None` if MCUboot takes no such key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    kind: SignatureType | None = None
    form = PublicFormat.SubjectPublicKeyInfo
    if isinstance(handle, rsa.RSAPublicKey):
        kind = {2048: SignatureType.RSA_2048, 3072: SignatureType.RSA_3072}.get(handle.key_size)
        form = PublicFormat.PKCS1
    elif isinstance(handle, ec.EllipticCurvePublicKey):
        kind = {
            "secp256r1": SignatureType.ECDSA_P256,
            "secp384r1": SignatureType.ECDSA_P384,
        }.get(handle.curve.name)
    elif isinstance(handle, ed25519.Ed25519PublicKey):
        kind = SignatureType.ED25519
    if kind is None:
        return None
    der = handle.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    embedded = handle.public_bytes(Encoding.DER, form)
    return PublicKey(der, kind, hashlib.sha256(embedded).digest())


def describe(handle: object) -> str:
    """Name a kind of key for a message, for example ``RSA-4096``."""
    size = getattr(handle, "key_size", None)
    curve = getattr(getattr(handle, "curve", None), "name", None)
    kind = type(handle).__name__.removesuffix("PublicKey").removesuffix("PrivateKey").lstrip("_")
    return f"{kind} {curve}" if curve else f"{kind}-{size}" if size else kind


# Computed with `imgtool getpubhash` from the key files in MCUboot's repository; the last one is
# the KEYHASH of an nrf_desktop build of NCS 2.5.0, whose key file is in sdk-nrf's repository.
_DEMO_KEYS: Mapping[str, str] = {
    "fc5701dc6135e1323847bdc40f04d2e5bee5833b23c29f93593d00018cfa9994": "root-rsa-2048.pem",
    "449793fb65cd7698753d5b3f35fab15f1e3a45111ff24e1d46741de5ae12d59e": "root-rsa-3072.pem",
    "e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6": "root-ec-p256.pem",
    "6bcd1e16d80e5fe13a5307e6f1de8344c7e50e537d9962ce35ef6db5e642fae8": "root-ec-p384.pem",
    "85b7bd5f5dff9a03a99927adaf6ca6febde822c1a480928324a8e60323715c57"
    "79461c496a95aee8c4f90b99779f848a": "root-ec-p384.pem",
    "c1907fa4eac7fae3840a78902b6f0710b037e9968e5c6274a12a28790c7d4e3c": "root-ed25519.pem",
    "e3e129b49f1218e18e4614acb2523389c75852ebb98b4d2c6171a2fc65706ba3"
    "d1ddf85f52e71450c3e572e624695fafd41ce4d9354d6c2b19f7d6001a6ae8b0": "root-ed25519.pem",
    "6754edab1e29affef4a05935adecbeb1a7b8b62397b31e39a61b5bfcaafd63af": "root-ed25519-2.pem",
    "b1d87d60173352b9a4808979790fc699fb4c4f83b49cf1970edd96ff4adc36a6": "root-ed25519-unknown.pem",
    "16a8140930fa6c071ad4c1e6f5c8e0f349bfc49793cd4502a684b32d8e1dc6cd": (
        "mcuboot_private_fast_pair.pem of nrf_desktop"
    ),
}


def demo_key(keyhash: bytes) -> str | None:
    """Name the public demo key that a KEYHASH belongs to, or return `None`.

    Everybody has the private half of such a key: an image signed with it proves nothing.
    """
    return _DEMO_KEYS.get(keyhash.hex())
