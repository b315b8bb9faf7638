# SPDX-License-Identifier: Apache-2.0
"""Whether the bootloader of a build can decrypt an image: its mode, and what it was built with.

Symbols: MCUboot `boot/zephyr/Kconfig`. Nobody can prove here that the device has the private key.
"""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Kconfig
from ..faults import fault
from ..mcuboot import BootloaderMode
from .inputs import Binary
from .model import McubootImage, Tlv
from .tlv import WRAPPED_KEYS, TlvType
from .verification import digest_of

CAN_NOT_DECRYPT = (
    BootloaderMode.DIRECT_XIP,
    BootloaderMode.DIRECT_XIP_WITH_REVERT,
    BootloaderMode.RAM_LOAD,
    BootloaderMode.SINGLE_SLOT_RAM_LOAD,
)
"""The modes that run an image as it was stored."""

MODE_WHY = (
    "MCUboot decrypts an image while it copies it to the primary slot; in this mode it runs the "
    "image from where it was stored, so it would run the cipher text."
)
# Some kind of key; which, the symbols below say.
_ENCRYPTION = "CONFIG_BOOT_ENCRYPT_IMAGE"
_UNWRAPS = {
    "CONFIG_BOOT_ENCRYPT_RSA": TlvType.ENC_RSA2048,
    "CONFIG_BOOT_ENCRYPT_EC256": TlvType.ENC_EC256,
    "CONFIG_BOOT_ENCRYPT_X25519": TlvType.ENC_X25519,
    # Not in MCUboot's own port to Zephyr (`boot/zephyr/keys.c`): a vendor's may have it.
    "CONFIG_BOOT_ENCRYPT_KW": TlvType.ENC_AES_KW,
}
_AES_256_FLAG = 0x08
# What stands in an entry besides the key itself; in RSA the key is part of the 256 bytes.
_BESIDES_THE_KEY = {
    TlvType.ENC_AES_KW: 8,
    TlvType.ENC_EC256: 65 + 32,
    TlvType.ENC_X25519: 32 + 32,
    TlvType.ENC_X25519_SHA512: 32 + 64,
}
# imgtool encrypts in blocks of AES.
_BLOCK = 16


def decrypts(build: Build) -> bool:
    """Whether MCUboot, if it is part of the build, decrypts images."""
    return bool(_unwraps(build)) or _is_on(build, _ENCRYPTION)


def decrypts_aes_256(build: Build) -> bool:
    """Whether MCUboot, if it is part of the build, decrypts with AES-256 (else AES-128)."""
    return _is_on(build, "CONFIG_BOOT_ENCRYPT_ALG_AES_256")


def derives_with_sha_512(build: Build) -> bool:
    """Whether MCUboot derives keys for ECIES-X25519 with HMAC-SHA512."""
    return _is_on(build, "CONFIG_BOOT_HMAC_SHA512")


def require_decryptable(build: Build, image: McubootImage, path: Path) -> None:
    """Prove that MCUboot has what it takes to decrypt an encrypted image.

    Raises `DfuBleError` IM319 if it has not.
    """
    if build.mode in CAN_NOT_DECRYPT:
        raise fault(
            "IM319",
            f"the image is encrypted, the bootloader is built for {build.mode.title}",
            why=MODE_WHY,
            location=path,
            helps=["upload the image without encryption"],
        )
    entry = image.tlv(*WRAPPED_KEYS)
    if entry is None:
        raise fault(
            "IM319",
            "the image is encrypted, and the key to decrypt it with is not in it",
            location=path,
            helps=[
                "imgtool forgets the key if it encrypts for a key that MCUboot takes for "
                "signatures only (P-384), and for images that compression does not make smaller"
            ],
        )
    if build.bootloader is None:
        return
    known = _unwraps(build)
    if not known and _is_on(build, _ENCRYPTION):
        return  # by a kind of key that came after this was written
    if entry.type not in known:
        takes = " or ".join(WRAPPED_KEYS[kind] for kind in known)
        raise fault(
            "IM319",
            f"the image is encrypted for {WRAPPED_KEYS[entry.type]}, MCUboot is built "
            f"{f'for {takes}' if takes else 'without encryption'}",
            location=_kconfig(build).where(next(iter(_symbols(build)), _ENCRYPTION)),
            notes=[f"the image is {path}"],
            helps=[
                "encrypt for the kind of key that MCUboot is built with"
                if takes
                else f"build MCUboot with `{_ENCRYPTION}=y`, or leave the image plain"
            ],
        )
    _require_size(build, image, entry, path)


def require_same_firmware(image: McubootImage, binary: Binary) -> None:
    """Prove that the hash in an encrypted image is that of the plain binary.

    Raises `DfuBleError` IM306 if it is not.
    """
    header = image.data[: image.header_size]
    plain = header + binary.firmware
    plain += bytes(-len(plain) % _BLOCK)
    end = image.header_size + image.payload_size
    protected = image.data[end : end + image.protected_size]
    if image.digest != digest_of(plain + protected, image.digest_bits):
        raise fault(
            "IM306",
            "the encrypted image does not have the hash of the binary that it was made from",
            location=binary.path,
        )


def _require_size(build: Build, image: McubootImage, entry: Tlv, path: Path) -> None:
    theirs = 256 if image.flags & _AES_256_FLAG else 128
    ours = 256 if decrypts_aes_256(build) else 128
    if theirs != ours:
        raise fault(
            "IM319",
            f"the image is encrypted with AES-{theirs}, MCUboot decrypts AES-{ours}",
            location=path,
            notes=[f"see {_kconfig(build).where('CONFIG_BOOT_ENCRYPT_ALG_AES_256')}"],
            helps=["build both for the same length of key"],
        )
    besides = _BESIDES_THE_KEY.get(TlvType(entry.type))
    length = 256 if besides is None else besides + ours // 8
    if len(entry.value) != length:
        raise fault(
            "IM319",
            f"the image's wrapped key ({WRAPPED_KEYS[entry.type]}) has {len(entry.value)} bytes, "
            f"MCUboot takes {length}",
            location=path,
            helps=["encrypt for the key that MCUboot is built with"],
        )


def _unwraps(build: Build) -> dict[TlvType, None]:
    known = dict.fromkeys(_UNWRAPS[symbol] for symbol in _symbols(build))
    if TlvType.ENC_X25519 in known and derives_with_sha_512(build):
        del known[TlvType.ENC_X25519]
        known[TlvType.ENC_X25519_SHA512] = None
    return known


def _symbols(build: Build) -> list[str]:
    return [symbol for symbol in _UNWRAPS if _is_on(build, symbol)]


def _is_on(build: Build, symbol: str) -> bool:
    return build.bootloader is not None and build.bootloader.kconfig.is_on(symbol)


def _kconfig(build: Build) -> Kconfig:
    assert build.bootloader is not None
    return build.bootloader.kconfig
