# SPDX-License-Identifier: Apache-2.0
"""Encrypted images whose key is wrapped by a shared secret (AES-KW), which imgtool does not make.

imgtool signs: it gives the image an encrypted one's header and leaves the firmware plain
(``--clear``), with another key in the place of the secret. Firmware and key are encrypted here;
neither hash nor signature are over what that changes. Format: MCUboot `docs/encrypted_images.md`,
`boot/bootutil/src/encrypted.c`, RFC 3394.

The secret is read in this module alone, and handed to nobody but `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from ..faults import fault
from .entries import open_entries, with_entries
from .parsing import parse
from .tlv import WRAPPED_KEYS, TlvType

_SIZES = (16, 32)
_LARGEST = 1024
_PEM = b"-----BEGIN "
_SIGNING_KEY = ("--key", "-k")


@dataclass(frozen=True)
class WrappingKey:
    """The secret that the device has too; `value` of 16 or 32 bytes never shows up in a text."""

    value: bytes = field(repr=False)

    @property
    def bits(self) -> int:
        """128 or 256: the firmware's own key has the same length."""
        return len(self.value) * 8


def wrapping_key(path: Path) -> WrappingKey | None:
    """Return the secret in a file: 16 or 32 bytes in base64. `None` if it is a key in PEM form.

    Raises `DfuBleError` IM301 if there is no such file, IM302 if it holds something else.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST)
    except FileNotFoundError:
        raise fault("IM301", f"there is no key file `{path.name}`", location=path) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise fault("IM302", f"the key file can't be read: {reason}", location=path) from None
    if _PEM in data:
        return None
    try:
        value = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        value = b""
    if len(value) not in _SIZES:
        raise fault(
            "IM302",
            "the encryption key is neither a key in PEM form nor 16 or 32 bytes in base64",
            location=path,
            helps=[
                "give the public half of the device's key (PEM), or for AES-KW the secret that "
                "the device has too, in base64"
            ],
        )
    return WrappingKey(value)


def wrapping_key_of(arguments: Sequence[str]) -> WrappingKey | None:
    """Return the secret that imgtool's arguments name, if they name one. Raises IM301, IM302."""
    path = next((value for name, value in pairwise(arguments) if name == "--encrypt"), None)
    return wrapping_key(Path(path)) if path is not None else None


def stand_in_arguments(arguments: Sequence[str], key: WrappingKey, folder: Path) -> list[str]:
    """Return arguments that make imgtool sign an image with the header of an encrypted one.

    imgtool wants an encryption key of the signing key's type, so that key stands in for the
    secret; without one a new key does, which goes into `folder` and serves nothing else.
    """
    signing = (value for name, value in pairwise(arguments) if name in _SIGNING_KEY)
    other = next(signing, None) or str(_new_key(folder))
    made = list(arguments)
    made[made.index("--encrypt") + 1] = other
    if "--encrypt-keylen" in made:
        at = made.index("--encrypt-keylen")
        del made[at : at + 2]
    if "--slot-size" in made and not {"--pad", "--confirm", "--test"} & set(made):
        # The stand-in's entry can be longer than the one that counts; the proof knows the limit.
        made[made.index("--slot-size") + 1] = "0"
    return [made[0], "--clear", "--encrypt-keylen", str(key.bits), *made[1:]]


def encrypt_image(data: bytes, key: WrappingKey, path: Path) -> bytes:
    """Encrypt the firmware of an image that imgtool signed, under a new key wrapped by `key`.

    `path` is where the image came from, for diagnostics.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.keywrap import aes_key_wrap

    plain = parse(data, path)
    content_key = os.urandom(len(key.value))
    # The counter begins with zero: no key is ever used for a second image.
    cipher = Cipher(algorithms.AES(content_key), modes.CTR(bytes(16))).encryptor()
    entries = [entry for entry in open_entries(plain) if entry[0] not in WRAPPED_KEYS]
    entries.append((TlvType.ENC_AES_KW, aes_key_wrap(key.value, content_key)))
    return with_entries(plain, entries, cipher.update(plain.payload) + cipher.finalize())


def _new_key(folder: Path) -> Path:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    path = folder / "stand-in.pem"
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path
