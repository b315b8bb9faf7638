# SPDX-License-Identifier: Apache-2.0
"""Read an update package (`dfu_application.zip`), of every SDK generation and from anybody.

The manifest's format: sdk-nrf `scripts/bootloader/generate_zip.py` and those who call it. A zip
comes from outside: nothing of it is believed before it was checked, and nothing is extracted.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..diagnostics import DfuBleError
from ..faults import fault

MANIFEST = "manifest.json"
VERSION_KEY, XIP_VERSION_KEY = "version_MCUBOOT", "version_MCUBOOT+XIP"
_LARGEST_MEMBER = 64 * 1024 * 1024
_LARGEST_PACKAGE = 256 * 1024 * 1024
_LARGEST_MANIFEST = 1024 * 1024
_MOST_MEMBERS = 64
_KNOWN_FORMATS = (0, 1)


@dataclass(frozen=True)
class PackageEntry:
    """One image of a package.

    `image` is MCUboot's image number. `slot` is the slot index that the file is linked for (0
    primary, 1 secondary) in a direct-xip package, else `None`: the bootloader decides.
    `version` and `load_address` are what the manifest says, `None` if it does not.
    """

    file: str
    data: bytes
    type: str
    board: str
    soc: str
    image: int
    slot: int | None
    version: str | None
    load_address: int | None


@dataclass(frozen=True)
class Package:
    """A package that was read; `format_version` is 0 up to NCS 2.6 and 1 from 2.7 on.

    `manifest` is all that the manifest says, as JSON values.
    """

    path: Path
    format_version: int
    name: str
    direct_xip: bool
    entries: tuple[PackageEntry, ...]
    manifest: Mapping[str, Any]


def read_package(path: Path) -> Package:
    """Read the package at `path` and the images in it; they are not verified yet.

    Raises `DfuBleError` IM311 if it can't be read, contradicts itself, or is not for MCUboot.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, path)
            manifest = _manifest(archive, members, path)
            return _package(archive, members, manifest, path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _bad(f"the file can't be read: {reason}", path) from None
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # a compression that this Python does not know
        RuntimeError,  # an encrypted member
        ValueError,
        LookupError,  # zipfile stumbles over some damaged directories
        OverflowError,
        struct.error,
    ) as error:
        raise _bad(f"the file is no whole zip file: {error}", path) from None


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, each with a name and a size that can be trusted."""
    listed = archive.infolist()
    if len(listed) > _MOST_MEMBERS:
        raise _bad(f"it has {len(listed)} members, a package has a few", path)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in listed:
        name = info.filename
        if name.endswith("/"):
            continue  # a folder
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise _bad(f"its member `{name}` has a path that leads out of the package", path)
        if name in members:
            raise _bad(f"it has two members `{name}`", path)
        if info.file_size > _LARGEST_MEMBER:
            raise _bad(f"its member `{name}` has {info.file_size} bytes, more than any slot", path)
        members[name] = info
    total = sum(info.file_size for info in members.values())
    if total > _LARGEST_PACKAGE:
        raise _bad(f"its members have {total} bytes together, more than any flash", path)
    return members


def _manifest(
    archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], path: Path
) -> Mapping[str, Any]:
    info = members.get(MANIFEST)
    if info is None:
        raise _bad(f"it has no `{MANIFEST}`", path)
    if info.file_size > _LARGEST_MANIFEST:
        raise _bad(f"its `{MANIFEST}` has {info.file_size} bytes", path)
    try:
        manifest = json.loads(archive.read(info).decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _bad(f"its `{MANIFEST}` is not JSON: {error}", path) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), list):
        raise _bad(f"its `{MANIFEST}` has no list of files", path)
    if manifest.get("format-version", 0) not in _KNOWN_FORMATS:
        raise _bad(f"its format version is {manifest['format-version']!r}, known are 0 and 1", path)
    return manifest


def _package(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    manifest: Mapping[str, Any],
    path: Path,
) -> Package:
    files = manifest["files"]
    if not 0 < len(files) <= _MOST_MEMBERS:
        raise _bad(f"its `{MANIFEST}` lists {len(files)} files", path)
    for entry in files:
        if not isinstance(entry, dict):
            raise _bad(f"its `{MANIFEST}` lists something that is no file: {entry!r}", path)
        _require_mcuboot(entry, path)
    _require_distinct(files, path)
    direct_xip = any(XIP_VERSION_KEY in entry for entry in files)
    entries = tuple(_entry(archive, members, entry, direct_xip, path) for entry in files)
    _require_one_each(entries, path)
    name = manifest.get("name")
    return Package(
        path=path,
        format_version=manifest.get("format-version", 0),
        name=name if isinstance(name, str) else "",
        direct_xip=direct_xip,
        entries=entries,
        manifest=manifest,
    )


def _require_mcuboot(entry: Mapping[str, Any], path: Path) -> None:
    kind = entry.get("type")
    if kind == "mcuboot":
        raise _bad(
            "it updates MCUboot itself, not the application",
            path,
            cure="give the application's package, dfu_application.zip",
        )
    if kind != "application":
        raise _bad(f"it holds a file of type {kind!r}, not an application for MCUboot", path)
    if "version_B0" in entry and VERSION_KEY not in entry and XIP_VERSION_KEY not in entry:
        raise _bad(
            "it is for the nRF Secure Immutable Bootloader, not for MCUboot",
            path,
            cure="build with MCUboot (CONFIG_BOOTLOADER_MCUBOOT): only it is updated over SMP",
        )


def _entry(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    entry: Mapping[str, Any],
    direct_xip: bool,
    path: Path,
) -> PackageEntry:
    file = entry.get("file")
    if not isinstance(file, str) or file not in members:
        raise _bad(f"its `{MANIFEST}` names {file!r}, which is not in the package", path)
    data = archive.read(members[file])
    size = entry.get("size")
    if size is not None and size != len(data):
        raise _bad(f"`{file}` has {len(data)} bytes, `{MANIFEST}` says {size!r}", path)
    number = _number(entry, "image_index", file, path)
    slot = _number(entry, "slot", file, path) if direct_xip else None
    if slot is not None and number is not None and slot // 2 != number:
        # NCS 2.9 writes image 0 for the secondary file of a QSPI XIP split; the slot is right.
        number = slot // 2
    if direct_xip and slot is None:
        raise _bad(f"`{MANIFEST}` does not say which slot `{file}` is linked for", path)
    version = entry.get(XIP_VERSION_KEY, entry.get(VERSION_KEY, entry.get("version")))
    return PackageEntry(
        file=file,
        data=data,
        type=str(entry["type"]),
        board=str(entry.get("board", "")),
        soc=str(entry.get("soc", "")),
        image=number if number is not None else (slot or 0) // 2,
        slot=slot % 2 if slot is not None else None,
        version=None if version is None else str(version),
        load_address=_number(entry, "load_address", file, path),
    )


def _number(entry: Mapping[str, Any], key: str, file: str, path: Path) -> int | None:
    """Return a number that generations write as a string, as an integer, or not at all."""
    value = entry.get(key)
    if value is None:
        return None
    number = value
    if isinstance(value, str):
        try:
            number = int(value, 0)
        except ValueError:
            number = None
    if type(number) is not int or not 0 <= number < 1 << 64:
        raise _bad(f"`{MANIFEST}` gives `{file}` the {key} {value!r}", path)
    return number


def _require_distinct(files: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Prove that no file is listed twice, before any of them is read."""
    names = [entry.get("file") for entry in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _bad(f"its `{MANIFEST}` lists {twice!r} twice", path)


def _require_one_each(entries: Sequence[PackageEntry], path: Path) -> None:
    seen: dict[tuple[int, int | None], str] = {}
    for entry in entries:
        other = seen.setdefault((entry.image, entry.slot), entry.file)
        if other != entry.file:
            place = "" if entry.slot is None else f", slot {entry.slot}"
            raise _bad(
                f"`{other}` and `{entry.file}` are both for image {entry.image}{place}", path
            )


def _bad(message: str, path: Path, cure: str = "make or download the package again") -> DfuBleError:
    return fault("IM311", message, location=path, helps=[cure])
