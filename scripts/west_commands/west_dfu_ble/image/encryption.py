# SPDX-License-Identifier: Apache-2.0
"""Encrypted images: whether the build wants them, with which key, and whether that can work."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Layout, west_topdir
from ..diagnostics import Location
from ..faults import fault
from .argument_parts import hash_options
from .decryption import CAN_NOT_DECRYPT, MODE_WHY, decrypts_aes_256, derives_with_sha_512

_SETTINGS = ("CONFIG_MCUBOOT_ENCRYPTION_KEY_FILE", "SB_CONFIG_BOOT_ENCRYPTION_KEY_FILE")


def wants_encryption(build: Build) -> bool:
    """Whether the build's own scripts encrypt its images."""
    return _setting(build) is not None


def encryption_arguments(build: Build, key: Path | None = None) -> list[str]:
    """Return imgtool's options that encrypt this build's images; none if it wants no encryption.

    `key` comes before the build's own, and encrypts where the build itself does not.

    Raises `DfuBleError` IM301 if the key is not on this machine, IM315 if the bootloader can't
    decrypt in its mode.
    """
    found = _setting(build)
    if found is None and key is None:
        return []
    setting, location = found or ("", None)
    if build.mode in CAN_NOT_DECRYPT:
        who = "the build asks" if key is None else "`--encrypt` asks"
        raise fault(
            "IM315",
            f"{who} for encrypted images, the bootloader is built for {build.mode.title}",
            why=MODE_WHY,
            location=location,
            helps=["use swap or overwrite-only, or leave images unencrypted"],
        )
    if "--pure" in hash_options(build):
        raise fault(
            "IM315",
            "the image is to be encrypted, and its signature to be over the image itself (pure)",
            why="MCUboot checks such a signature where the image lies, so it can't decrypt first.",
            location=location,
            helps=[
                "build MCUboot without `CONFIG_BOOT_SIGNATURE_TYPE_PURE`, or leave images plain"
            ],
        )
    options = ["--encrypt-keylen", "256"] if _uses_aes_256(build) else []
    if derives_with_sha_512(build):
        options += ["--hmac-sha", "512"]
    path = key or _key_file(build, setting, location)
    return [*options, "--encrypt", str(path)]


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
    return (
        build.application.kconfig.is_on("CONFIG_MCUBOOT_ENCRYPTION_ALG_AES_256")
        or (sysbuild is not None and sysbuild.is_on("SB_CONFIG_BOOT_ENCRYPTION_ALG_AES_256"))
        or decrypts_aes_256(build)
    )


def _key_file(build: Build, setting: str, location: Location | None) -> Path:
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
        helps=["put the key there (its public half is enough), or name it with `--encrypt`"],
    )
