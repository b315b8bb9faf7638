# SPDX-License-Identifier: Apache-2.0
"""Encrypted images: made as the SDK makes them, decrypted here, refused where they can't run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from imgtool_runs import imgtool_accepts, run_imgtool
from signing_builds import firmware, make_build
from signing_cases import ED, P256, RSA, Keys, refused
from west_dfu_ble import image
from west_dfu_ble.builddir import Build, Layout, SignatureType
from west_dfu_ble.mcuboot import BootloaderMode as Mode

AES_256 = "CONFIG_MCUBOOT_ENCRYPTION_ALG_AES_256"


def make_encryption_key(kind: SignatureType, folder: Path) -> tuple[Path, Path]:
    """Make a key pair for the encryption that goes with a signature type: private, public."""
    from imgtool.main import keygens

    name = {RSA: "rsa-2048", P256: "ecdsa-p256", ED: "x25519"}[kind]
    private, public = folder / "enc-priv.pem", folder / "enc-pub.pem"
    keygens[name](str(private), None)
    assert run_imgtool("getpub", "-k", private, "-e", "pem", "-o", public).exit_code == 0
    return private, public


def encrypting_build(
    folder: Path,
    keys: Keys,
    kind: SignatureType,
    public: Path,
    *settings: str,
    layout: Layout = Layout.NCS_SYSBUILD,
    mode: Mode = Mode.OVERWRITE_ONLY,
) -> Build:
    build = make_build(
        folder / "b",
        layout,
        mode,
        f"CONFIG_MCUBOOT_ENCRYPTION_KEY_FILE={public}",
        *settings,
        signature=kind,
        key=keys[kind],
    )
    for slot, owner in enumerate(i for i in build.images if i.role.value != "bootloader"):
        path = owner.directory / "zephyr/zephyr.bin"
        path.parent.mkdir(parents=True)
        room = b"" if layout is Layout.NCS_SYSBUILD else bytes(0x200)
        path.write_bytes(room + firmware(slot, 5003))
    return build


def decrypt(parsed: image.McubootImage, private_file: Path) -> bytes:
    """Decrypt as MCUboot does (`boot/bootutil/src/encrypted.c`)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    def counter(key: bytes, data: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).decryptor().update(data)

    private: Any = load_pem_private_key(private_file.read_bytes(), None)
    entry = parsed.tlv(0x30, 0x32, 0x33)
    assert entry is not None
    size = 32 if parsed.flags & 0x08 else 16
    if entry.type == 0x30:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        key = private.decrypt(entry.value, oaep)
    else:
        length = 65 if entry.type == 0x32 else 32
        point = entry.value[:length]
        if entry.type == 0x32:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            shared = private.exchange(ec.ECDH(), peer)
        else:
            shared = private.exchange(x25519.X25519PublicKey.from_public_bytes(point))
        derive = HKDF(hashes.SHA256(), size + 32, None, b"MCUBoot_ECIES_v1")
        key = counter(derive.derive(shared)[:size], entry.value[length + 32 :])
    return counter(key, parsed.payload)


@pytest.mark.parametrize(
    ("kind", "entry"), [(RSA, 0x30), (P256, 0x32), (ED, 0x33)], ids=["RSA-OAEP", "P256", "X25519"]
)
@pytest.mark.parametrize("settings", [(), (AES_256,)], ids=["AES-128", "AES-256"])
def test_made_and_decrypted(
    kind: SignatureType, entry: int, settings: tuple[str, ...], keys: Keys, tmp_path: Path
) -> None:
    private, public = make_encryption_key(kind, tmp_path)
    build = encrypting_build(tmp_path, keys, kind, public, *settings)
    plain = (build.application.directory / "zephyr/zephyr.bin").read_bytes()

    (one,) = image.sign_build(build)

    assert one.image.is_encrypted
    assert bool(one.image.flags & 0x08) == (settings == (AES_256,))
    assert one.image.tlv(entry) is not None
    assert one.image.payload[:5003] != plain
    assert decrypt(one.image, private)[:5003] == plain
    # Nobody without the key can prove what is in it: it is never kept.
    (again,) = image.sign_build(build)
    assert (again.kept, again.image.digest) == (False, one.image.digest)


def test_arguments(keys: Keys, tmp_path: Path) -> None:
    _, public = make_encryption_key(P256, tmp_path)
    extra = "CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS=--pad-sig"
    compressed = "CONFIG_MCUBOOT_COMPRESSED_IMAGE_SUPPORT_ENABLED"
    build = encrypting_build(tmp_path, keys, P256, public, AES_256, extra, compressed)
    made = image.sign_arguments(build, 0, source=Path("i"), target=Path("o"))
    assert made[made.index("--pad-sig") :] == [
        *("--pad-sig", "--encrypt-keylen", "256", "--encrypt", str(public)),
        *("--compression", "lzma2armthumb", "i", "o"),
    ]


@pytest.mark.parametrize("layout", [Layout.ZEPHYR, Layout.ZEPHYR_SYSBUILD])
def test_upstream(layout: Layout, keys: Keys, tmp_path: Path) -> None:
    private, public = make_encryption_key(P256, tmp_path)
    build = encrypting_build(
        tmp_path, keys, P256, public, layout=layout, mode=Mode.SWAP_USING_SCRATCH
    )
    (one,) = image.sign_build(build)
    plain = (build.application.directory / "zephyr/zephyr.bin").read_bytes()
    assert decrypt(one.image, private)[:5003] == plain[0x200:]


def test_relative_key_is_found_beside_the_signing_key(keys: Keys, tmp_path: Path) -> None:
    _, public = make_encryption_key(P256, tmp_path)
    beside = keys[P256].parent / "enc-beside.pem"
    beside.write_bytes(public.read_bytes())
    build = encrypting_build(tmp_path, keys, P256, Path("bootloader/mcuboot/enc-beside.pem"))
    assert image.sign_build(build)[0].image.is_encrypted


@pytest.mark.parametrize("mode", [Mode.DIRECT_XIP, Mode.DIRECT_XIP_WITH_REVERT])
def test_direct_xip_can_not_decrypt(mode: Mode, keys: Keys, tmp_path: Path) -> None:
    _, public = make_encryption_key(P256, tmp_path)
    error = refused(encrypting_build(tmp_path, keys, P256, public, mode=mode))
    assert error.diagnostic.code == "IM315"
    assert error.diagnostic.message == (
        f"the build asks for encrypted images, the bootloader is built for {mode.title}"
    )
    assert "it would run the cipher text" in error.diagnostic.why


def test_key_missing(keys: Keys, tmp_path: Path) -> None:
    error = refused(encrypting_build(tmp_path, keys, P256, tmp_path / "none.pem"))
    assert error.diagnostic.code == "IM301"
    assert error.diagnostic.message == (
        f"the build's encryption key `{tmp_path / 'none.pem'}` is not on this machine"
    )


def test_key_of_another_type(keys: Keys, tmp_path: Path) -> None:
    _, public = make_encryption_key(RSA, tmp_path)
    error = refused(encrypting_build(tmp_path, keys, P256, public))
    assert error.diagnostic.code == "IM310"
    assert error.diagnostic.message == (
        "imgtool refused: Signing and encryption must use the same type of key"
    )


def test_cipher_text_of_something_else(keys: Keys, tmp_path: Path) -> None:
    """The hash is over the plain firmware; whoever has that can tell."""
    from west_dfu_ble.image.encryption import require_same_firmware
    from west_dfu_ble.image.inputs import binary_for

    _, public = make_encryption_key(P256, tmp_path)
    build = encrypting_build(tmp_path, keys, P256, public)
    (one,) = image.sign_build(build)
    assert not imgtool_accepts(one.path, keys[P256])  # imgtool hashes the cipher text
    require_same_firmware(one.image, binary_for(build, 0))
    path = build.application.directory / "zephyr/zephyr.bin"
    path.write_bytes(path.read_bytes()[:-1] + os.urandom(4))
    with pytest.raises(Exception, match="IM306"):
        require_same_firmware(one.image, binary_for(build, 0))
