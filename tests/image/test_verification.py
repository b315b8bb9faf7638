# SPDX-License-Identifier: Apache-2.0
"""What is proved of an image, with imgtool's own verdict beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from imgtool_runs import imgtool_accepts, imgtool_signs, run_imgtool
from signing_builds import firmware
from smpclient_sdist import smpclient_sdist
from west_dfu_ble import image
from west_dfu_ble.builddir import SignatureType
from west_dfu_ble.diagnostics import DfuBleError

Keys = Mapping[SignatureType, Path]
ED = SignatureType.ED25519

# How an image may be signed: the key's type, and imgtool's further options.
WAYS = [
    (SignatureType.RSA_2048, ()),
    (SignatureType.RSA_3072, ()),
    (SignatureType.ECDSA_P256, ()),
    (SignatureType.ECDSA_P256, ("--pad-sig",)),
    (SignatureType.ECDSA_P384, ()),
    (ED, ()),
    (ED, ("--sha", "512")),
    (ED, ("--pure",)),
    (SignatureType.ECDSA_P256, ("--public-key-format", "full")),
    (SignatureType.RSA_2048, ("--security-counter", "3", "-d", "(1,1.0.0)", "--pad")),
    (SignatureType.ECDSA_P256, ("--compression", "lzma2armthumb")),
]
IDS = [" ".join((kind.value, *options)) for kind, options in WAYS]


def verdict(data: bytes, key: image.PublicKey | None) -> str:
    """The code of the error that `data` ends with, or ``""``."""
    try:
        image.verify(image.parse(data, Path("x")), Path("x"), key)
    except DfuBleError as error:
        return error.diagnostic.code
    return ""


def change(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


@pytest.mark.parametrize(("kind", "options"), WAYS, ids=IDS)
def test_imgtool_agrees(
    kind: SignatureType, options: tuple[str, ...], keys: Keys, other_keys: Keys, tmp_path: Path
) -> None:
    data = imgtool_signs(firmware(), tmp_path, "-k", keys[kind], *options)
    path = tmp_path / "image.bin"
    parsed = image.parse(data, path)
    key, other = image.public_key(keys[kind]), image.public_key(other_keys[kind])
    signature = next(t for t in parsed.tlvs if t.type in (0x20, 0x22, 0x23, 0x24))
    last_byte = signature.offset + (signature.value[1] if signature.type == 0x22 else 32)

    def both(changed: bytes, key: image.PublicKey, file: Path) -> tuple[str, bool]:
        path.write_bytes(changed)
        return verdict(changed, key), imgtool_accepts(path, file)

    assert both(data, key, keys[kind]) == ("", True)
    assert both(change(data, 0x300), key, keys[kind]) == ("IM306", False)
    assert both(change(data, 20), key, keys[kind]) == ("IM306", False)  # the version
    assert both(change(data, last_byte), key, keys[kind]) == ("IM307", False)
    assert both(data, other, other_keys[kind]) == ("IM303", False)


@pytest.mark.parametrize("kind", list(SignatureType)[1:], ids=lambda kind: kind.value)
def test_keyhash_is_imgtool_s(kind: SignatureType, keys: Keys, tmp_path: Path) -> None:
    key = image.public_key(keys[kind])
    raw, whole = tmp_path / "hash", tmp_path / "key"
    run_imgtool("getpubhash", "-k", keys[kind], "-e", "raw", "-o", raw)
    run_imgtool("getpub", "-k", keys[kind], "-e", "raw", "-o", whole)

    assert key.type is kind
    assert key.keyhash == raw.read_bytes()
    assert key.embedded == whole.read_bytes()
    assert key.keyhash_of(512) == hashlib.sha512(whole.read_bytes()).digest()


def test_unsigned_image_is_not_valid_for_a_key(keys: Keys, tmp_path: Path) -> None:
    data = imgtool_signs(firmware(), tmp_path)
    key = image.public_key(keys[ED])
    # imgtool alone says of this very file that it "was correctly validated".
    assert run_imgtool("verify", tmp_path / "image.bin").exit_code == 0

    with pytest.raises(DfuBleError) as caught:
        image.verify(image.parse(data, Path("x.bin")), Path("x.bin"), key)
    assert caught.value.diagnostic.code == "IM307"
    assert caught.value.diagnostic.message == "the image has no signature"
    assert caught.value.status == 5


def test_without_a_key_only_the_hash_is_proved(keys: Keys, tmp_path: Path) -> None:
    data = imgtool_signs(firmware(), tmp_path, "-k", keys[ED])
    assert verdict(data, None) == ""
    assert verdict(change(data, 0x300), None) == "IM306"


def test_signature_that_was_cut_off(keys: Keys, tmp_path: Path) -> None:
    data = imgtool_signs(firmware(), tmp_path, "-k", keys[ED])
    parsed = image.parse(data, Path("x"))
    without = replace(parsed, tlvs=tuple(t for t in parsed.tlvs if t.type != 0x24))
    for key in (image.public_key(keys[ED]), None):
        with pytest.raises(DfuBleError) as caught:
            image.verify(without, Path("x"), key)
        assert caught.value.diagnostic.message == "the image has no signature"


def test_signature_counts_only_behind_its_key(keys: Keys, tmp_path: Path) -> None:
    """MCUboot drops a signature that no entry before it claims."""
    parsed = image.parse(imgtool_signs(firmware(), tmp_path, "-k", keys[ED]), Path("x"))
    digest, keyhash, signature = parsed.tlvs
    swapped = replace(parsed, tlvs=(digest, signature, keyhash))
    with pytest.raises(DfuBleError) as caught:
        image.verify(swapped, Path("x"), image.public_key(keys[ED]))
    assert caught.value.diagnostic.code == "IM307"


def test_image_without_hash(keys: Keys, tmp_path: Path) -> None:
    parsed = image.parse(imgtool_signs(firmware(), tmp_path, "-k", keys[ED]), Path("x"))
    without = replace(parsed, tlvs=parsed.tlvs[1:], digest=b"", digest_bits=0)
    with pytest.raises(DfuBleError) as caught:
        image.verify(without, Path("x"), image.public_key(keys[ED]))
    assert caught.value.diagnostic.code == "IM306"
    assert caught.value.diagnostic.message == "the image has no hash"


def test_second_hash_must_be_right_too(keys: Keys, tmp_path: Path) -> None:
    parsed = image.parse(imgtool_signs(firmware(), tmp_path, "-k", keys[ED]), Path("x"))
    doubled = replace(parsed, tlvs=(*parsed.tlvs, image.Tlv(0x10, bytes(32), False, 0)))
    with pytest.raises(DfuBleError) as caught:
        image.verify(doubled, Path("x"), image.public_key(keys[ED]))
    assert caught.value.diagnostic.code == "IM306"


def test_hash_that_the_key_s_type_does_not_go_with(keys: Keys, tmp_path: Path) -> None:
    """A P-256 key signs SHA-256 alone: MCUboot with that key has no other hash compiled in."""
    key = image.public_key(keys[SignatureType.ECDSA_P256])
    data = imgtool_signs(firmware(), tmp_path, "-k", keys[ED], "--sha", "512")
    parsed = image.parse(data, Path("x"))
    named = image.Tlv(1, key.keyhash_of(512), False, 0)
    forged = replace(parsed, tlvs=(parsed.tlvs[0], named, *parsed.tlvs[2:]))
    with pytest.raises(DfuBleError) as caught:
        image.verify(forged, Path("x"), key)
    assert caught.value.diagnostic.message == (
        "the image is hashed with SHA-512, which MCUboot does not take together with ECDSA P-256"
    )


def test_wrong_key_tells_both_hashes(keys: Keys, other_keys: Keys, tmp_path: Path) -> None:
    data = imgtool_signs(firmware(), tmp_path, "-k", keys[SignatureType.RSA_2048])
    theirs = image.public_key(keys[SignatureType.RSA_2048])
    ours = image.public_key(other_keys[SignatureType.RSA_2048])
    with pytest.raises(DfuBleError) as caught:
        image.verify(image.parse(data, Path("x")), Path("x"), ours)
    assert caught.value.diagnostic.message == (
        f"the image is signed with the key {theirs.keyhash.hex()[:16]}…, "
        f"the bootloader's is {ours.keyhash.hex()[:16]}…"
    )
    assert caught.value.diagnostic.data == {
        "image_keyhash": theirs.keyhash.hex(),
        "bootloader_keyhash": ours.keyhash.hex(),
    }


@pytest.mark.parametrize(
    ("kind", "options"),
    [(SignatureType.RSA_2048, ()), (SignatureType.ECDSA_P256, ())],
    ids=["RSA-OAEP", "ECIES-P256"],
)
def test_encrypted_image_is_proved_by_its_signature(
    kind: SignatureType, options: tuple[str, ...], keys: Keys, other_keys: Keys, tmp_path: Path
) -> None:
    public = tmp_path / "encrypt.pem"
    run_imgtool("getpub", "-k", other_keys[kind], "-e", "pem", "-o", public)
    data = imgtool_signs(firmware(), tmp_path, "-k", keys[kind], "--encrypt", public, *options)
    key = image.public_key(keys[kind])
    signature = image.parse(data, Path("x")).tlv(0x20, 0x22)
    assert signature is not None

    assert image.parse(data, Path("x")).is_encrypted
    assert verdict(data, key) == ""
    assert verdict(change(data, signature.offset + 40), key) == "IM307"


def test_demo_keys() -> None:
    shared = "e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6"
    assert image.demo_key(bytes.fromhex(shared)) == "root-ec-p256.pem"
    assert image.demo_key(bytes(32)) is None
    assert image.demo_key(b"") is None


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "demo"),
    [
        ("examples/duts/nrf52840dk_nrf52840/ble/b_smp_dut.bin", "root-ec-p256.pem"),
        ("examples/duts/nrf52dk_nrf52832/ble/b_smp_dut.bin", "root-rsa-2048.pem"),
        ("tests/fixtures/tf-m-9a4cb1a28/tfm_s_signed.bin", "root-ec-p256.pem"),
    ],
)
def test_real_images_are_signed_with_demo_keys(name: str, demo: str) -> None:
    parsed = image.read(smpclient_sdist() / name)
    keyhash = parsed.tlv(image.TlvType.KEYHASH)
    assert keyhash is not None
    assert image.demo_key(keyhash.value) == demo


@pytest.mark.peer
@pytest.mark.parametrize("letter", "ab")
def test_real_image_that_was_changed(letter: str) -> None:
    path = smpclient_sdist() / f"examples/duts/nrf52840dk_nrf52840/ble/{letter}_smp_dut.bin"
    data = path.read_bytes()
    assert verdict(data, None) == ""
    assert verdict(change(data, 100_000), None) == "IM306"
