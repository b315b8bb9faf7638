# SPDX-License-Identifier: Apache-2.0
"""The `sign` action's own options: elsewhere, against a baseline, with somebody else's key."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from imgtool_runs import imgtool_accepts, run_imgtool
from sample_builds import TINY, copy_tiny
from signing_cases import tree
from west_dfu_ble import cli, image

BUILD = Path("tiny/build-direct-xip")
NAMES = ["app_update.bin", "mcuboot_secondary_app_update.bin"]


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The samples' RSA key, in a working folder with a copy of the samples."""
    monkeypatch.chdir(tmp_path)
    copy_tiny(Path("tiny"))
    (path,) = Path("tiny/keys").glob("*rsa*.pem")
    return path


def test_output(key: Path) -> None:
    before = tree(BUILD)
    assert cli.main(["sign", "-d", str(BUILD), "--output", "release"]) == 0
    assert tree(BUILD) == before
    assert sorted(path.name for path in Path("release").iterdir()) == [
        NAMES[0],
        "dfu_application.zip",
        "dfu_application.zip_manifest.json",
        NAMES[1],
    ]
    assert all(imgtool_accepts(Path("release") / name, key) for name in NAMES)


def test_what_it_says(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keyhash = image.public_key(key).keyhash.hex()
    for how, package in (("signed", "written"), ("kept, up to date", "kept, up to date")):
        assert cli.main(["sign", "-d", str(BUILD)]) == 0
        primary, secondary, zipped, proof = capsys.readouterr().out.splitlines()
        assert primary.endswith(f"  primary slot    {how}")
        assert secondary.endswith(f"  secondary slot  {how}")
        assert primary.index("1.2.0+0") == secondary.index("1.2.0+0")
        assert zipped == f"{BUILD / 'zephyr/dfu_application.zip'}  {package}"
        assert proof == (
            f"proved: hash, RSA-2048 signature with MCUboot's key {keyhash[:16]}…, slot, size"
        )
    assert cli.main(["sign", "-d", str(BUILD), "--format", "json"]) == 0
    assert {(one["kept"], one["keyhash"]) for one in json.loads(capsys.readouterr().out)} == {
        (True, keyhash)
    }


@pytest.mark.parametrize("place", [None, "release/1.2.0.zip"])
def test_package(key: Path, place: str | None) -> None:
    assert cli.main(["sign", "-d", str(BUILD), "--package", *([place] if place else [])]) == 0
    path = Path(place) if place else BUILD / "zephyr/dfu_application.zip"
    entries = image.read_package(path).entries
    assert [(one.file, one.slot) for one in entries] == [(NAMES[0], 0), (NAMES[1], 1)]
    assert (BUILD / "zephyr/dfu_application.zip").exists() == (place is None)


@pytest.mark.parametrize("size", [16, 32])
def test_encrypt(key: Path, size: int, capsys: pytest.CaptureFixture[str]) -> None:
    Path("kek.b64").write_bytes(base64.b64encode(bytes(size)))
    assert cli.main(["sign", "-d", str(BUILD), "--encrypt", "kek.b64"]) == 5
    assert "`--encrypt` asks for encrypted images" in capsys.readouterr().err
    swap = Path("tiny/build-swap")
    assert cli.main(["sign", "-d", str(swap), "--encrypt", "kek.b64"]) == 5
    assert "MCUboot is built without encryption" in capsys.readouterr().err
    with (swap / "mcuboot/zephyr/.config").open("a") as config:
        config.write("CONFIG_BOOT_ENCRYPT_KW=y\n")
        config.write("CONFIG_BOOT_ENCRYPT_ALG_AES_256=y\n" if size == 32 else "")
    assert cli.main(["sign", "-d", str(swap), "--encrypt", "kek.b64"]) == 0
    assert image.read(swap / "zephyr/app_update.bin").tlv(0x31)


def test_the_rules_stay_out(key: Path) -> None:
    """They take longer to import than the images to sign."""
    program = (
        "import sys; from west_dfu_ble import cli; "
        f"assert cli.main(['sign', '-d', {str(BUILD)!r}]) == 0; "
        "sys.exit('west_dfu_ble.rules' in sys.modules)"
    )
    path = {**os.environ, "PYTHONPATH": str(TINY.parents[1] / "scripts" / "west_commands")}
    assert subprocess.run([sys.executable, "-c", program], env=path, check=False).returncode == 0


def test_baseline(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign = ["sign", "-d", str(BUILD), "--output"]
    assert cli.main([*sign, "old"]) == 0
    capsys.readouterr()
    assert cli.main([*sign, "new", "--baseline", "old/app_update.bin"]) == 5
    assert "error[IM317]" in capsys.readouterr().err
    assert not Path("new").exists()
    newer = ["--image-version", "1.2.1", "--baseline", "old/app_update.bin"]
    assert cli.main([*sign, "new", *newer]) == 0


def test_hsm(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Out go the bytes, back come signatures; the private key is never on this machine."""
    run_imgtool("getpub", "-k", key, "-e", "pem", "-o", "public.pem")
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, RSAPrivateKey)
    for path in Path("tiny/keys").iterdir():
        path.unlink()
    before = tree(BUILD)

    public = ["--fix-sig-pubkey", "public.pem"]
    assert cli.main(["sign", "-d", str(BUILD), "--to-sign", "out", *public]) == 0
    assert "bytes to sign with RSASSA-PSS with SHA-256" in capsys.readouterr().out
    assert tree(BUILD) == before
    Path("back").mkdir()
    for name in NAMES:
        data = Path(f"out/{name}.to_sign").read_bytes()
        signature = private.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
        Path(f"back/{name}.sig").write_bytes(base64.encodebytes(signature))

    assert cli.main(["sign", "-d", str(BUILD), "--fix-sig", "back", *public]) == 0
    assert all(imgtool_accepts(BUILD / "zephyr" / name, Path("public.pem")) for name in NAMES)


def test_signatures_from_the_release_machine(key: Path) -> None:
    run_imgtool("getpub", "-k", key, "-e", "pem", "-o", "public.pem")
    there = ["sign", "-d", str(BUILD), "--output", "there", "--sig-out", "there"]
    assert cli.main(there) == 0
    assert {path.name for path in Path("there").glob("*.sig")} == {f"{n}.sig" for n in NAMES}
    here = ["sign", "-d", str(BUILD), "--output", "here", "--fix-sig", "there"]
    assert cli.main([*here, "--fix-sig-pubkey", "public.pem"]) == 0
    for name in NAMES:
        assert Path("here", name).read_bytes() == Path("there", name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["--to-sign", "out"], 2, "EN008"),
        (["--fix-sig", "back"], 2, "EN008"),
        (["--fix-sig", "back", "--fix-sig-pubkey", "none.pem"], 5, "IM301"),
        (["--fix-sig", "back", "--fix-sig-pubkey", "public.pem"], 5, "IM307"),
        (["--fix-sig", "bad", "--fix-sig-pubkey", "public.pem"], 5, "IM307"),
        (["--baseline", "none.bin"], 5, "IM305"),
    ],
)
def test_bad_input(
    key: Path,
    arguments: list[str],
    status: int,
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_imgtool("getpub", "-k", key, "-e", "pem", "-o", "public.pem")
    Path("bad").mkdir()
    for name in NAMES:
        Path(f"bad/{name}.sig").write_text("AAA")
    before = tree(BUILD)
    assert cli.main(["sign", "-d", str(BUILD), *arguments]) == status
    error = capsys.readouterr().err
    assert error.count("error[") == 1
    assert f"error[{code}]" in error
    assert tree(BUILD) == before


def test_unsigned_image_has_no_signature_to_give_away() -> None:
    with pytest.raises(ValueError, match="the image has no signature"):
        image.detached_signature(image.parse(UNSIGNED, Path("x")))


UNSIGNED = (
    (0x96F3B83D).to_bytes(4, "little")
    + bytes(4)
    + (32).to_bytes(2, "little")
    + bytes(2)
    + (4).to_bytes(4, "little")
    + bytes(16)
    + b"firm"
    + b"\x07\x69\x04\x00"
)
