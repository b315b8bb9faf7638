# SPDX-License-Identifier: Apache-2.0
"""The public key that the build's bootloader checks images with."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any

from ..builddir import Build, SignatureType
from .imgtool_adapter import AskPassphrase, public_key
from .keys import PublicKey, public_key_of

# `rsa_pub_key`, `ecdsa_pub_key` …, made by `imgtool getpub` when MCUboot is built.
_SUFFIX = "_pub_key"
_SOURCE = "autogen-pubkey.c"
_ARRAY = re.compile(rb"_pub_key\w*\[\]\s*=\s*\{([^}]{1,20000})\}")


def build_key(build: Build, ask: AskPassphrase | None = None) -> PublicKey | None:
    """Return the public key that MCUboot was built with, or `None`.

    It is read from MCUboot's build (`embedded_key`), else from the key file that MCUboot, or else
    the application, names. `None` means that MCUboot checks no signature, or that none of these
    is on this machine.

    Raises `DfuBleError` IM302 or IM303 if the key file is there and is no key for MCUboot.
    """
    if build.signature_type is SignatureType.NONE:
        return None
    embedded = embedded_key(build)
    if embedded is not None:
        return embedded
    path = named_key(build)
    return public_key(path, ask=ask) if path else None


def named_key(build: Build) -> Path | None:
    """Return the key file that MCUboot was built with, if the build names one that is here."""
    for key in (build.bootloader_key, build.key):
        if key is not None and key.path is not None and key.exists:
            return key.path
    return None


def embedded_key(build: Build) -> PublicKey | None:
    """Return the key in MCUboot's ELF file or, where that has none, in its generated source.

    `None` if neither is here; a key that lives elsewhere (nRF54L's KMU, a hardware key) is in
    neither.
    """
    if build.bootloader is None:
        return None
    data = _in_elf(build.bootloader.elf) if build.bootloader.elf else None
    data = data or _in_source(build.bootloader.directory / "zephyr" / _SOURCE)
    if not data:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return public_key_of(load_der_public_key(data))
    except (ValueError, UnsupportedAlgorithm):
        return None


def bootloader_has(build: Build, key: PublicKey) -> bool:
    """Whether the key's bytes stand in MCUboot's ELF file: quicker than reading its symbols."""
    elf = build.bootloader.elf if build.bootloader else None
    try:
        return elf is not None and key.embedded in elf.read_bytes()
    except OSError:
        return False


def _in_elf(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if _SUFFIX.encode() + b"\0" not in data:
        return None  # no such symbol: not worth reading its symbol table
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        return _symbol_bytes(ELFFile(io.BytesIO(data)))
    except (ELFError, ValueError, TypeError, LookupError, AttributeError, struct.error):
        # pyelftools raises whatever it stumbles over; `check` reports a damaged ELF file.
        return None


def _symbol_bytes(elf: Any) -> bytes | None:
    table = elf.get_section_by_name(".symtab")
    for symbol in table.iter_symbols() if table is not None else ():
        if symbol.name.endswith(_SUFFIX) and symbol["st_size"]:
            section = elf.get_section(symbol["st_shndx"])
            start = symbol["st_value"] - section["sh_addr"]
            return bytes(section.data()[start : start + symbol["st_size"]])
    return None


def _in_source(path: Path) -> bytes | None:
    try:
        match = _ARRAY.search(path.read_bytes())
        return (
            bytes(int(text, 0) for text in match[1].split(b",") if text.strip()) if match else None
        )
    except (OSError, ValueError):
        return None
