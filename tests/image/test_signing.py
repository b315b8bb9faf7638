# SPDX-License-Identifier: Apache-2.0
"""Signing whole builds: the samples, what is kept, and what is replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imgtool_runs import imgtool_accepts, imgtool_signs, run_imgtool
from sample_builds import copy_tiny
from signing_builds import firmware, make_build
from signing_cases import (
    P256,
    Keys,
    made_build,
    tree,
)
from west_dfu_ble import builddir, image
from west_dfu_ble.builddir import Artifact, ArtifactKind, Build, Layout
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode as Mode


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A copy of the samples without anything signed."""
    return copy_tiny(tmp_path / "tiny")


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
