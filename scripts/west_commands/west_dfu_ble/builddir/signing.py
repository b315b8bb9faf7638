# SPDX-License-Identifier: Apache-2.0
"""Tell how images are signed: the type, and the key file as the build names it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cmakecache import CMakeCache
from .model import Kconfig, SignatureType, SigningKey
from .places import Places, expand, is_absolute, path_exists, recorded_path

# What follows CONFIG_BOOT_SIGNATURE_TYPE_ (MCUboot), SB_CONFIG_BOOT_SIGNATURE_TYPE_ (sysbuild) and
# CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_ (application, NCS 2.9 and later).
_TYPES = {
    "NONE": SignatureType.NONE,
    "ECDSA_P256": SignatureType.ECDSA_P256,
    "ECDSA_P384": SignatureType.ECDSA_P384,
    "ED25519": SignatureType.ED25519,
}
# MCUboot's repository holds these, and no other key by a relative path.
_DEMO_KEYS = ("root-rsa-", "root-ec-", "root-ed25519")


@dataclass(frozen=True)
class KeyPlaces:
    """What the search for a relative key file needs to know.

    `conf_dirs` and `application_cache` are as recorded; `topdir` is the west workspace's folder on
    this machine, if any.
    """

    places: Places
    top_cache: CMakeCache
    application_cache: CMakeCache
    bootloader_cache: CMakeCache
    topdir: Path | None


def signature_type(
    bootloader: Kconfig | None, sysbuild: Kconfig | None, application: Kconfig
) -> SignatureType | None:
    """Return the signature type, as MCUboot was built, or else as sysbuild or application say."""
    for kconfig, prefix in (
        (bootloader, "CONFIG_BOOT_SIGNATURE_TYPE_"),
        (sysbuild, "SB_CONFIG_BOOT_SIGNATURE_TYPE_"),
        (application, "CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_"),
    ):
        if kconfig is None:
            continue
        if kconfig.is_on(f"{prefix}RSA"):
            # MCUboot's own default; sysbuild has no length.
            length = kconfig.integer(f"{prefix}RSA_LEN") or 2048
            return SignatureType.RSA_3072 if length == 3072 else SignatureType.RSA_2048
        for suffix, kind in _TYPES.items():
            if kconfig.is_on(prefix + suffix):
                return kind
    return None


def bootloader_key(bootloader: Kconfig | None, where: KeyPlaces) -> SigningKey | None:
    """Return the key that MCUboot was built with (`CONFIG_BOOT_SIGNATURE_KEY_FILE`)."""
    name = "CONFIG_BOOT_SIGNATURE_KEY_FILE"
    if bootloader is None or not bootloader.text(name):
        return None
    bases = [*_conf_dirs(where), *_mcuboot_repository(where)]
    return _key(bootloader, name, where, bases)


def application_key(
    application: Kconfig, sysbuild: Kconfig | None, where: KeyPlaces
) -> SigningKey | None:
    """Return the key that the application is signed with by Zephyr's or sysbuild's own scripts."""
    for kconfig, name in (
        (application, "CONFIG_MCUBOOT_SIGNATURE_KEY_FILE"),
        (sysbuild, "SB_CONFIG_BOOT_SIGNATURE_KEY_FILE"),
    ):
        if kconfig is not None and kconfig.text(name):
            return _key(kconfig, name, where, [*_topdirs(where), *_mcuboot_repository(where)])
    return None


def _key(kconfig: Kconfig, name: str, where: KeyPlaces, bases: Sequence[Path]) -> SigningKey:
    setting = kconfig.text(name)
    text = expand(setting, where.application_cache, where.top_cache, where.bootloader_cache)
    if is_absolute(text):
        tried = where.places.candidates(text)
    else:
        parts = recorded_path(text).parts
        tried = tuple(dict.fromkeys(_tidy(base.joinpath(*parts)) for base in bases))
    found = next((path for path in tried if _is_file(path)), None)
    likely = found or next(iter(_likeliest(text, tried, where)), None)
    return SigningKey(setting, likely, found is not None, kconfig.where(name), tried)


def _likeliest(text: str, tried: Sequence[Path], where: KeyPlaces) -> Sequence[Path]:
    # None of them is here. The demo keys are nowhere but in MCUboot's repository.
    repository = _mcuboot_repository(where)
    if recorded_path(text).name.startswith(_DEMO_KEYS) and not is_absolute(text) and repository:
        return [_tidy(repository[0].joinpath(*recorded_path(text).parts))]
    return tried


def _tidy(path: Path) -> Path:
    """Return the path without ``..``, unless a symbolic link makes that another place."""
    tidy = Path(os.path.normpath(path))
    return path if path_exists(path) and not path_exists(tidy) else tidy


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _conf_dirs(where: KeyPlaces) -> list[Path]:
    """Return the folders of the files that MCUboot was configured with (NCS up to 2.6)."""
    source = where.top_cache.text("APPLICATION_SOURCE_DIR")
    found: list[Path] = []
    for file in (
        *where.top_cache.items_of("mcuboot_CONF_FILE"),
        *where.bootloader_cache.items_of("CONF_FILE"),
        *where.bootloader_cache.items_of("CACHED_CONF_FILE"),
    ):
        absolute = file if is_absolute(file) or not source else f"{source}/{file}"
        found += where.places.candidates(str(recorded_path(absolute).parent))
    return list(dict.fromkeys(found))


def _mcuboot_repository(where: KeyPlaces) -> list[Path]:
    source = where.bootloader_cache.text("APPLICATION_SOURCE_DIR")  # <repository>/boot/zephyr
    if source and len(recorded_path(source).parts) > 2:
        return list(where.places.candidates(str(recorded_path(source).parent.parent)))
    module = where.application_cache.text("ZEPHYR_MCUBOOT_MODULE_DIR")
    return list(where.places.candidates(module)) if module else []


def _topdirs(where: KeyPlaces) -> list[Path]:
    """Return where the west workspace may begin: as recorded, here, and above Zephyr."""
    found: list[Path] = []
    for cache in (where.application_cache, where.top_cache):
        recorded = cache.text("WEST_TOPDIR")
        if recorded:
            found += where.places.candidates(recorded)
    if where.topdir:
        found.append(where.topdir)
    base = where.application_cache.text("ZEPHYR_BASE") or where.top_cache.text("ZEPHYR_BASE")
    if base and len(recorded_path(base).parts) > 1:
        found += where.places.candidates(str(recorded_path(base).parent))
    return [path for path in dict.fromkeys(found) if path_exists(path)] or list(
        dict.fromkeys(found)
    )
