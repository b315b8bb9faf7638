# SPDX-License-Identifier: Apache-2.0
"""Signing in every layout, with every kind of key, for every core, and real payloads again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgtool_runs import imgtool_accepts
from signing_builds import firmware, kconfig_of, make_build
from signing_cases import (
    ED,
    P256,
    RSA,
    Keys,
    made_build,
    refused,
    with_network_core,
)
from smpclient_sdist import smpclient_sdist
from west_dfu_ble import image
from west_dfu_ble.builddir import Layout, SignatureType
from west_dfu_ble.mcuboot import BootloaderMode as Mode

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
