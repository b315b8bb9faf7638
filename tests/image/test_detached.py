# SPDX-License-Identifier: Apache-2.0
"""Signatures made by somebody else: an HSM, or the one machine that has the key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from imgtool_runs import imgtool_accepts, run_imgtool
from signing_builds import firmware, make_build
from signing_cases import ED, P256, Keys, hsm, made_build, tree
from west_dfu_ble import image
from west_dfu_ble.builddir import Build, Layout, SignatureType
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode as Mode

KINDS = [*SignatureType][1:]


def public_half(key: Path, folder: Path) -> Path:
    path = folder / "public.pem"
    run_imgtool("getpub", "-k", key, "-e", "pem", "-o", path)
    return path


def locked_away(folder: Path, keys: Keys, kind: SignatureType, mode: Mode) -> tuple[Build, Path]:
    """A build whose private key is not on this machine, and the public half."""
    build = made_build(folder / "b", keys, mode, signature=kind, key=folder / "not-here.pem")
    return build, public_half(keys[kind], folder)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_hsm(kind: SignatureType, keys: Keys, tmp_path: Path) -> None:
    build, public = locked_away(tmp_path, keys, kind, Mode.DIRECT_XIP)
    before = tree(build.path)

    requests = image.signing_requests(build, public)

    assert tree(build.path) == before
    assert [(one.image_number, one.slot) for one in requests] == [(0, 0), (0, 1)]
    signatures = {(one.image_number, one.slot): hsm(keys[kind], one) for one in requests}
    signed = image.sign_build(build, detached=image.Detached(public, signatures))
    for one in signed:
        assert imgtool_accepts(one.path, keys[kind])
        assert image.detached_signature(one.image) == signatures[0, one.slot]


def test_signature_from_the_machine_that_has_the_key(keys: Keys, tmp_path: Path) -> None:
    """What ``imgtool --sig-out`` wrote there makes the very same image here."""
    there = made_build(tmp_path / "there", keys)
    (original,) = image.sign_build(there)
    text = base64.b64encode(image.detached_signature(original.image))

    here, public = locked_away(tmp_path, keys, P256, Mode.SWAP_USING_MOVE)
    binary = (there.path / "zephyr/app_to_sign.bin").read_bytes()
    (here.path / "zephyr/app_to_sign.bin").write_bytes(binary)
    signatures = {(0, 0): base64.b64decode(text)}
    (copy,) = image.sign_build(here, detached=image.Detached(public, signatures))

    assert copy.image.data == original.image.data


@pytest.mark.parametrize("layout", [Layout.NCS_SYSBUILD, Layout.ZEPHYR])
def test_pure(layout: Layout, keys: Keys, tmp_path: Path) -> None:
    """imgtool refuses this for want of the private key; with that it makes the very same image."""
    pure = "CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE"
    mode = Mode.DIRECT_XIP if layout is Layout.NCS_SYSBUILD else Mode.SWAP_USING_MOVE
    build = make_build(tmp_path / "b", layout, mode, pure, signature=ED, key=keys[ED])
    for slot, owner in enumerate(i for i in build.images if i.role.value != "bootloader"):
        path = owner.directory / "zephyr/zephyr.bin"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(0 if mode.is_direct_xip else 0x200) + firmware(slot))
    here = image.sign_build(build, output=tmp_path / "here")
    public = public_half(keys[ED], tmp_path)

    requests = image.signing_requests(build, public)

    assert [one.data for one in requests] == [
        one.image.data[: one.image.header_size + one.image.payload_size] for one in here
    ]
    signatures = {(one.image_number, one.slot): hsm(keys[ED], one) for one in requests}
    there = image.sign_build(
        build, output=tmp_path / "there", detached=image.Detached(public, signatures)
    )
    assert [one.image.data for one in there] == [one.image.data for one in here]
    assert all(one.image.tlv(0x25) and imgtool_accepts(one.path, keys[ED]) for one in there)


@pytest.mark.parametrize(
    ("case", "code", "message"),
    [
        ("other binary", "IM307", "the image's ECDSA P-256 signature is not valid for the key "),
        ("garbage", "IM307", "the image's ECDSA P-256 signature is not valid for the key "),
        ("one missing", "IM307", "there is no signature for image 0, slot 1"),
        ("wrong type", "IM303", "the key is ED25519, MCUboot is built for ECDSA P-256"),
        ("none checked", "IM315", "a detached signature was given, and the bootloader checks none"),
    ],
)
def test_refused(case: str, code: str, message: str, keys: Keys, tmp_path: Path) -> None:
    build, public = locked_away(tmp_path, keys, P256, Mode.DIRECT_XIP)
    requests = image.signing_requests(build, public)
    signatures = {(one.image_number, one.slot): hsm(keys[P256], one) for one in requests}
    if case == "other binary":
        (build.path / "zephyr/app_to_sign.bin").write_bytes(firmware())
    elif case == "garbage":
        signatures[0, 0] = b"0\x06garbage"
    elif case == "one missing":
        del signatures[0, 1]
    elif case == "wrong type":
        public = public_half(keys[ED], tmp_path)
    else:
        build = made_build(tmp_path / "c", keys, signature=SignatureType.NONE)
    before = tree(build.path)

    with pytest.raises(DfuBleError) as caught:
        image.sign_build(build, detached=image.Detached(public, signatures))

    assert caught.value.diagnostic.code == code
    assert caught.value.diagnostic.message.startswith(message)
    assert tree(build.path) == before
