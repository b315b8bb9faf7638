# SPDX-License-Identifier: Apache-2.0
"""Making packages: ours beside the SDK's, and the same bytes each time."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from imgtool_runs import imgtool_signs
from signing_builds import firmware, make_build
from west_dfu_ble import builddir, image
from west_dfu_ble.builddir import Layout, SignatureType
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode as Mode

BUILDS = Path(__file__).resolve().parents[2].parent / "shared" / "builds"


@pytest.mark.parametrize("name", ["ncs-2.5.0-child-image-direct-xip", "ncs-2.5.0-child-image-swap"])
def test_manifest_of_a_real_build(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours says the same as the SDK's, but for time, sizes and the SDK's own revision."""
    folder = BUILDS / name
    if not folder.is_dir():
        pytest.skip("the real build directories are not here (../shared/builds)")
    build = builddir.load(folder)
    real = json.loads((folder / "zephyr/dfu_application.zip_manifest.json").read_text())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    images = {}
    for slot in range(len(real["files"])):
        version = ("--version", build.version)
        data = imgtool_signs(firmware(slot), tmp_path, *version)
        images[0, slot] = image.parse(data, tmp_path / "x")

    files = image.package_files(build, images, tmp_path / "dfu_application.zip")

    ours = json.loads(files[tmp_path / "dfu_application.zip_manifest.json"])
    ignored = ("size", "modtime")
    plain = [{k: v for k, v in f.items() if k not in ignored} for f in ours["files"]]
    assert plain == [{k: v for k, v in f.items() if k not in ignored} for f in real["files"]]
    assert (ours["format-version"], ours["name"]) == (real["format-version"], real["name"])
    assert ours["time"] == 1700000000
    with zipfile.ZipFile(io.BytesIO(files[tmp_path / "dfu_application.zip"])) as archive:
        assert archive.namelist() == [f["file"] for f in real["files"]] + ["manifest.json"]
        assert json.loads(archive.read("manifest.json")) == ours


@pytest.mark.parametrize(
    ("layout", "mode", "facts", "version", "entries"),
    [
        (
            Layout.NCS_SYSBUILD,
            Mode.SWAP_USING_MOVE,
            {"ncs": "2.7.0"},
            1,
            [
                {
                    "type": "application",
                    "board": "nrf52840dk_nrf52840",
                    "soc": "nRF52840_QIAA",
                    "load_address": 0x8200,
                    "image_index": "0",
                    "slot_index_primary": "1",
                    "slot_index_secondary": "2",
                    "version_MCUBOOT": "1.2.3+4",
                    "file": "app.bin",
                }
            ],
        ),
        (
            Layout.NCS_SYSBUILD,
            Mode.DIRECT_XIP,
            {"ncs": "2.9.0"},
            1,
            [
                {
                    "type": "application",
                    "board": "nrf52840dk_nrf52840",
                    "soc": "nRF52840_QIAA",
                    "load_address": 0x8200,
                    "version_MCUBOOT+XIP": "1.2.3+4",
                    "image_index": "0",
                    "slot": "0",
                    "file": "app.signed.bin",
                },
                {
                    "type": "application",
                    "board": "nrf52840dk_nrf52840",
                    "soc": "nRF52840_QIAA",
                    "load_address": 0x82200,
                    "version_MCUBOOT+XIP": "1.2.3+4",
                    "image_index": "0",
                    "slot": "1",
                    "file": "mcuboot_secondary_app.signed.bin",
                },
            ],
        ),
    ],
)
def test_manifest_of_sysbuild(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: Layout,
    mode: Mode,
    facts: dict[str, Any],
    version: int,
    entries: list[dict[str, Any]],
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    build = make_build(tmp_path, layout, mode, signature=SignatureType.NONE, **facts)
    images = {
        (0, slot): image.parse(imgtool_signs(firmware(slot), tmp_path), tmp_path / "x")
        for slot in range(len(entries))
    }
    path = image.package_path(build)
    files = image.package_files(build, images, path)
    ours = json.loads(files[path.with_name("dfu_application.zip_manifest.json")])
    sizes = {"size": len(images[0, 0].data), "modtime": 1700000000}
    assert ours == {
        "format-version": version,
        "time": 1700000000,
        "files": [{**entry, **sizes} for entry in entries],
        "name": "app",
    }
    assert path == tmp_path / "dfu_application.zip"


def test_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = make_build(tmp_path, signature=SignatureType.NONE)
    images = {(0, 0): image.parse(imgtool_signs(firmware(), tmp_path), tmp_path / "x")}
    path = tmp_path / "dfu_application.zip"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # before the first year that a zip file knows
    first = image.package_files(build, images, path)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        monkeypatch.setenv("TZ", zone)
        assert image.package_files(build, images, path) == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(DfuBleError) as caught:
        image.package_files(build, images, path)
    assert (caught.value.diagnostic.code, caught.value.status) == ("EN008", 2)
