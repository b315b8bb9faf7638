# SPDX-License-Identifier: Apache-2.0
"""What signing refuses, each with one diagnostic, and with nothing written."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from imgtool_runs import run_imgtool
from sample_builds import copy_tiny
from signing_builds import firmware, make_build
from signing_cases import (
    ED,
    END,
    P256,
    Keys,
    hex_record,
    made_build,
    refused,
)
from west_dfu_ble import builddir, image
from west_dfu_ble.builddir import Layout
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode as Mode


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A copy of the samples without anything signed."""
    return copy_tiny(tmp_path / "tiny")


def test_key_missing(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys, key=tmp_path / "none.pem")
    error = refused(build)
    assert error.diagnostic.code == "IM301"
    assert error.diagnostic.message == (
        f"the build's signing key `{tmp_path / 'none.pem'}` is not on this machine"
    )
    assert error.diagnostic.location == build.key.location if build.key else False
    assert refused(build, key=tmp_path / "nor-this.pem").diagnostic.code == "IM301"
    assert refused(replace(build, key=None)).diagnostic.message == "the build names no signing key"


def test_wrong_key_is_refused_with_both_hashes(tiny: Path, other_keys: Keys) -> None:
    build = builddir.load(tiny / "build-swap")
    ours, theirs = image.build_key(build), image.public_key(other_keys[P256])
    assert ours is not None
    error = refused(build, key=other_keys[P256])
    assert error.diagnostic.code == "IM303"
    assert error.diagnostic.message == (
        f"the key's hash is {theirs.keyhash.hex()[:16]}…, "
        f"that of the bootloader's key {ours.keyhash.hex()[:16]}…"
    )
    assert error.status == 5


def test_wrong_key_without_the_bootloader_s_elf(
    tmp_path: Path, keys: Keys, other_keys: Keys
) -> None:
    build = made_build(tmp_path / "b", keys)
    assert refused(build, key=other_keys[P256]).diagnostic.code == "IM303"


def test_key_of_another_type(tmp_path: Path, keys: Keys) -> None:
    error = refused(made_build(tmp_path / "b", keys, key=keys[ED]))
    assert error.diagnostic.code == "IM303"
    assert error.diagnostic.message == "the key is ED25519, MCUboot is built for ECDSA P-256"


def test_public_key_where_a_private_one_is_needed(tmp_path: Path, keys: Keys) -> None:
    public = tmp_path / "public.pem"
    run_imgtool("getpub", "-k", keys[P256], "-e", "pem", "-o", public)
    error = refused(made_build(tmp_path / "b", keys, key=public))
    assert error.diagnostic.code == "IM302"
    assert error.diagnostic.message == "the key file holds a public key only"


@pytest.mark.parametrize(("excess", "fits"), [(0, True), (1, False), (5000, False)])
@pytest.mark.parametrize(
    ("mode", "limit"),
    [
        # 0x10000 less the trailer of 1584 bytes in whole sectors, less one sector
        (Mode.SWAP_USING_MOVE, 0x10000 - 2 * 4096),
        # imgtool keeps a swap trailer free in every mode: 128 x 3 x 4 + 4 x 8 + 16
        (Mode.OVERWRITE_ONLY, 0x10000 - 1584),
        (Mode.DIRECT_XIP, 0x10000 - 1584),
        (Mode.SWAP_USING_SCRATCH, 0x10000 - 1584),
    ],
)
def test_too_large(
    tmp_path: Path, keys: Keys, mode: Mode, limit: int, excess: int, fits: bool
) -> None:
    build = made_build(tmp_path / "b", keys, mode, signature=ED, key=keys[ED], slot_size=0x10000)
    entries = 4 + 36 + 36 + 68
    for slot, name in enumerate(("app_to_sign.bin", "mcuboot_secondary_app_to_sign.bin")):
        data = firmware(slot, limit - 0x200 - entries + excess)
        (build.path / "zephyr" / name).write_bytes(data)
    if fits:
        assert {one.image.size for one in image.sign_build(build)} == {limit}
        return
    error = refused(build)
    assert error.diagnostic.code == "IM304"
    assert error.diagnostic.message == (
        f"the image has {limit + excess} bytes, {excess} more than the {limit} "
        "that the primary slot can take"
    )
    assert error.diagnostic.notes[0].text == "the primary slot has 65536 bytes"


def test_binary_linked_for_the_other_slot(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys, Mode.DIRECT_XIP)
    variant = build.path / "zephyr/mcuboot_secondary_app_to_sign.bin"
    variant.write_bytes(firmware(0))
    error = refused(build)
    assert error.diagnostic.code == "IM312"
    assert error.diagnostic.message == (
        "the firmware starts at 0x8300, in the primary slot, and is meant for the secondary slot "
        "(0x82000 to 0xfc000)"
    )
    assert error.diagnostic.location is not None
    assert error.diagnostic.location.path == variant
    (build.path / "zephyr/app_to_sign.bin").write_bytes(bytes(4) + b"\x01\x00\x10\x00" + bytes(99))
    assert "in neither slot" in refused(build).diagnostic.message


def test_variant_that_is_a_copy(tmp_path: Path, keys: Keys) -> None:
    """Where no vector table tells (not a Cortex-M), the copy itself does."""
    build = make_build(
        tmp_path / "b", Layout.NCS_CHILD_IMAGE, Mode.DIRECT_XIP, "CONFIG_CPU_CORTEX_M=n",
        signature=P256, key=keys[P256],
    )  # fmt: skip
    (tmp_path / "b/zephyr").mkdir(parents=True)
    for name in ("app_to_sign.bin", "mcuboot_secondary_app_to_sign.bin"):
        (tmp_path / "b/zephyr" / name).write_bytes(b"same firmware")
    error = refused(build)
    assert error.diagnostic.code == "IM312"
    assert error.diagnostic.message == (
        "`mcuboot_secondary_app_to_sign.bin` is a copy of `app_to_sign.bin`"
    )


@pytest.mark.parametrize(
    ("layout", "knows_mode", "settings", "edit", "file"),
    [
        (
            Layout.NCS_CHILD_IMAGE,
            False,
            ("CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=n",),
            "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=y",
            "prj.conf",
        ),
        (
            Layout.NCS_CHILD_IMAGE,
            True,
            ("CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=n",),
            "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=y",
            "prj.conf",
        ),
        (
            Layout.NCS_CHILD_IMAGE,
            False,
            ("CONFIG_MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH",),
            "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP=y\nCONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=y",
            "prj.conf",
        ),
        (
            Layout.NCS_SYSBUILD,
            True,
            (),
            "SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT=y",
            "sysbuild.conf",
        ),
        (Layout.ZEPHYR_SYSBUILD, True, (), "", ""),
    ],
    ids=["2.0-2.3", "2.4-2.6", "application-believes-swap", "sysbuild", "upstream"],
)
def test_direct_xip_without_the_variant(
    tmp_path: Path, keys: Keys, layout: Layout, knows_mode: bool, settings: tuple[str, ...],
    edit: str, file: str,
) -> None:  # fmt: skip
    build = make_build(
        tmp_path / "b",
        layout,
        Mode.DIRECT_XIP,
        *settings,
        signature=P256,
        key=keys[P256],
        variant=False,
        knows_mode=knows_mode,
    )
    pads = layout is not Layout.ZEPHYR_SYSBUILD
    path = build.application.directory / "zephyr/zephyr.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(firmware() if pads else bytes(0x200) + firmware())

    error = refused(build)

    assert error.diagnostic.code == "IM308"
    assert [(h.edit, h.file) for h in error.diagnostic.helps] == [(edit, file)]


def test_no_binary(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys)
    (build.path / "zephyr/app_to_sign.bin").unlink()
    error = refused(build)
    assert (error.diagnostic.code, error.status) == ("IM309", 4)
    assert error.diagnostic.message == "there is no binary of the image `app`"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("zephyr.bin", b"", "`zephyr.bin` is empty"),
        ("zephyr.hex", END.encode(), "`zephyr.hex` is empty"),
        ("zephyr.hex", b"\xff\xfe", "`zephyr.hex` is no Intel HEX file"),
        (
            "zephyr.hex",
            (hex_record(0, b"abcd") + hex_record(2, b"xyz") + END).encode(),
            "`zephyr.hex` is no sound Intel HEX file: hex file has data overlap at address 0x2 on "
            "line 2",
        ),
        (
            "zephyr.hex",
            b":00000001FE\n",
            "`zephyr.hex` is no sound Intel HEX file: record at line 1 has invalid checksum",
        ),
        (
            "zephyr.hex",
            (
                hex_record(0, b"a") + hex_record(0, b"\xff\x00", 4) + hex_record(0, b"b") + END
            ).encode(),
            "`zephyr.hex` spans 4278190081 bytes, from 0x0 to 0xff000000",
        ),
    ],
    ids=["empty-bin", "empty-hex", "not-text", "overlap", "checksum", "gap-of-gigabytes"],
)
def test_binary_that_makes_no_sense(
    tmp_path: Path, keys: Keys, name: str, content: bytes, message: str
) -> None:
    build = made_build(tmp_path / "b", keys)
    (build.path / "zephyr/app_to_sign.bin").unlink()
    (build.path / "zephyr" / name).write_bytes(content)
    error = refused(build)
    assert (error.diagnostic.code, error.status) == ("IM316", 5)
    assert error.diagnostic.message == message


def test_no_room_for_the_header(tmp_path: Path, keys: Keys) -> None:
    build = make_build(
        tmp_path / "b", Layout.ZEPHYR, Mode.SWAP_USING_MOVE, signature=P256, key=keys[P256]
    )
    (tmp_path / "b/zephyr").mkdir(parents=True)
    (tmp_path / "b/zephyr/zephyr.bin").write_bytes(firmware())
    error = refused(build)
    assert error.diagnostic.code == "IM312"
    assert error.diagnostic.message == (
        "the binary does not begin with 512 zero bytes of room for the header"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not read-only on Windows")
@pytest.mark.parametrize("place", ["images", "package"])
def test_folder_that_can_not_be_written(tmp_path: Path, keys: Keys, place: str) -> None:
    build = made_build(tmp_path / "b", keys)
    # A folder in the way fails for root too, whom permissions don't stop.
    names = {"images": "app_update.bin", "package": "dfu_application.zip"}
    (build.path / "zephyr" / names[place]).mkdir()
    (build.path / "zephyr" / names[place] / "in-the-way").touch()
    error = refused(build)
    assert (error.diagnostic.code, error.status) == ("IM313", 5)
    assert error.diagnostic.message == f"`{names[place]}` can't be written: Is a directory"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions don't stop this user"
)
def test_read_only_build_directory(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys)
    (build.path / "zephyr").chmod(0o555)
    try:
        assert refused(build).diagnostic.message == (
            "`app_update.bin` can't be written: Permission denied"
        )
    finally:
        (build.path / "zephyr").chmod(0o755)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to the second file's temporary one fails as on a full disk."""
    build = made_build(tmp_path / "b", keys, Mode.DIRECT_XIP)
    name = f".mcuboot_secondary_app_update.bin.{os.getpid()}.tmp"
    (build.path / "zephyr" / name).symlink_to("/dev/full")
    with pytest.raises(DfuBleError) as caught:
        image.sign_build(build)
    assert caught.value.diagnostic.message == (
        "`mcuboot_secondary_app_update.bin` can't be written: No space left on device"
    )
    assert sorted(p.name for p in (build.path / "zephyr").iterdir()) == [
        "app_to_sign.bin",
        "mcuboot_secondary_app_to_sign.bin",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk_leaves_no_folder(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys)
    package = build.path / "zephyr/dfu_application.zip"
    package.with_name(f".{package.name}.{os.getpid()}.tmp").symlink_to("/dev/full")
    error = refused(build, output=tmp_path / "new/folder", package=package)
    assert "No space left on device" in error.diagnostic.message
    assert not (tmp_path / "new").exists()


def test_imgtool_s_refusal_is_one_diagnostic(
    tmp_path: Path, keys: Keys, capfd: pytest.CaptureFixture[str]
) -> None:
    build = make_build(
        tmp_path / "b",
        Layout.NCS_CHILD_IMAGE,
        Mode.SWAP_USING_MOVE,
        "CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS=--no-such-option",
        signature=P256,
        key=keys[P256],
    )
    (tmp_path / "b/zephyr").mkdir(parents=True)
    (tmp_path / "b/zephyr/app_to_sign.bin").write_bytes(firmware())
    error = refused(build)
    assert error.diagnostic.code == "IM310"
    assert error.diagnostic.message.startswith("imgtool refused: No such option")
    assert "--no-such-option" in error.diagnostic.notes[0].text
    assert capfd.readouterr() == ("", "")
