# SPDX-License-Identifier: Apache-2.0
"""Signing whole builds: the samples, every layout, and everything that goes wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from imgtool_runs import imgtool_accepts, imgtool_signs, run_imgtool
from signing_builds import firmware, kconfig_of, make_build
from smpclient_sdist import smpclient_sdist
from west_dfu_ble import builddir, image
from west_dfu_ble.builddir import (
    Artifact,
    ArtifactKind,
    Build,
    Figure,
    Image,
    Layout,
    Partition,
    Role,
    SignatureType,
    Slot,
)
from west_dfu_ble.diagnostics import DfuBleError, Location
from west_dfu_ble.mcuboot import BootloaderMode as Mode

Keys = Mapping[SignatureType, Path]
SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "tiny"
P256, RSA, ED = SignatureType.ECDSA_P256, SignatureType.RSA_2048, SignatureType.ED25519
MADE = ("*_update.bin", "dfu_application.zip*")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A copy of the samples without anything signed."""
    shutil.copytree(SAMPLES, tmp_path / "tiny", ignore=shutil.ignore_patterns(*MADE))
    return tmp_path / "tiny"


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(build: Build, **arguments: object) -> DfuBleError:
    """Sign, expect an error, and prove that nothing was written."""
    before = tree(build.path)
    with pytest.raises(DfuBleError) as caught:
        image.sign_build(build, **arguments)  # type: ignore[arg-type] # what each test varies
    assert tree(build.path) == before
    return caught.value


def made_build(
    folder: Path, keys: Keys, mode: Mode = Mode.SWAP_USING_MOVE, **facts: object
) -> Build:
    """A child-image build in `folder` with its binaries."""
    facts = {"signature": P256, "key": keys[P256], **facts}
    build = make_build(folder, Layout.NCS_CHILD_IMAGE, mode, **facts)  # type: ignore[arg-type]
    (folder / "zephyr").mkdir(parents=True)
    (folder / "zephyr/app_to_sign.bin").write_bytes(firmware(0))
    if mode.is_direct_xip:
        (folder / "zephyr/mcuboot_secondary_app_to_sign.bin").write_bytes(firmware(1))
    return build


@pytest.mark.parametrize(
    ("sample", "names", "options"),
    [
        ("build-swap", ["app_update.bin"], [()]),
        (
            "build-direct-xip",
            ["app_update.bin", "mcuboot_secondary_app_update.bin"],
            [("--rom-fixed", "0x8000"), ("--rom-fixed", "0x82000")],
        ),
    ],
)
def test_samples(
    tiny: Path, tmp_path: Path, sample: str, names: list[str], options: list[tuple[str, ...]]
) -> None:
    """What comes out differs from imgtool's own work in the signature alone, and verifies."""
    build = builddir.load(tiny / sample)
    assert build.key is not None
    assert build.key.path is not None

    signed = image.sign_build(build)

    assert [one.path for one in signed] == [build.path / "zephyr" / name for name in names]
    assert [(one.image_number, one.slot, one.kept) for one in signed] == [
        (0, slot, False) for slot in range(len(names))
    ]
    inputs = ("app_to_sign.bin", "mcuboot_secondary_app_to_sign.bin")
    for one, name, more in zip(signed, inputs, options, strict=False):
        common = ("-k", build.key.path, "--version", build.version, *more)
        data = imgtool_signs((build.path / "zephyr" / name).read_bytes(), tmp_path, *common)
        theirs = image.parse(data, tmp_path / "image.bin")
        assert one.path.read_bytes() == one.image.data
        assert (
            one.image.data[: one.image.tlvs[-1].offset - 4 - 36 - 36 - 4]
            == data[: theirs.tlvs[-1].offset - 4 - 36 - 36 - 4]
        )
        assert [t.value for t in one.image.tlvs[:-1]] == [t.value for t in theirs.tlvs[:-1]]
        assert imgtool_accepts(one.path, build.key.path)
    package = image.read_package(build.path / "zephyr/dfu_application.zip")
    assert [entry.data for entry in package.entries] == [one.image.data for one in signed]
    assert package.direct_xip == (sample == "build-direct-xip")


def test_up_to_date_images_are_kept(tiny: Path) -> None:
    path = tiny / "build-direct-xip"
    image.sign_build(builddir.load(path))
    before = tree(path)

    again = image.sign_build(builddir.load(path))

    assert [one.kept for one in again] == [True, True]
    assert tree(path) == before
    # RSA-PSS signatures differ each time.
    forced = image.sign_build(builddir.load(path), force=True)
    assert [one.kept for one in forced] == [False, False]
    assert [one.image.digest for one in forced] == [one.image.digest for one in again]
    changed = {name for name, digest in tree(path).items() if before[name] != digest}
    assert {Path(name).name for name in changed} - {"dfu_application.zip_manifest.json"} == {
        "app_update.bin",
        "mcuboot_secondary_app_update.bin",
        "dfu_application.zip",
    }


def touch_binary(build: Build) -> None:
    path = build.path / "zephyr/app_to_sign.bin"
    path.write_bytes(path.read_bytes() + b"more")


def spoil_image(build: Build) -> None:
    path = build.path / "zephyr/app_update.bin"
    data = bytearray(path.read_bytes())
    data[0x400] ^= 1
    path.write_bytes(data)


def cut_image(build: Build) -> None:
    path = build.path / "zephyr/app_update.bin"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("change", [touch_binary, spoil_image, cut_image])
def test_outdated_image_is_replaced(
    tmp_path: Path, keys: Keys, change: Callable[[Build], None]
) -> None:
    build = made_build(tmp_path / "b", keys)
    image.sign_build(build)
    change(build)

    (one,) = image.sign_build(build)

    assert not one.kept
    assert imgtool_accepts(one.path, keys[P256])
    assert one.image.payload == (build.path / "zephyr/app_to_sign.bin").read_bytes()
    package = image.read_package(build.path / "zephyr/dfu_application.zip")
    assert package.entries[0].data == one.path.read_bytes()


def test_another_version_replaces_too(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys)
    image.sign_build(build)
    (one,) = image.sign_build(build, version="2.0.0")
    assert (one.kept, str(one.image.version)) == (False, "2.0.0+0")
    package = image.read_package(build.path / "zephyr/dfu_application.zip")
    assert package.entries[0].version == "2.0.0+0"


def test_image_signed_with_another_key_is_replaced(
    tmp_path: Path, keys: Keys, other_keys: Keys
) -> None:
    build = made_build(tmp_path / "b", keys)
    image.sign_build(make_build(build.path, signature=P256, key=other_keys[P256]))
    (one,) = image.sign_build(build)
    assert not one.kept
    assert imgtool_accepts(one.path, keys[P256])


def test_image_that_sysbuild_made_is_kept(tmp_path: Path, keys: Keys) -> None:
    """By whatever name: what the build made and what is up to date stays."""
    build = make_build(
        tmp_path / "b", Layout.NCS_SYSBUILD, Mode.SWAP_USING_MOVE, signature=P256, key=keys[P256]
    )
    folder = build.application.directory / "zephyr"
    folder.mkdir(parents=True)
    (folder / "zephyr.bin").write_bytes(firmware())
    own = folder / "zephyr.signed.bin"
    run_imgtool(*image.sign_arguments(build, 0, source=folder / "zephyr.bin", target=own))
    build = replace(build, artifacts=(Artifact(ArtifactKind.UPDATE_IMAGE, own, 0, 0),))
    data = own.read_bytes()

    (one,) = image.sign_build(build)

    assert (one.path, one.kept) == (own, True)
    assert own.read_bytes() == data
    assert image.read_package(build.path / "dfu_application.zip").entries[0].data == data
    # Once it is out of date, ours takes its place before all others.
    (folder / "zephyr.bin").write_bytes(firmware())
    (one,) = image.sign_build(build)
    assert (one.path, one.kept) == (build.path / "zephyr/app_update.bin", False)
    assert own.read_bytes() == data


LAYOUTS = [
    (Layout.NCS_CHILD_IMAGE, Mode.DIRECT_XIP, True, "zephyr"),
    (Layout.NCS_SYSBUILD, Mode.DIRECT_XIP_WITH_REVERT, True, "app/zephyr"),
    (Layout.NCS_SYSBUILD, Mode.DIRECT_XIP, False, "app/zephyr"),
    (Layout.ZEPHYR_SYSBUILD, Mode.SWAP_USING_MOVE, False, "app/zephyr"),
    (Layout.ZEPHYR, Mode.OVERWRITE_ONLY, False, "zephyr"),
]


@pytest.mark.parametrize(("layout", "mode", "pm", "folder"), LAYOUTS)
@pytest.mark.parametrize("suffix", ["bin", "hex"])
def test_every_layout(
    tmp_path: Path, keys: Keys, layout: Layout, mode: Mode, pm: bool, folder: str, suffix: str
) -> None:
    from intelhex import IntelHex

    build = make_build(
        tmp_path / "b", layout, mode, signature=P256, key=keys[P256], partition_manager=pm
    )
    contents = [firmware(0), firmware(1)]
    folders = [folder, "mcuboot_secondary_app/zephyr"]
    for name, content in zip(folders, contents, strict=True):
        # Without Partition Manager the linker leaves room for the header.
        data = content if pm else bytes(0x200) + content
        path = build.path / name / f"zephyr.{suffix}"
        path.parent.mkdir(parents=True)
        if suffix == "bin":
            path.write_bytes(data)
        else:
            records = IntelHex()
            records.frombytes(data, 0x8200 if pm else 0x8000)
            records.write_hex_file(str(path))

    signed = image.sign_build(build, output=tmp_path / "out")

    assert [one.image.payload for one in signed] == contents[: len(signed)]
    assert len(signed) == (2 if mode.is_direct_xip else 1)
    for one in signed:
        assert one.path.parent == tmp_path / "out"
        assert imgtool_accepts(one.path, keys[P256])
        assert one.image.is_rom_fixed == mode.is_direct_xip
        assert one.image.load_address == ((0x8000, 0x82000)[one.slot] if mode.is_direct_xip else 0)
    assert not (build.path / "zephyr/app_update.bin").exists()


@pytest.mark.parametrize("kind", [*SignatureType][1:], ids=lambda kind: kind.value)
def test_every_signature_type(tmp_path: Path, keys: Keys, kind: SignatureType) -> None:
    build = made_build(tmp_path / "b", keys, signature=kind, key=keys[kind])
    (one,) = image.sign_build(build)
    assert imgtool_accepts(one.path, keys[kind])


@pytest.mark.parametrize("settings", [("--pure",), ("--sha", "512")])
def test_ed25519_of_nrf54l(tmp_path: Path, keys: Keys, settings: tuple[str, ...]) -> None:
    options = ["CONFIG_SOC_SERIES_NRF54LX"]
    if settings == ("--pure",):
        options.append("CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE")
    build = make_build(
        tmp_path / "b",
        Layout.NCS_SYSBUILD,
        Mode.SWAP_USING_MOVE,
        *options,
        signature=ED,
        key=keys[ED],
        header=0x800,
        write_block=16,
    )
    (tmp_path / "b/app/zephyr").mkdir(parents=True)
    (tmp_path / "b/app/zephyr/zephyr.bin").write_bytes(firmware(header=0x800))
    (one,) = image.sign_build(build)
    assert imgtool_accepts(one.path, keys[ED])
    assert (one.image.tlv(image.TlvType.SIG_PURE) is not None) == (settings == ("--pure",))
    assert one.image.digest_bits == 512
    assert [again.kept for again in image.sign_build(build)] == [True]


def test_unsigned_where_mcuboot_checks_nothing(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys, signature=SignatureType.NONE, key=None)
    (one,) = image.sign_build(build)
    assert [t.type for t in one.image.tlvs] == [image.TlvType.SHA256]
    assert [again.kept for again in image.sign_build(build)] == [True]


def test_payload_in_another_version(tiny: Path) -> None:
    build = builddir.load(tiny / "build-direct-xip")
    key = image.build_key(build)
    before = tree(build.path)
    new = image.sign_build(build, output=tiny / "out")
    for one in new:
        data = image.sign_payload(one.image.payload, build, one.slot, "0.9.1")
        old = image.parse(data, Path("old.bin"))
        image.prove(old, Path("old.bin"), build, one.slot, key=key)
        assert (old.payload, str(old.version)) == (one.image.payload, "0.9.1+0")
        assert old.load_address == one.image.load_address
        image.prove(one.image, one.path, build, one.slot, key=key, baseline=old.version)
        with pytest.raises(DfuBleError) as caught:
            image.prove(old, Path("old.bin"), build, one.slot, key=key, baseline=one.image.version)
        assert caught.value.diagnostic.code == "IM317"
    assert tree(build.path) == before


def test_key_is_the_one_in_the_bootloader(tiny: Path) -> None:
    for sample in ("build-swap", "build-direct-xip"):
        build = builddir.load(tiny / sample)
        assert build.bootloader is not None
        assert build.bootloader.elf is not None
        assert build.key is not None
        assert build.key.path is not None
        assert image.build_key(build) == image.public_key(build.key.path)
        hidden = replace(build, key=replace(build.key, exists=False, path=None))
        assert image.build_key(hidden) == image.public_key(build.key.path)
        bare = replace(hidden, images=(build.application,), bootloader_key=None)
        assert image.build_key(bare) is None
        # What MCUboot names comes before what the application names.
        named = replace(bare, key=replace(build.key, path=None), bootloader_key=build.key)
        assert image.build_key(named) == image.public_key(build.key.path)


def with_network_core(build: Build, name: str) -> Build:
    """Add the nRF5340's network core and the slots that Partition Manager gives it."""
    core = kconfig_of(
        build.path / name / "zephyr/.config",
        "CONFIG_BOARD=nrf5340dk_nrf5340_cpunet",
        "CONFIG_SOC=nRF5340_CPUNET_QKAA",
        "CONFIG_FW_INFO_FIRMWARE_VERSION=7",
    )
    location = Location(build.path / "partitions.yml", 1)

    def figure(value: int) -> Figure:
        return Figure(value, location)

    slots = (
        Slot(1, 0, "mcuboot_primary_1", figure(0), figure(0x40000), "ram_flash"),
        Slot(1, 1, "mcuboot_secondary_1", figure(0xEC000), figure(0x30000), "flash"),
    )
    return replace(
        build,
        images=(
            *build.images,
            Image(name, Role.NETWORK_CORE, 1, build.path / name, core, None, None),
        ),
        slots=(*build.slots, *slots),
        domain_partitions={
            "CPUNET": (
                Partition("app", figure(0x1008800), figure(0x37800), "flash"),
                Partition(name, figure(0x1008800), figure(0x37000), "flash"),
            )
        },
    )


@pytest.mark.parametrize(
    ("layout", "binary", "name", "expected"),
    [
        (
            Layout.NCS_CHILD_IMAGE,
            "zephyr/net_core_app_to_sign.bin",
            "net_core_app_update.bin",
            "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header "
            "--slot-size 0x30000 --dependencies (0,1.2.3+4)",
        ),
        (
            Layout.NCS_SYSBUILD,
            "signed_by_b0_radio.bin",
            "radio.bin",
            "--version 2.0.0+0 --align 4 --slot-size 0x37000 --pad-header --header-size 0x200 -k K",
        ),
    ],
)
def test_network_core(
    tmp_path: Path, keys: Keys, layout: Layout, binary: str, name: str, expected: str
) -> None:
    build = with_network_core(
        make_build(
            tmp_path / "b",
            layout,
            Mode.OVERWRITE_ONLY,
            "CONFIG_NRF53_ENFORCE_IMAGE_VERSION_EQUALITY",
            signature=P256,
            key=keys[P256],
            sysbuild=("SB_CONFIG_SECURE_BOOT_MCUBOOT_VERSION=2.0.0+0",),
        ),
        "radio",
    )
    contents = {
        build.application.directory / "zephyr/zephyr.bin": firmware(),
        build.path / binary: b"signed for b0n",
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    made = image.sign_arguments(
        build, 0, image=1, source=Path("i"), target=Path("o"), key=Path("K")
    )
    signed = image.sign_build(build)

    assert made == ["sign", *expected.split(), "i", "o"]
    assert [(one.image_number, one.slot, one.image.payload) for one in signed] == [
        (number, 0, content) for number, content in enumerate(contents.values())
    ]
    assert signed[1].path == build.path / "zephyr/net_core_app_update.bin"
    assert imgtool_accepts(signed[1].path, keys[P256])
    package = image.read_package(image.package_path(build))
    core = package.entries[1]
    assert (core.file, core.image, core.version, core.load_address, core.board) == (
        name,
        1,
        "7",
        0x1008800,
        "nrf5340dk_nrf5340_cpunet",
    )
    assert [one.kept for one in image.sign_build(build)] == [True, True]


def test_network_core_that_was_not_signed_for_its_own_bootloader(
    tmp_path: Path, keys: Keys
) -> None:
    build = with_network_core(made_build(tmp_path / "b", keys), "radio")
    assert len(image.sign_build(build)) == 1  # nobody asked for more
    wanted = kconfig_of(
        build.application.kconfig.path,
        *build.application.kconfig,
        "CONFIG_NRF53_UPGRADE_NETWORK_CORE",
    )
    images = (replace(build.application, kconfig=wanted), *build.images[1:])
    error = refused(replace(build, images=images))
    assert error.diagnostic.code == "IM309"
    assert error.diagnostic.message == "there is no binary of the image `radio`"


def test_tf_m_is_signed_with_the_application(tmp_path: Path, keys: Keys) -> None:
    from intelhex import IntelHex

    build = make_build(
        tmp_path / "b",
        Layout.NCS_SYSBUILD,
        Mode.SWAP_USING_MOVE,
        "CONFIG_BUILD_WITH_TFM",
        signature=P256,
        key=keys[P256],
    )
    folder = build.application.directory / "zephyr"
    folder.mkdir(parents=True)
    (folder / "zephyr.bin").write_bytes(b"the application alone")
    tfm, application = firmware(), b"application"
    merged = IntelHex()
    merged.frombytes(tfm, 0x8200)
    merged.frombytes(application, 0x8200 + len(tfm) + 100)
    merged.write_hex_file(str(folder / "tfm_merged.hex"))

    (one,) = image.sign_build(build)

    assert one.image.payload == tfm + b"\xff" * 100 + application


def test_baseline(tmp_path: Path, keys: Keys) -> None:
    build = made_build(tmp_path / "b", keys)
    (one,) = image.sign_build(build, baseline=image.ImageVersion(1, 2, 2, 9))
    assert str(one.image.version) == "1.2.3+4"
    # MCUboot was not built to look at the build number.
    error = refused(build, baseline=image.ImageVersion(1, 2, 3, 0))
    assert error.diagnostic.code == "IM317"
    assert error.diagnostic.message == (
        "the image's version 1.2.3+4 is not higher than the baseline's 1.2.3+0"
    )
    looks = make_build(
        build.path,
        signature=P256,
        key=keys[P256],
        bootloader=("CONFIG_BOOT_VERSION_CMP_USE_BUILD_NUMBER",),
    )
    assert image.sign_build(looks, baseline=image.ImageVersion(1, 2, 3, 0))[0].kept


# --- what goes wrong -------------------------------------------------------------------------


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


def hex_record(address: int, data: bytes, kind: int = 0) -> str:
    body = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return f":{(body + bytes([-sum(body) & 0xFF])).hex().upper()}\n"


END = hex_record(0, b"", 1)


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


REAL = [
    # file, imgtool's options besides version, header and slot size
    ("examples/duts/nrf52840dk_nrf52840/ble/a_smp_dut.bin", P256, ()),
    ("examples/duts/nrf52dk_nrf52832/ble/a_smp_dut.bin", RSA, ()),
    ("examples/duts/mimxrt1060_evkb/usb/a_smp_dut_8192_1_8192.bin", RSA, ()),
    (
        "tests/fixtures/smp-server/"
        "zephyr_4.4.0_smp_server_0eae053d_qemu_cortex_m0_serial.signed.bin",
        SignatureType.NONE,
        (),
    ),
    (
        "tests/fixtures/smp-server/"
        "zephyr_4.4.0_smp_server_0eae053d_mps2_an385_serial_recovery_buf400.signed.bin",
        SignatureType.NONE,
        ("ram",),
    ),
    (
        "tests/fixtures/tf-m-9a4cb1a28/tfm_s_signed.bin",
        P256,
        ("--security-counter 1 --boot-record SPE --dependencies (1,0.0.0+0)",),
    ),
]


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "kind", "extra"),
    REAL,
    ids=["nrf52840", "nrf52832", "imxrt1060", "cortex-m0", "cortex-m3", "tf-m"],
)
def test_real_payloads_signed_again(
    name: str, kind: SignatureType, extra: tuple[str, ...], keys: Keys, tmp_path: Path
) -> None:
    """The same header, payload and digest as whoever made the real image got."""
    real = image.read(smpclient_sdist() / name)
    settings = [f"CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS={text}" for text in extra if text != "ram"]
    settings.append(f"CONFIG_SRAM_BASE_ADDRESS=0x{real.load_address:x}")
    # imgtool fills room that it makes itself with 0xff; the linker's is zeros.
    padded = real.data[32] == 0xFF
    build = make_build(
        tmp_path,
        Layout.NCS_CHILD_IMAGE if padded else Layout.ZEPHYR,
        Mode.RAM_LOAD if extra == ("ram",) else Mode.SWAP_USING_MOVE,
        *settings,
        signature=kind,
        key=keys.get(kind),
        zephyr="4.1.0",
        header=real.header_size,
    )

    data = image.sign_payload(real.payload, build, 0, str(real.version))

    ours = image.parse(data, tmp_path / "ours.bin")
    assert ours.data[:32] == real.data[:32]
    assert ours.payload == real.payload
    if not any("--boot-record" in text for text in extra):
        # The boot record holds the hash of the signing key, and everybody has his own.
        assert ours.digest == real.digest
    assert [(t.type, len(t.value), t.protected) for t in ours.tlvs if t.type != 0x22] == [
        (t.type, len(t.value), t.protected) for t in real.tlvs if t.type != 0x22
    ]
