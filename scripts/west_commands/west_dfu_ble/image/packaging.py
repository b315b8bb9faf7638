# SPDX-License-Identifier: Apache-2.0
"""Make the package that nRF Connect Device Manager reads, as the SDK's build scripts make it.

Manifest: sdk-nrf `scripts/bootloader/generate_zip.py`; its fields by layout come from
`modules/mcuboot/CMakeLists.txt` (NCS up to 2.6) and `cmake/sysbuild/zip.cmake` (from 2.7).
The same images and the same SOURCE_DATE_EPOCH give the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..builddir import Build, Layout, Role
from ..diagnostics import DfuBleError
from ..faults import fault
from .argument_parts import ncs_release
from .model import McubootImage
from .package import MANIFEST, VERSION_KEY, XIP_VERSION_KEY, read_package

PACKAGE_NAME = "dfu_application.zip"
# Zip files know no time before this one.
_ZIP_EPOCH = 315532800


def package_path(build: Build, output: Path | None = None) -> Path:
    """Return where the package of this build belongs, or its place in the folder `output`."""
    if output is not None:
        return output / PACKAGE_NAME
    is_sysbuild = build.layout in (Layout.NCS_SYSBUILD, Layout.ZEPHYR_SYSBUILD)
    return (build.path if is_sysbuild else build.path / "zephyr") / PACKAGE_NAME


def package_files(
    build: Build, images: Mapping[tuple[int, int], McubootImage], path: Path
) -> dict[Path, bytes]:
    """Return the files to write for a package at `path`: it and its manifest beside it.

    `images` has an update image for each (image number, slot index). Nothing is to be written if
    the package that is there holds just these images and says the same of them.
    """
    members = _members(build, images)
    if _is_current(path, members):
        return {}
    manifest = json.dumps(_manifest(build, members, _epoch()), indent=4).encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, (image, _) in members.items():
            archive.writestr(_info(name), image.data)
        archive.writestr(_info(MANIFEST), manifest)
    return {path: data.getvalue(), path.with_name(f"{path.name}_manifest.json"): manifest}


Members = dict[str, tuple[McubootImage, dict[str, Any]]]


def _members(build: Build, images: Mapping[tuple[int, int], McubootImage]) -> Members:
    """Return name -> (image, what the manifest says of it)."""
    direct_xip = build.mode is not None and build.mode.is_direct_xip
    members: Members = {}
    for (number, slot), image in sorted(images.items()):
        fields: dict[str, Any] = {
            "type": "application",
            **_board(build, number),
            "load_address": _load_address(build, number, slot, direct_xip),
        }
        if direct_xip:
            fields[XIP_VERSION_KEY] = str(image.version)
            if build.layout is not Layout.NCS_CHILD_IMAGE:
                fields["image_index"] = str(number)
            fields["slot"] = str(2 * number + slot)
        else:
            if build.layout is not Layout.NCS_CHILD_IMAGE or len(images) > 1:
                fields["image_index"] = str(number)
                fields["slot_index_primary"] = str(2 * number + 1)
                fields["slot_index_secondary"] = str(2 * number + 2)
            fields.update(_version(build, number, image))
        members[_file_name(build, number, slot)] = (image, fields)
    return members


def _manifest(build: Build, members: Members, epoch: int) -> dict[str, Any]:
    return {
        "format-version": 0 if build.layout is Layout.NCS_CHILD_IMAGE else 1,
        "time": epoch,
        "files": [
            {**fields, "size": len(image.data), "file": name, "modtime": epoch}
            for name, (image, fields) in members.items()
        ],
        "name": build.application.name,
    }


def _is_current(path: Path, members: Members) -> bool:
    if not path.is_file():
        return False
    try:
        entries = read_package(path).entries
    except DfuBleError:
        return False
    if [e.file for e in entries] != list(members):
        return False
    versions = (XIP_VERSION_KEY, VERSION_KEY, "version")
    return all(
        (entry.data, entry.board, entry.load_address)
        == (image.data, fields["board"], fields["load_address"])
        and entry.version == next(fields[key] for key in versions if key in fields)
        for entry, (image, fields) in zip(entries, members.values(), strict=True)
    )


def _file_name(build: Build, number: int, slot: int) -> str:
    role = Role.NETWORK_CORE if number else Role.VARIANT if slot else Role.APPLICATION
    if build.layout is Layout.NCS_CHILD_IMAGE:
        return {
            Role.APPLICATION: "app_update.bin",
            Role.VARIANT: "mcuboot_secondary_app_update.bin",
            Role.NETWORK_CORE: "net_core_app_update.bin",
        }[role]
    owner = next((i for i in build.images if i.role is role), build.application)
    name = "mcuboot_secondary_app" if role is Role.VARIANT else owner.name
    # NCS 2.7 left out what the file is; the network core's file has been so ever since.
    plain = role is Role.NETWORK_CORE or ncs_release(build) == (2, 7)
    return f"{name}.bin" if plain else f"{name}.signed.bin"


def _version(build: Build, number: int, image: McubootImage) -> dict[str, str]:
    core = next((i for i in build.images if i.role is Role.NETWORK_CORE), None)
    if not number or core is None:
        return {VERSION_KEY: str(image.version)}
    # What the network core's own bootloader compares.
    own = core.kconfig.text("CONFIG_FW_INFO_FIRMWARE_VERSION")
    return {"version": own or str(image.version)}


def _board(build: Build, number: int) -> dict[str, str]:
    owner = build.application
    if number:
        owner = next((i for i in build.images if i.role is Role.NETWORK_CORE), owner)
    return {
        "board": owner.kconfig.text("CONFIG_BOARD", build.board),
        "soc": owner.kconfig.text("CONFIG_SOC"),
    }


def _load_address(build: Build, number: int, slot: int, direct_xip: bool) -> int:
    """Return where the firmware runs: the address behind the header's room."""
    if number:
        partitions = build.domain_partitions.get("CPUNET", ())
        own = next((p for p in partitions if p.name == "app"), None)
        if own is not None:
            return own.address.value
    place = build.slot(slot, number)
    assert place is not None, "an image was signed for this slot"
    if not place.name.startswith("mcuboot_"):
        return place.address.value
    name = ("mcuboot_secondary_app" if slot else "mcuboot_primary_app") if direct_xip else "app"
    partition = next((p for p in build.partitions if p.name == name), None)
    if partition is not None:
        return partition.address.value
    return place.address.value + (build.header_size.value if build.header_size else 0)


def _epoch() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return int(time.time())
    if not text.isdecimal() or len(text) > 11:
        raise fault(
            "EN008",
            f"SOURCE_DATE_EPOCH is `{text}`",
            helps=["set it to a number of seconds since 1970, or not at all"],
        )
    return int(text)


def _info(name: str) -> zipfile.ZipInfo:
    when = time.gmtime(max(_epoch(), _ZIP_EPOCH))
    info = zipfile.ZipInfo(name, date_time=when[:6])
    info.create_system = 3  # Unix, on every system, so that the bytes are the same
    info.external_attr = 0o644 << 16
    return info
