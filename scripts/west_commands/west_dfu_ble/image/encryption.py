# SPDX-License-Identifier: Apache-2.0
"""Encrypted images: whether the build wants them, with which key, and whether that can work."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Layout, west_topdir
from ..diagnostics import Location
from ..faults import fault
from ..mcuboot import BootloaderMode
from .inputs import Binary
from .model import McubootImage
from .verification import digest_of

_CAN_NOT_DECRYPT = (
    BootloaderMode.DIRECT_XIP,
    BootloaderMode.DIRECT_XIP_WITH_REVERT,
    BootloaderMode.RAM_LOAD,
    BootloaderMode.SINGLE_SLOT_RAM_LOAD,
)
_SETTINGS = ("CONFIG_MCUBOOT_ENCRYPTION_KEY_FILE", "SB_CONFIG_BOOT_ENCRYPTION_KEY_FILE")
# imgtool encrypts in blocks of AES.
_BLOCK = 16


def wants_encryption(build: Build) -> bool:
    """Whether the build's own scripts encrypt its images."""
    return _setting(build) is not None


def encryption_arguments(build: Build) -> list[str]:
    """Return imgtool's options that encrypt this build's images; none if it wants no encryption.

    Raises `DfuBleError` IM301 if the key is not on this machine, IM315 if the bootloader can't
    decrypt in its mode.
    """
    found = _setting(build)
    if found is None:
        return []
    setting, location = found
    if build.mode in _CAN_NOT_DECRYPT:
        raise fault(
            "IM315",
            f"the build asks for encrypted images, the bootloader is built for {build.mode.title}",
            why="MCUboot decrypts an image while it copies it to the primary slot; in this mode "
            "it runs the image from where it was stored, so it would run the cipher text.",
            location=location,
            helps=["use swap or overwrite-only, or leave images unencrypted"],
        )
    options = ["--encrypt-keylen", "256"] if _uses_aes_256(build) else []
    return [*options, "--encrypt", str(_key_file(build, setting, location))]


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


def _setting(build: Build) -> tuple[str, Location] | None:
    if build.layout is Layout.NCS_CHILD_IMAGE:
        return None  # the build scripts up to NCS 2.6 never encrypt
    for kconfig in (build.application.kconfig, build.sysbuild):
        for name in _SETTINGS:
            if kconfig is not None and kconfig.text(name):
                return kconfig.text(name), kconfig.where(name)
    return None


def _uses_aes_256(build: Build) -> bool:
    sysbuild = build.sysbuild
    return build.application.kconfig.is_on("CONFIG_MCUBOOT_ENCRYPTION_ALG_AES_256") or (
        sysbuild is not None and sysbuild.is_on("SB_CONFIG_BOOT_ENCRYPTION_ALG_AES_256")
    )


def _key_file(build: Build, setting: str, location: Location) -> Path:
    """Find the key: relative to the west workspace, or beside the signing key (MCUboot's own)."""
    tried = [Path(setting)] if Path(setting).is_absolute() else []
    topdir = west_topdir(build.path)
    if topdir is not None:
        tried.append(topdir / setting)
    if build.key is not None and build.key.path is not None:
        tried.append(build.key.path.parent / Path(setting).name)
    for path in tried:
        if path.is_file():
            return path
    raise fault(
        "IM301",
        f"the build's encryption key `{setting}` is not on this machine",
        location=location,
        notes=[f"looked for {path}" for path in tried],
        helps=["put the key there: its public half is enough"],
    )
