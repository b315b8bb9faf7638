# SPDX-License-Identifier: Apache-2.0
"""Looking into images and packages: what is said, and what can be proved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgtool_runs import imgtool_signs
from sample_builds import copy_tiny
from signing_builds import firmware
from signing_cases import P256, Keys, made_build
from smpclient_sdist import smpclient_sdist
from west_dfu_ble import builddir, cli, image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode as Mode


def told(inspection: image.Inspection) -> dict[str, tuple[bool | None, str]]:
    return {finding.about: (finding.ok, finding.text) for finding in inspection.findings}


def test_image_of_this_build(keys: Keys, tmp_path: Path) -> None:
    build = made_build(tmp_path / "b", keys, Mode.DIRECT_XIP)
    signed = image.sign_build(build)
    keyhash = image.public_key(keys[P256]).keyhash.hex()[:16]

    for one in signed:
        (seen,) = image.inspect(one.path, build)
        mine, other = ("primary", "secondary") if one.slot == 0 else ("secondary", "primary")
        found = told(seen)
        assert found["hash"] == (True, f"SHA-256 {one.image.digest.hex()}")
        assert found["signature"] == (
            True,
            f"ECDSA P-256, valid for the bootloader's key {keyhash}…",
        )
        assert found[f"{mine} slot"] == (
            True,
            f"runs from 0x{one.image.load_address:x}; {one.image.size} of at most 498128 bytes",
        )
        assert found[f"{other} slot"][0] is False
        assert found[f"{other} slot"][1].startswith("IM312: the image says that it is for 0x")
        assert seen.is_sound


def test_package_of_this_build(keys: Keys, tmp_path: Path) -> None:
    build = made_build(tmp_path / "b", keys, Mode.DIRECT_XIP)
    signed = image.sign_build(build)
    path = image.package_path(build)
    seen = image.inspect(path, build)
    assert [one.file for one in seen] == [path / one.path.name for one in signed]
    assert [one.image.data for one in seen] == [one.image.data for one in signed]
    assert all(one.is_sound for one in seen)


def test_spoilt_and_foreign_images(keys: Keys, other_keys: Keys, tmp_path: Path) -> None:
    build = made_build(tmp_path / "b", keys)
    path = tmp_path / "image.bin"
    data = imgtool_signs(firmware(), tmp_path, "-k", other_keys[P256])
    (foreign,) = image.inspect(path, build)
    assert told(foreign)["signature"][0] is False
    assert told(foreign)["signature"][1].startswith("IM303: the image is signed with the key ")
    assert told(foreign)["primary slot"][0] is True  # there is room for it
    assert not foreign.is_sound
    path.write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    (spoilt,) = image.inspect(path)
    assert told(spoilt)["hash"][0] is False
    assert not spoilt.is_sound


def test_without_a_build_nothing_is_said_that_is_not_known(keys: Keys, tmp_path: Path) -> None:
    imgtool_signs(firmware(), tmp_path, "-k", keys[P256])
    (seen,) = image.inspect(tmp_path / "image.bin")
    keyhash = image.public_key(keys[P256]).keyhash.hex()[:16]
    assert told(seen)["signature"] == (
        None,
        f"by the key {keyhash}…; not checked, for the bootloader's key is not here",
    )
    imgtool_signs(firmware(), tmp_path)
    (unsigned,) = image.inspect(tmp_path / "image.bin")
    assert told(unsigned)["signature"] == (None, "the image has none")


def test_as_json(keys: Keys, tmp_path: Path) -> None:
    data = imgtool_signs(
        firmware(), tmp_path, "-k", keys[P256], "--rom-fixed", "0x8000", "-s", "7", "--pad"
    )
    (seen,) = image.inspect(tmp_path / "image.bin")
    values = json.loads(json.dumps(image.inspection_as_dict(seen)))
    assert values["flags"] == ["ROM_FIXED"]
    assert (values["load_address"], values["version"]) == (0x8000, "1.2.3+4")
    assert (values["header_size"], values["payload_size"]) == (0x200, 5000)
    assert values["file_size"] == 0x7A000 == len(data)
    assert [(e["name"], e["protected"]) for e in values["entries"]] == [
        ("SECURITY_COUNTER", True),
        ("SHA256", False),
        ("KEYHASH", False),
        ("ECDSA", False),
    ]
    assert values["entries"][0]["value"] == "07000000"
    for entry in values["entries"]:
        value = bytes.fromhex(entry["value"])
        assert data[entry["offset"] : entry["offset"] + len(value)] == value


def test_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    copy_tiny(tmp_path / "tiny")
    build = Path("tiny/build-direct-xip")
    (tmp_path / build / "zephyr/dfu_application.zip").unlink(missing_ok=True)
    signed = image.sign_build(builddir.load(build), force=True)
    size, digest = signed[1].image.size, signed[1].image.digest.hex()
    package = build / "zephyr/dfu_application.zip"

    assert cli.main(["image", str(package), "-d", str(build)]) == 0
    second = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert second[0] == str(package / "mcuboot_secondary_app_update.bin")
    assert second[2] == "  header         512 bytes, flags ROM_FIXED, address 0x82000"
    assert f"  hash           ok: SHA-256 {digest}" in second
    assert second[-2].startswith("  primary slot   does not fit: IM312: ")
    assert second[-1] == f"  secondary slot fits: runs from 0x82000; {size} of at most 498128 bytes"

    path = signed[0].path
    data = path.read_bytes()
    path.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    assert cli.main(["image", str(path), "--format", "json"]) == 5
    (values,) = json.loads(capsys.readouterr().out)
    assert values["findings"][0]["about"] == "hash"
    assert values["findings"][0]["ok"] is False

    assert cli.main(["image"]) == 2
    assert "no file was named" in capsys.readouterr().err


def test_what_is_neither(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("PK notes, and more of them, so that it is longer than a header\n")
    for file in (path, tmp_path / "none"):
        with pytest.raises(DfuBleError) as caught:
            image.inspect(file)
        assert caught.value.diagnostic.code == "IM305"


@pytest.mark.peer
def test_real_image() -> None:
    path = smpclient_sdist() / "tests/fixtures/tf-m-9a4cb1a28/tfm_s_signed.bin"
    (seen,) = image.inspect(path)
    assert [image.tlv_name(t.type) for t in seen.image.tlvs] == [
        "SECURITY_COUNTER",
        "BOOT_RECORD",
        "DEPENDENCY",
        "SHA256",
        "KEYHASH",
        "ECDSA",
    ]
    assert told(seen)["signature"][1].startswith(
        "by the key e30466f6b8470c1f… (the public demo key root-ec-p256.pem)"
    )
