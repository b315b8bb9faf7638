# SPDX-License-Identifier: Apache-2.0
"""What the text files of three real builds say, figure by figure with its origin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from west_dfu_ble.builddir import Build, Figure, Layout, Role, SignatureType, load
from west_dfu_ble.diagnostics import Location
from west_dfu_ble.mcuboot import BootloaderMode

BUILDS = Path(__file__).resolve().parents[3] / "shared" / "builds"
XIP = "ncs-2.5.0-child-image-direct-xip"
SWAP = "ncs-2.5.0-child-image-swap"
UPSTREAM = "zephyr-3.5.0-sysbuild-swap"


def real(name: str) -> Build:
    folder = BUILDS / name
    if not folder.is_dir():
        pytest.skip(f"no real build directories beside this checkout ({BUILDS})")
    return load(folder)


@dataclass(frozen=True)
class Expected:
    layout: Layout
    mode: BootloaderMode
    built: str  # where: file:line below the build directory
    believed: str
    slots: tuple[tuple[str, int, str, int, str, str], ...]  # name, address, at, size, at, region
    signature: SignatureType
    version: tuple[str, str]
    header: tuple[int, str]
    write: tuple[int, str]
    flash: str
    key: tuple[str, str]  # setting and where
    key_path: str
    images: tuple[tuple[str, Role, int | None, str], ...]
    zephyr: str


EXPECTED = {
    XIP: Expected(
        layout=Layout.NCS_CHILD_IMAGE,
        mode=BootloaderMode.DIRECT_XIP,
        built="mcuboot/zephyr/.config:35",
        believed="zephyr/.config:1686",
        slots=(
            (
                "mcuboot_primary",
                0x8000,
                "partitions.yml:27",
                0x7A000,
                "partitions.yml:33",
                "flash_primary",
            ),
            (
                "mcuboot_secondary",
                0x82000,
                "partitions.yml:44",
                0x7A000,
                "partitions.yml:50",
                "flash_primary",
            ),
        ),
        signature=SignatureType.RSA_2048,
        version=("0.0.0+0", "zephyr/.config:1674"),
        header=(0x200, "partitions.yml:25"),
        write=(4, "zephyr/.config:1389"),
        flash="flash_primary",
        key=("mcuboot_private_fast_pair.pem", "mcuboot/zephyr/.config:10"),
        # as the build's own imgtool command has it
        key_path="/home/user/ncs/nrf/applications/nrf_desktop/configuration/nrf52840dk_nrf52840/"
        "child_image/mcuboot/mcuboot_private_fast_pair.pem",
        images=(
            ("nrf_desktop", Role.APPLICATION, 0, "."),
            ("mcuboot", Role.BOOTLOADER, None, "mcuboot"),
            ("mcuboot_secondary_app", Role.VARIANT, 0, "mcuboot_secondary_app"),
        ),
        zephyr="3.4.99",
    ),
    SWAP: Expected(
        layout=Layout.NCS_CHILD_IMAGE,
        mode=BootloaderMode.SWAP_USING_MOVE,
        built="mcuboot/zephyr/.config:37",
        believed="zephyr/.config:1398",
        slots=(
            (
                "mcuboot_primary",
                0xC000,
                "partitions.yml:25",
                0x79000,
                "partitions.yml:32",
                "flash_primary",
            ),
            (
                "mcuboot_secondary",
                0x85000,
                "partitions.yml:43",
                0x79000,
                "partitions.yml:53",
                "flash_primary",
            ),
        ),
        signature=SignatureType.ECDSA_P256,
        version=("1.2.3+4", "zephyr/.config:1389"),
        header=(0x200, "partitions.yml:23"),
        write=(4, "zephyr/.config:1105"),
        flash="flash_primary",
        key=("root-ec-p256.pem", "mcuboot/zephyr/.config:11"),
        key_path="/home/user/ncs/bootloader/mcuboot/root-ec-p256.pem",
        images=(
            ("machine_learning", Role.APPLICATION, 0, "."),
            ("mcuboot", Role.BOOTLOADER, None, "mcuboot"),
        ),
        zephyr="3.4.99",
    ),
    UPSTREAM: Expected(
        layout=Layout.ZEPHYR_SYSBUILD,
        mode=BootloaderMode.SWAP_USING_MOVE,
        built="mcuboot/zephyr/.config:25",
        believed="smp_svr/zephyr/.config:281",
        slots=(
            (
                "slot0_partition",
                0xC000,
                "smp_svr/zephyr/zephyr.dts:383",
                0x76000,
                "smp_svr/zephyr/zephyr.dts:383",
                "flash0",
            ),
            (
                "slot1_partition",
                0x82000,
                "smp_svr/zephyr/zephyr.dts:387",
                0x76000,
                "smp_svr/zephyr/zephyr.dts:387",
                "flash0",
            ),
        ),
        signature=SignatureType.RSA_2048,
        version=("0.0.0+0", "smp_svr/zephyr/.config:272"),
        header=(0x200, "smp_svr/zephyr/.config:24"),
        write=(4, "smp_svr/zephyr/zephyr.dts:368"),
        flash="flash0",
        key=(
            "/home/user/zephyrproject/zephyr/bootloader/mcuboot/root-rsa-2048.pem",
            "smp_svr/zephyr/.config:270",
        ),
        key_path="/home/user/zephyrproject/zephyr/bootloader/mcuboot/root-rsa-2048.pem",
        images=(
            ("smp_svr", Role.APPLICATION, 0, "smp_svr"),
            ("mcuboot", Role.BOOTLOADER, None, "mcuboot"),
        ),
        zephyr="3.5.0",
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_real_build(name: str) -> None:
    build, expected = real(name), EXPECTED[name]

    def at(location: Location | None) -> str:
        assert location is not None
        path = location.path.relative_to(build.path).as_posix()
        return f"{path}:{location.line}"

    def figure(one: Figure | None) -> tuple[int, str]:
        assert one is not None
        return one.value, at(one.location)

    assert build.layout is expected.layout
    assert build.board == "nrf52840dk_nrf52840"
    assert build.zephyr_version == expected.zephyr
    assert build.mode is expected.mode
    assert build.mode_built is not None
    assert (build.mode_built.mode, at(build.mode_built.location)) == (expected.mode, expected.built)
    assert build.mode_believed is not None
    assert build.mode_believed.mode is expected.mode
    assert at(build.mode_believed.location) == expected.believed
    assert (
        tuple((s.name, *figure(s.address), *figure(s.size), s.region) for s in build.slots)
        == expected.slots
    )
    assert [(s.image, s.index) for s in build.slots] == [(0, 0), (0, 1)]
    assert build.signature_type is expected.signature
    assert (build.version, at(build.version_location)) == expected.version
    assert figure(build.header_size) == expected.header
    assert figure(build.write_block) == expected.write
    flash = next(region for region in build.flash if region.name == expected.flash)
    assert (flash.address, flash.size) == (0, 0x100000)
    assert (flash.erase_block, flash.write_block) == (0x1000, 4)
    assert (
        tuple(
            (i.name, i.role, i.number, i.directory.relative_to(build.path).as_posix())
            for i in build.images
        )
        == expected.images
    )
    assert build.artifacts == ()  # only text is there

    assert build.key is not None
    assert (build.key.setting, at(build.key.location)) == expected.key
    assert build.key.path == Path(expected.key_path)
    assert Path(expected.key_path) in build.key.tried
    assert not build.key.exists  # a fact, not an error


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_are_those_that_the_build_itself_signed_with(name: str) -> None:
    build = real(name)
    commands = (BUILDS / name / "imgtool-commands.txt").read_text(encoding="utf-8")
    signing = [line for line in commands.splitlines() if "imgtool.py sign" in line]
    assert bool(signing) == (name != UPSTREAM)  # upstream signed through `west sign`

    primary = build.slot(0)
    assert primary is not None
    for line in signing:
        options = dict(re.findall(r"--([\w-]+) (?!--)(\S+)", line))
        assert int(options["slot-size"], 0) == primary.size.value
        assert build.header_size is not None
        assert int(options["header-size"], 0) == build.header_size.value
        assert build.write_block is not None
        assert int(options["align"]) == build.write_block.value
        assert options["version"] == build.version
        assert build.key is not None
        assert build.key.path == Path(options["key"])
        if "rom-fixed" in options:
            assert int(options["rom-fixed"], 0) in {slot.address.value for slot in build.slots}


def test_variant_is_told_by_its_cache_though_its_configuration_is_the_applications() -> None:
    build = real(XIP)
    variant = build.variant
    assert variant is not None
    assert dict(variant.kconfig) != {}
    assert {k: s.value for k, s in variant.kconfig.items()} == {
        k: s.value for k, s in build.application.kconfig.items()
    }
    assert variant.kconfig.path != build.application.kconfig.path


def test_sysbuild_root_is_not_taken_for_the_application() -> None:
    build = real(UPSTREAM)
    assert build.application.application_source == Path(
        "/home/user/zephyrproject/zephyr/zephyr/samples/subsys/mgmt/mcumgr/smp_svr"
    )
    assert build.sysbuild is not None
    assert build.sysbuild.is_on("SB_CONFIG_BOOTLOADER_MCUBOOT")


def test_every_symbol_has_its_line() -> None:
    build = real(XIP)
    kconfig = build.application.kconfig
    lines = kconfig.path.read_text(encoding="utf-8").splitlines()
    assert len(kconfig) == sum("CONFIG_" in line for line in lines)
    for symbol in kconfig.values():
        line = lines[(symbol.location.line or 0) - 1]
        if symbol.value == "n":
            assert line == f"# {symbol.name} is not set"
        else:
            assert line in (f"{symbol.name}={symbol.value}", f'{symbol.name}="{symbol.value}"')
