# SPDX-License-Identifier: Apache-2.0
"""Reading packages: of every SDK generation, and zips that mean harm."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError

Files = Sequence[Mapping[str, Any]]
NRF52 = {"type": "application", "board": "nrf52840dk_nrf52840", "soc": "nRF52840_QIAA"}
NRF53 = {"type": "application", "board": "nrf5340dk_nrf5340_cpuapp", "soc": "nRF5340_CPUAPP_QKAA"}


def make_package(
    path: Path,
    files: Files,
    *,
    members: Mapping[str, bytes] | None = None,
    top: Mapping[str, object] | None = None,
) -> Path:
    """Write a package as the SDK's script does; every file's content is its own name."""
    manifest: dict[str, object] = {"format-version": 0, "time": 1, "files": [], "name": "app"}
    entries = []
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            data = str(file["file"]).encode()
            archive.writestr(file["file"], data)
            entries.append({"size": len(data), "modtime": 1, **file})
        for name, data in (members or {}).items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps({**manifest, "files": entries, **(top or {})}))
    return path


# Entries as the SDK of that generation writes them, and what they mean:
# (file, image number, slot index, version)
GENERATIONS: list[tuple[str, int, Files, list[tuple[str, int, int | None, str | None]]]] = [
    (
        "1.8-2.6 one image",
        0,
        [{**NRF52, "file": "app_update.bin", "load_address": 49664, "version_MCUBOOT": "1.2.3+4"}],
        [("app_update.bin", 0, None, "1.2.3+4")],
    ),
    (
        "1.8-2.6 network core",
        0,
        [
            {
                **NRF53,
                "file": "app_update.bin",
                "load_address": 66048,
                "image_index": "0",
                "slot_index_primary": "1",
                "slot_index_secondary": "2",
                "version_MCUBOOT": "1.0.0",
            },
            {
                **NRF53,
                "file": "net_core_app_update.bin",
                "board": "nrf5340dk_nrf5340_cpunet",
                "load_address": 16812032,
                "image_index": "1",
                "slot_index_primary": "3",
                "slot_index_secondary": "4",
                "version": "1",
            },
        ],
        [("app_update.bin", 0, None, "1.0.0"), ("net_core_app_update.bin", 1, None, "1")],
    ),
    (
        "2.4-2.6 direct-xip",
        0,
        [
            {
                **NRF52,
                "file": "app_update.bin",
                "load_address": 33280,
                "version_MCUBOOT+XIP": "0.0.0+0",
                "slot": "0",
            },
            {
                **NRF52,
                "file": "mcuboot_secondary_app_update.bin",
                "load_address": 532992,
                "version_MCUBOOT+XIP": "0.0.0+0",
                "slot": "1",
            },
        ],
        [
            ("app_update.bin", 0, 0, "0.0.0+0"),
            ("mcuboot_secondary_app_update.bin", 0, 1, "0.0.0+0"),
        ],
    ),
    (
        "2.7 one image",
        1,
        [
            {
                **NRF52,
                "file": "app.bin",
                "load_address": 49664,
                "image_index": "0",
                "slot_index_primary": "1",
                "slot_index_secondary": "2",
                "version_MCUBOOT": "1.2.3+4",
            }
        ],
        [("app.bin", 0, None, "1.2.3+4")],
    ),
    (
        "2.9 direct-xip, QSPI XIP split",
        1,
        [
            {**NRF53, "file": "app.internal.bin", "image_index": "0", "slot": "0", "v": 1}
            | {"version_MCUBOOT+XIP": "2.0.0"},
            {**NRF53, "file": "app.external.bin", "image_index": "1", "slot": "2"}
            | {"version_MCUBOOT+XIP": "2.0.0"},
            # the SDK writes image 0 for this one too, by mistake
            {**NRF53, "file": "mcuboot_secondary_app.internal.bin", "image_index": "0", "slot": "1"}
            | {"version_MCUBOOT+XIP": "2.0.0"},
            {**NRF53, "file": "mcuboot_secondary_app.external.bin", "image_index": "0", "slot": "3"}
            | {"version_MCUBOOT+XIP": "2.0.0"},
        ],
        [
            ("app.internal.bin", 0, 0, "2.0.0"),
            ("app.external.bin", 1, 0, "2.0.0"),
            ("mcuboot_secondary_app.internal.bin", 0, 1, "2.0.0"),
            ("mcuboot_secondary_app.external.bin", 1, 1, "2.0.0"),
        ],
    ),
    (
        "2.9 encrypted, with network core and Wi-Fi patch",
        1,
        [
            {
                **NRF53,
                "file": "app.signed.encrypted.bin",
                "load_address": 66048,
                "image_index": "0",
                "slot_index_primary": "1",
                "slot_index_secondary": "2",
                "version_MCUBOOT": "3.0.0",
            },
            {**NRF53, "file": "ipc_radio.bin", "image_index": "1", "version": "7"},
            {**NRF53, "file": "nrf70.bin", "image_index": "2", "version_MCUBOOT": "3.0.0"},
        ],
        [
            ("app.signed.encrypted.bin", 0, None, "3.0.0"),
            ("ipc_radio.bin", 1, None, "7"),
            ("nrf70.bin", 2, None, "3.0.0"),
        ],
    ),
    (
        "2.7 network core alone",
        1,
        [{**NRF53, "file": "ipc_radio.bin", "image_index": "1", "version": "7"}],
        [("ipc_radio.bin", 1, None, "7")],
    ),
]


@pytest.mark.parametrize("row", GENERATIONS, ids=[row[0] for row in GENERATIONS])
def test_every_generation(
    row: tuple[str, int, Files, list[tuple[str, int, int | None, str | None]]], tmp_path: Path
) -> None:
    _, version, files, expected = row
    path = make_package(tmp_path / "p.zip", files, top={"format-version": version})

    package = image.read_package(path)

    assert package.format_version == version
    assert package.direct_xip == any("version_MCUBOOT+XIP" in file for file in files)
    assert [(e.file, e.image, e.slot, e.version) for e in package.entries] == expected
    assert [e.data for e in package.entries] == [e.file.encode() for e in package.entries]
    assert [e.load_address for e in package.entries] == [f.get("load_address") for f in files]
    assert [e.board for e in package.entries] == [f["board"] for f in files]


def refused(path: Path) -> str:
    with pytest.raises(DfuBleError) as caught:
        image.read_package(path)
    assert caught.value.diagnostic.code == "IM311"
    assert caught.value.status == 5
    return caught.value.diagnostic.message


ONE = {**NRF52, "file": "a.bin", "version_MCUBOOT": "1.0.0"}


@pytest.mark.parametrize(
    ("files", "top", "message"),
    [
        (
            [{"type": "mcuboot", "file": "s0.bin", "version_MCUBOOT": "1", "version_B0": "1"}],
            {},
            "it updates MCUboot itself, not the application",
        ),
        (
            [{"type": "application", "file": "signed_by_b0_app.bin", "version_B0": "1"}],
            {},
            "it is for the nRF Secure Immutable Bootloader, not for MCUboot",
        ),
        (
            [{"type": "suit-envelope", "file": "root.suit"}],
            {},
            "it holds a file of type 'suit-envelope', not an application for MCUboot",
        ),
        ([ONE], {"format-version": 2}, "its format version is 2, known are 0 and 1"),
        ([ONE], {"format-version": "1"}, "its format version is '1', known are 0 and 1"),
        ([ONE], {"files": {}}, "its `manifest.json` has no list of files"),
        ([], {}, "its `manifest.json` lists 0 files"),
        ([ONE], {"files": [7]}, "its `manifest.json` lists something that is no file: 7"),
        (
            [ONE],
            {"files": [{**ONE, "file": "b.bin"}]},
            "its `manifest.json` names 'b.bin', which is not in the package",
        ),
        (
            [ONE],
            {"files": [{**ONE, "file": ["a.bin"]}]},
            "its `manifest.json` names ['a.bin'], which is not in the package",
        ),
        ([ONE], {"files": [ONE, ONE]}, "its `manifest.json` lists 'a.bin' twice"),
        ([{**ONE, "size": 6}], {}, "`a.bin` has 5 bytes, `manifest.json` says 6"),
        (
            [{**ONE, "image_index": "first"}],
            {},
            "`manifest.json` gives `a.bin` the image_index 'first'",
        ),
        ([{**ONE, "load_address": -1}], {}, "`manifest.json` gives `a.bin` the load_address -1"),
        (
            [{**NRF52, "file": "a.bin", "version_MCUBOOT+XIP": "1"}],
            {},
            "`manifest.json` does not say which slot `a.bin` is linked for",
        ),
        (
            [{**ONE, "image_index": "0"}, {**ONE, "file": "b.bin", "image_index": "0"}],
            {},
            "`a.bin` and `b.bin` are both for image 0",
        ),
    ],
)
def test_not_for_mcuboot_or_not_sound(
    files: Files, top: dict[str, Any], message: str, tmp_path: Path
) -> None:
    assert refused(make_package(tmp_path / "p.zip", files, top=top)) == message


@pytest.mark.parametrize(
    "name", ["../evil.bin", "/etc/evil", "a/../../evil", "..\\evil", "C:/evil", "\\evil"]
)
def test_member_that_leads_out(name: str, tmp_path: Path) -> None:
    path = make_package(tmp_path / "p.zip", [ONE], members={name: b"x"})
    assert refused(path).endswith("has a path that leads out of the package")


def test_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.bin", "w") as member:
            for _ in range(65):
                member.write(bytes(1024 * 1024))
        archive.writestr("manifest.json", json.dumps({"files": [ONE]}))
    assert path.stat().st_size < 200_000
    assert refused(path) == "its member `a.bin` has 68157440 bytes, more than any slot"


def test_size_that_lies(tmp_path: Path) -> None:
    """The directory says 100 bytes, the stream holds 50 MB: no more than 100 are ever unpacked."""
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", bytes(50_000_000))
        archive.writestr("manifest.json", json.dumps({"files": [ONE]}))
    size = (50_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    assert refused(path) == "the file is no whole zip file: Bad CRC-32 for file 'a.bin'"


def test_too_many_members(tmp_path: Path) -> None:
    members = {f"{n}.bin": b"" for n in range(100)}
    path = make_package(tmp_path / "p.zip", [ONE], members=members)
    assert refused(path) == "it has 102 members, a package has a few"


def test_same_name_twice(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = make_package(tmp_path / "p.zip", [ONE], members={"a.bin": b"other"})
    assert refused(path) == "it has two members `a.bin`"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is no whole zip file: File is not a zip file"),
        (b"PK\x03\x04 no zip", "the file is no whole zip file: File is not a zip file"),
        (None, "the file can't be read: No such file or directory"),
    ],
)
def test_no_zip(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    if content is not None:
        path.write_bytes(content)
    assert refused(path) == message


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "it has no `manifest.json`"),
        (b"\xff", "its `manifest.json` is not JSON: "),
        (b"{", "its `manifest.json` is not JSON: "),
        (b"[" * 100_000, "its `manifest.json` is not JSON: "),
        (b"[]", "its `manifest.json` has no list of files"),
        (b" " * 2_000_000, "its `manifest.json` has 2000000 bytes"),
    ],
)
def test_manifest_that_is_none(manifest: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.bin", b"a")
        if manifest is not None:
            archive.writestr("manifest.json", manifest)
    assert refused(path).startswith(message)


@example(position=97434, value=0, cut=0)  # a member without a name
@given(position=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.integers(0, 60))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_is_a_package_or_one_diagnostic(
    tmp_path: Path, position: int, value: int, cut: int
) -> None:
    data = bytearray(make_package(tmp_path / "whole.zip", [ONE]).read_bytes())
    data[position % len(data)] = value
    del data[len(data) - cut :]
    damaged = tmp_path / f"damaged-{os.getpid()}.zip"
    damaged.write_bytes(data)
    try:
        image.read_package(damaged)
    except DfuBleError as error:
        assert error.diagnostic.code == "IM311"  # noqa: PT017 - either outcome is right
