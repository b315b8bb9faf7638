# SPDX-License-Identifier: Apache-2.0
"""Encrypted images: made as the SDK makes them, decrypted here, refused where they can't run."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgtool_runs import imgtool_accepts, run_imgtool
from signing_builds import firmware, make_build
from signing_cases import ED, P256, RSA, Keys, hsm, refused
from west_dfu_ble import image
from west_dfu_ble.builddir import Build, Layout, SignatureType
from west_dfu_ble.mcuboot import BootloaderMode as Mode

AES_256 = "CONFIG_MCUBOOT_ENCRYPTION_ALG_AES_256"
P384, NONE = SignatureType.ECDSA_P384, SignatureType.NONE
UNWRAPS = {
    RSA: "CONFIG_BOOT_ENCRYPT_RSA",
    P256: "CONFIG_BOOT_ENCRYPT_EC256",
    ED: "CONFIG_BOOT_ENCRYPT_X25519",
}
AES_KW = "CONFIG_BOOT_ENCRYPT_KW"  # a vendor's: MCUboot's own port to Zephyr has none


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
    bootloader: tuple[str, ...] = (),
    own: tuple[str, ...] = ("CONFIG_MCUBOOT_ENCRYPTION_KEY_FILE={}",),
    **facts: Any,
) -> Build:
    boot = bootloader or (UNWRAPS.get(kind, AES_KW),)
    if AES_256 in settings and not bootloader:
        boot += ("CONFIG_BOOT_ENCRYPT_ALG_AES_256",)
    build = make_build(
        folder / "b",
        layout,
        mode,
        *(one.format(public) for one in own),
        *settings,
        signature=kind,
        key=None if kind is NONE else keys[kind],
        bootloader=("CONFIG_BOOT_MAX_IMG_SECTORS=128", *boot),
        **facts,
    )
    for slot, owner in enumerate(i for i in build.images if i.role.value != "bootloader"):
        path = owner.directory / "zephyr/zephyr.bin"
        path.parent.mkdir(parents=True)
        room = bytes(0x200) if layout in (Layout.ZEPHYR, Layout.ZEPHYR_SYSBUILD) else b""
        path.write_bytes(room + firmware(slot, 5003))
    return build


def decrypt(parsed: image.McubootImage, private_file: Path) -> bytes:
    """Decrypt as MCUboot does (`boot/bootutil/src/encrypted.c`); the plain firmware."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    def counter(key: bytes, data: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).decryptor().update(data)

    entry = parsed.tlv(0x30, 0x31, 0x32, 0x33, 0x34)
    assert entry is not None
    size = 32 if parsed.flags & 0x08 else 16
    if entry.type == 0x31:
        key = aes_key_unwrap(base64.b64decode(private_file.read_bytes()), entry.value)
        return counter(key, parsed.payload)
    private: Any = load_pem_private_key(private_file.read_bytes(), None)
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
        sha: Any = hashes.SHA512() if entry.type == 0x34 else hashes.SHA256()
        derive = HKDF(sha, size + sha.digest_size, None, b"MCUBoot_ECIES_v1")
        key = counter(derive.derive(shared)[:size], entry.value[length + sha.digest_size :])
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


def make_secret(folder: Path, size: int) -> Path:
    path = folder / f"kek-{8 * size}.b64"
    path.write_text(base64.b64encode(os.urandom(size)).decode() + "\n")
    return path


@pytest.mark.parametrize("kind", [RSA, P256, P384, ED, NONE], ids=lambda kind: kind.value)
@pytest.mark.parametrize("size", [16, 32], ids=["128", "256"])
def test_aes_kw(kind: SignatureType, size: int, keys: Keys, tmp_path: Path) -> None:
    """imgtool can't wrap a key, so that is done here; all else of the image is imgtool's."""
    secret = make_secret(tmp_path, size)
    aes_256 = ("CONFIG_BOOT_ENCRYPT_ALG_AES_256",) if size == 32 else ()
    build = encrypting_build(tmp_path, keys, kind, secret, bootloader=(AES_KW, *aes_256))
    plain = (build.application.directory / "zephyr/zephyr.bin").read_bytes()

    (one,) = image.sign_build(build)

    entry = one.image.tlv(0x31)
    assert entry is not None
    assert len(entry.value) == size + 8
    assert [t.type for t in one.image.tlvs if 0x30 <= t.type <= 0x34] == [0x31]
    assert one.image.flags == (0x08 if size == 32 else 0x04)
    assert decrypt(one.image, secret)[:5003] == plain
    assert base64.b64decode(secret.read_bytes()) not in one.image.data
    # A second image has a key of its own.
    (again,) = image.sign_build(build)
    assert again.image.digest == one.image.digest
    assert again.image.payload != one.image.payload


def test_aes_kw_where_the_build_does_not_encrypt(keys: Keys, tmp_path: Path) -> None:
    """`--encrypt`, with MCUboot built elsewhere, and arguments that pad the image to its slot."""
    secret = make_secret(tmp_path, 16)
    extra = "CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS=--pad --custom-tlv 0xa1 text"
    build = encrypting_build(
        tmp_path, keys, RSA, secret, extra, layout=Layout.NCS_CHILD_IMAGE,
        mode=Mode.SWAP_USING_MOVE, own=(),
    )  # fmt: skip
    build = replace(build, images=tuple(i for i in build.images if i.role.value != "bootloader"))
    (plain,) = image.sign_build(build)
    assert not plain.image.is_encrypted

    (one,) = image.sign_build(build, encrypt=secret)

    assert decrypt(one.image, secret)[: plain.image.payload_size] == plain.image.payload
    assert len(one.image.data) == len(plain.image.data) == 0x7A000
    assert one.image.data[-16:] == plain.image.data[-16:]  # the trailer's magic
    assert [t.value for t in one.image.tlvs if t.protected] == [b"text"]


@pytest.mark.parametrize("fill", [0, 1])
def test_aes_kw_up_to_the_last_byte(fill: int, keys: Keys, tmp_path: Path) -> None:
    """imgtool's own entry for the key, longer with RSA, does not count."""
    secret = make_secret(tmp_path, 16)
    build = encrypting_build(tmp_path, keys, RSA, secret, bootloader=(AES_KW,), slot_size=0x10000)
    limit = image.capacity(build, build.slots[0]).limit
    entries = 4 + 36 + 36 + 260 + 28
    size = (limit - 0x200 - entries) // 16 * 16
    path = build.application.directory / "zephyr/zephyr.bin"
    path.write_bytes(firmware(0, size + fill))
    if not fill:
        assert limit - image.sign_build(build)[0].image.size < 16
        return
    error = refused(build)
    assert error.diagnostic.code == "IM304"
    assert error.diagnostic.data["size"] == 0x200 + size + 16 + entries


@pytest.mark.parametrize("content", [b"", b"AAAA", b"\xff" * 16, b"no key", b"A" * 5000])
def test_secret_that_is_none(content: bytes, keys: Keys, tmp_path: Path) -> None:
    secret = tmp_path / "kek.b64"
    secret.write_bytes(content)
    error = refused(encrypting_build(tmp_path, keys, P256, secret, bootloader=(AES_KW,)))
    assert error.diagnostic.code == "IM302"
    assert error.diagnostic.message == (
        "the encryption key is neither a key in PEM form nor 16 or 32 bytes in base64"
    )


def test_secret_is_never_shown(tmp_path: Path) -> None:
    from west_dfu_ble.image.key_wrapping import wrapping_key

    path = make_secret(tmp_path, 16)
    assert path.read_text().strip() not in repr(wrapping_key(path))
    assert repr(wrapping_key(path)) == "WrappingKey()"


@pytest.mark.parametrize(
    ("bootloader", "message"),
    [
        (("CONFIG_BOOT_X",), "the image is encrypted for ECIES-P256, MCUboot is built without "),
        (
            ("CONFIG_BOOT_ENCRYPT_RSA",),
            "the image is encrypted for ECIES-P256, MCUboot is built for RSA-OAEP",
        ),
    ],
)
def test_bootloader_that_can_not_decrypt(
    bootloader: tuple[str, ...], message: str, keys: Keys, tmp_path: Path
) -> None:
    _, public = make_encryption_key(P256, tmp_path)
    error = refused(encrypting_build(tmp_path, keys, P256, public, bootloader=bootloader))
    assert error.diagnostic.code == "IM319"
    assert error.diagnostic.message.startswith(message)


def test_aes_kw_is_not_in_mcuboot_s_port(keys: Keys, tmp_path: Path) -> None:
    build = encrypting_build(
        tmp_path, keys, P256, make_secret(tmp_path, 16), bootloader=("CONFIG_BOOT_ENCRYPT_EC256",)
    )
    assert refused(build).diagnostic.message == (
        "the image is encrypted for AES-KW, MCUboot is built for ECIES-P256"
    )


@pytest.mark.parametrize(
    ("settings", "bootloader", "size"),
    [
        ((AES_256,), (UNWRAPS[P256],), 16),
        ((), (AES_KW, "CONFIG_BOOT_ENCRYPT_ALG_AES_256"), 16),
        ((), (AES_KW,), 32),
    ],
)
def test_other_length_of_key(
    settings: tuple[str, ...], bootloader: tuple[str, ...], size: int, keys: Keys, tmp_path: Path
) -> None:
    is_kw = AES_KW in bootloader
    key = make_secret(tmp_path, size) if is_kw else make_encryption_key(P256, tmp_path)[1]
    error = refused(encrypting_build(tmp_path, keys, P256, key, *settings, bootloader=bootloader))
    assert error.diagnostic.code == "IM319"
    assert " is encrypted with AES-" in error.diagnostic.message


def test_rsa_3072_is_for_signatures(keys: Keys, tmp_path: Path) -> None:
    """MCUboot unwraps 256 bytes, whatever imgtool makes."""
    rsa_3072 = SignatureType.RSA_3072
    public = tmp_path / "public.pem"
    run_imgtool("getpub", "-k", keys[rsa_3072], "-e", "pem", "-o", public)
    build = encrypting_build(tmp_path, keys, rsa_3072, public, bootloader=(UNWRAPS[RSA],))
    assert refused(build).diagnostic.message == (
        "the image's wrapped key (RSA-OAEP) has 384 bytes, MCUboot takes 256"
    )


def test_key_that_imgtool_forgets(keys: Keys, tmp_path: Path) -> None:
    """For P-384 it writes an image that nobody can ever decrypt, and calls that a success."""
    public = tmp_path / "public.pem"
    run_imgtool("getpub", "-k", keys[P384], "-e", "pem", "-o", public)
    error = refused(encrypting_build(tmp_path, keys, P384, public))
    assert error.diagnostic.code == "IM319"
    assert error.diagnostic.message == (
        "the image is encrypted, and the key to decrypt it with is not in it"
    )


def test_hmac_sha_512(keys: Keys, tmp_path: Path) -> None:
    private, public = make_encryption_key(ED, tmp_path)
    boot = (UNWRAPS[ED], "CONFIG_BOOT_HMAC_SHA512")
    build = encrypting_build(tmp_path, keys, ED, public, bootloader=boot)
    (one,) = image.sign_build(build)
    assert one.image.tlv(0x34) is not None
    plain = (build.application.directory / "zephyr/zephyr.bin").read_bytes()
    assert decrypt(one.image, private)[:5003] == plain


def test_pure_signature_can_not_be_checked(keys: Keys, tmp_path: Path) -> None:
    _, public = make_encryption_key(ED, tmp_path)
    pure = "CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE"
    error = refused(encrypting_build(tmp_path, keys, ED, public, pure))
    assert error.diagnostic.code == "IM315"


@pytest.mark.parametrize("size", [0, 16])
def test_signed_elsewhere(size: int, keys: Keys, tmp_path: Path) -> None:
    """What is signed is the plain image, so who signs needs no encryption key."""
    private, encrypt = make_encryption_key(P256, tmp_path)
    bootloader = (UNWRAPS[P256], AES_KW)
    if size:
        private = encrypt = make_secret(tmp_path, size)
    build = encrypting_build(tmp_path, keys, P256, encrypt, bootloader=bootloader)
    public = tmp_path / "public.pem"
    run_imgtool("getpub", "-k", keys[P256], "-e", "pem", "-o", public)
    (request,) = image.signing_requests(build, public)

    signature = {(0, 0): hsm(keys[P256], request)}
    (one,) = image.sign_build(build, detached=image.Detached(public, signature))

    plain = (build.application.directory / "zephyr/zephyr.bin").read_bytes()
    assert decrypt(one.image, private)[:5003] == plain


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
    from west_dfu_ble.image.decryption import require_same_firmware
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
