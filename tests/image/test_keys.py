# SPDX-License-Identifier: Apache-2.0
"""Reading keys through imgtool, the bootloader's own key, and files that are no keys."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgtool_runs import imgtool_accepts, run_imgtool
from signing_builds import firmware, make_build
from west_dfu_ble import image
from west_dfu_ble.builddir import Role, SignatureType
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.image.imgtool_adapter import Imgtool
from west_dfu_ble.image.signing_key import require_key

Keys = Mapping[SignatureType, Path]
KINDS = [*SignatureType][1:]
P256, RSA = SignatureType.ECDSA_P256, SignatureType.RSA_2048


def refused(path: Path, **arguments: object) -> DfuBleError:
    with pytest.raises(DfuBleError) as caught:
        image.public_key(path, **arguments)  # type: ignore[arg-type] # what each test varies
    assert caught.value.diagnostic.location is not None
    assert caught.value.diagnostic.location.path == path
    assert caught.value.status == 5
    return caught.value


def export(key: Path, target: Path, *, pkcs8: bool, passphrase: bytes | None = None) -> Path:
    """Write a key in another form, as OpenSSL would."""
    from cryptography.hazmat.primitives import serialization as form

    private = form.load_pem_private_key(key.read_bytes(), None)
    kind = form.PrivateFormat.PKCS8 if pkcs8 else form.PrivateFormat.TraditionalOpenSSL
    lock = form.BestAvailableEncryption(passphrase) if passphrase else form.NoEncryption()
    target.write_bytes(private.private_bytes(form.Encoding.PEM, kind, lock))
    return target


# ED25519 came after the older forms.
FORMS = [
    (kind, pkcs8) for kind in KINDS for pkcs8 in (True, False) if pkcs8 or kind.value != "ED25519"
]
each_form = pytest.mark.parametrize(
    ("kind", "pkcs8"), FORMS, ids=[f"{k.value} {'PKCS#8' if p else 'older'}" for k, p in FORMS]
)


@each_form
def test_forms(kind: SignatureType, pkcs8: bool, keys: Keys, tmp_path: Path) -> None:
    other = export(keys[kind], tmp_path / "key.pem", pkcs8=pkcs8)
    assert image.public_key(other, private=True) == image.public_key(keys[kind])


@each_form
def test_key_with_a_passphrase(
    kind: SignatureType, pkcs8: bool, keys: Keys, tmp_path: Path
) -> None:
    secret = "schlüssel".encode()
    locked = export(keys[kind], tmp_path / "locked.pem", pkcs8=pkcs8, passphrase=secret)
    build = make_build(tmp_path, signature=kind, key=locked)
    (tmp_path / "zephyr").mkdir()
    (tmp_path / "zephyr/app_to_sign.bin").write_bytes(firmware())
    asked: list[Path] = []

    def ask(path: Path) -> str:
        asked.append(path)
        return "schlüssel"

    (one,) = image.sign_build(build, ask=ask)

    assert asked == [locked]  # once, though the key is used more than once
    assert imgtool_accepts(one.path, keys[kind])
    assert image.build_key(build, ask) == image.public_key(keys[kind])


def test_passphrase_missing_or_wrong(keys: Keys, tmp_path: Path) -> None:
    locked = export(keys[P256], tmp_path / "locked.pem", pkcs8=True, passphrase=b"secret")
    none = refused(locked)
    assert none.diagnostic.code == "IM302"
    assert none.diagnostic.message == "the key is locked by a passphrase, and none was given"
    wrong = refused(locked, ask=lambda _: "guess")
    assert wrong.diagnostic.message == "the passphrase does not open the key"
    for error in (none, wrong):
        assert "secret" not in str(error.diagnostic)
        assert "guess" not in str(error.diagnostic)


def test_passphrase_from_the_environment(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = export(keys[P256], tmp_path / "locked.pem", pkcs8=True, passphrase=b"secret")
    monkeypatch.setenv("DFU_BLE_KEY_PASSPHRASE", "secret")
    assert image.public_key(locked) == image.public_key(keys[P256])

    monkeypatch.delenv("DFU_BLE_KEY_PASSPHRASE")
    readable, writable = os.pipe()
    os.write(writable, b"secret\n")
    os.close(writable)
    monkeypatch.setenv("DFU_BLE_KEY_PASSPHRASE_FD", str(readable))
    assert image.public_key(locked) == image.public_key(keys[P256])
    os.close(readable)

    closed = refused(locked)
    assert closed.diagnostic.code == "IM302"
    assert closed.diagnostic.message == (
        f"DFU_BLE_KEY_PASSPHRASE_FD is `{readable}`: Bad file descriptor"
    )
    monkeypatch.setenv("DFU_BLE_KEY_PASSPHRASE_FD", "stdin")
    assert refused(locked).diagnostic.message == (
        "DFU_BLE_KEY_PASSPHRASE_FD is `stdin`: it is no open file descriptor with text"
    )


PEM = "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"this is no key\n",
        b"\xff\x00" * 500,
        PEM.format("PRIVATE KEY", "AAAA").encode(),
        PEM.format("CERTIFICATE", "AAAA").encode(),
        PEM.format("RSA PRIVATE KEY", "not base64!").encode(),
    ],
    ids=["empty", "text", "binary", "broken", "certificate", "not-base64"],
)
def test_no_key(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    error = refused(path)
    assert error.diagnostic.code == "IM302"
    assert error.diagnostic.message == "the file is not a key in PEM form"


def test_no_file(tmp_path: Path) -> None:
    error = refused(tmp_path / "key.pem")
    assert (error.diagnostic.code, error.diagnostic.message) == (
        "IM301",
        "there is no key file `key.pem`",
    )
    folder = refused(tmp_path)
    assert (folder.diagnostic.code, folder.diagnostic.message) == (
        "IM302",
        "the key file can't be read: Is a directory",
    )


def test_public_key_file(keys: Keys, tmp_path: Path) -> None:
    public = tmp_path / "public.pem"
    run_imgtool("getpub", "-k", keys[P256], "-e", "pem", "-o", public)
    assert image.public_key(public) == image.public_key(keys[P256])
    error = refused(public, private=True)
    assert (error.diagnostic.code, error.diagnostic.message) == (
        "IM302",
        "the key file holds a public key only",
    )


@pytest.mark.parametrize("kind", ["RSA-4096", "P-521", "X25519"])
def test_kind_that_mcuboot_does_not_take(kind: str, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519

    makers: Mapping[str, Callable[[], Any]] = {
        "RSA-4096": lambda: rsa.generate_private_key(65537, 4096),
        "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "X25519": x25519.X25519PrivateKey.generate,
    }
    private = makers[kind]()
    path = tmp_path / "key.pem"
    path.write_bytes(
        private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    error = refused(path)
    assert error.diagnostic.code == "IM303"
    assert (
        error.diagnostic.message
        == {
            "RSA-4096": "the key is of a kind that MCUboot does not take "
            "(RSA of another size than 2048 or 3072 bits)",
            "P-521": "the key is of a kind that MCUboot does not take "
            "(Unsupported EC curve: secp521r1)",
            "X25519": "the key is X25519, for encryption only",
        }[kind]
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.value)
def test_key_in_the_bootloader(
    kind: SignatureType, keys: Keys, other_keys: Keys, tmp_path: Path
) -> None:
    """`imgtool getpub` makes MCUboot's source; with a compiler here, its ELF file is read too."""
    build = make_build(tmp_path, signature=kind)
    folder = tmp_path / "mcuboot/zephyr"
    folder.mkdir(parents=True)
    source, elf = folder / "autogen-pubkey.c", folder / "zephyr.elf"
    run_imgtool("getpub", "-k", keys[kind], "-o", source)
    assert image.build_key(build) == image.public_key(keys[kind])

    # Which processor it is for plays no part.
    compiler = shutil.which("arm-none-eabi-gcc")
    compiler = compiler or (shutil.which("cc") if sys.platform == "linux" else None)
    if compiler is None:
        pytest.skip("no compiler here to make an ELF file with")
    link = ["-nostdlib", "-static", "-Wl,--entry=0", "-Wl,-Ttext=0x1000", "-Wl,--no-gc-sections"]
    subprocess.run([compiler, *link, source, "-o", elf], check=True)
    source.unlink()
    images = tuple(
        replace(one, elf=elf) if one.role is Role.BOOTLOADER else one for one in build.images
    )
    with_elf = replace(build, images=images)
    assert image.build_key(with_elf) == image.public_key(keys[kind])
    # That key alone signs for this bootloader.
    require_key(with_elf, Imgtool(), keys[kind])
    with pytest.raises(DfuBleError) as caught:
        require_key(with_elf, Imgtool(), other_keys[kind])
    assert set(caught.value.diagnostic.data) == {"keyhash", "bootloader_keyhash"}
    # What is damaged, or has no key, says nothing.
    elf.write_bytes(elf.read_bytes()[:100])
    assert image.build_key(with_elf) is None


def test_bootloader_s_key_comes_before_the_file(
    keys: Keys, other_keys: Keys, tmp_path: Path
) -> None:
    build = make_build(tmp_path, signature=P256, key=other_keys[P256])
    folder = tmp_path / "mcuboot/zephyr"
    folder.mkdir(parents=True)
    run_imgtool("getpub", "-k", keys[P256], "-o", folder / "autogen-pubkey.c")
    assert image.build_key(build) == image.public_key(keys[P256])
    (folder / "autogen-pubkey.c").write_text("const unsigned char ecdsa_pub_key[] = { 0x30, };")
    assert image.build_key(build) == image.public_key(other_keys[P256])
    unchecked = replace(build, signature_type=SignatureType.NONE)
    assert image.build_key(unchecked) is None
