# SPDX-License-Identifier: Apache-2.0
"""The sample build directories are what they claim: ELF, binary, slots and settings agree."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from elf_facts import elf_facts
from west_dfu_ble import builddir
from west_dfu_ble.builddir import Layout, Role, SignatureType
from west_dfu_ble.mcuboot import BootloaderMode

TINY = Path(__file__).resolve().parents[2] / "samples" / "tiny"
BUILDS = ("build-swap", "build-direct-xip")
HEADER = 0x200
RAM = range(0x20000000, 0x20040000 + 1)

# build, the image's folder in it, its slot and the slot's size, the binary that is signed
IMAGES = [
    ("build-swap", ".", 0xC000, 0x79000, "app_to_sign.bin"),
    ("build-direct-xip", ".", 0x8000, 0x7A000, "app_to_sign.bin"),
    (
        "build-direct-xip",
        "mcuboot_secondary_app",
        0x82000,
        0x7A000,
        "mcuboot_secondary_app_to_sign.bin",
    ),
]


def committed_files() -> list[Path]:
    """The files of both build directories, without what a run of the tool leaves there."""
    return [
        path
        for build in BUILDS
        for path in sorted((TINY / build).rglob("*"))
        if path.is_file()
        and not path.match("*_update.bin")
        and not path.match("dfu_application.zip*")
    ]


@pytest.mark.parametrize(("build", "folder", "slot", "size", "to_sign"), IMAGES)
def test_image_is_linked_for_its_slot(
    build: str, folder: str, slot: int, size: int, to_sign: str
) -> None:
    zephyr = TINY / build / folder / "zephyr"
    facts = elf_facts(zephyr / "zephyr.elf")
    binary = (zephyr / "zephyr.bin").read_bytes()
    inside = range(slot + HEADER, slot + size)

    assert min(address for address, _ in facts.segments) == slot + HEADER
    assert all(address + len(data) - 1 in inside for address, data in facts.segments)
    assert facts.symbols["_vector_table"] == ("STB_GLOBAL", slot + HEADER)
    stack, reset = struct.unpack_from("<II", binary)
    assert stack in RAM
    assert reset & 1
    assert reset == facts.entry
    assert reset in inside
    assert binary == facts.binary
    assert (TINY / build / "zephyr" / to_sign).read_bytes() == binary


@pytest.mark.parametrize(("build", "folder", "slot", "size", "to_sign"), IMAGES)
def test_update_callback_is_local_and_stands_in_the_table(
    build: str, folder: str, slot: int, size: int, to_sign: str
) -> None:
    facts = elf_facts(TINY / build / folder / "zephyr/zephyr.elf")
    binding, function = facts.symbols["upload_confirm_cb"]
    start = facts.symbols["update_callbacks_start"][1] - slot - HEADER
    end = facts.symbols["update_callbacks_end"][1] - slot - HEADER

    assert binding == "STB_LOCAL"
    assert struct.unpack(f"<{(end - start) // 4}I", facts.binary[start:end]) == (function,)


@pytest.mark.parametrize("build", BUILDS)
def test_boot_program_lies_at_zero_and_fits(build: str) -> None:
    from intelhex import IntelHex

    zephyr = TINY / build / "mcuboot/zephyr"
    facts = elf_facts(zephyr / "zephyr.elf")
    binary = (zephyr / "zephyr.bin").read_bytes()
    hexadecimal = IntelHex(str(zephyr / "zephyr.hex"))
    partitions = yaml.safe_load((TINY / build / "partitions.yml").read_text())

    assert facts.symbols["_vector_table"][1] == 0
    assert facts.binary == binary
    assert (hexadecimal.minaddr(), bytes(hexadecimal.tobinarray())) == (0, binary)
    assert len(binary) <= partitions["mcuboot"]["size"]


def test_primary_and_variant_are_the_same_program_at_two_places() -> None:
    build = TINY / "build-direct-xip"
    primary = (build / "zephyr/app_to_sign.bin").read_bytes()
    variant = (build / "zephyr/mcuboot_secondary_app_to_sign.bin").read_bytes()

    differing = sum(a != b for a, b in zip(primary, variant, strict=True))
    assert 64 < differing < 1024  # the vectors and a few literals, not the resource
    for name in (".config", "zephyr.dts"):
        files = [build / folder / "zephyr" / name for folder in (".", "mcuboot_secondary_app")]
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(("build", "folder", "slot", "size", "to_sign"), IMAGES)
def test_image_gives_a_progress_bar_something_to_show(
    build: str, folder: str, slot: int, size: int, to_sign: str
) -> None:
    binary = (TINY / build / "zephyr" / to_sign).read_bytes()
    assert 190_000 < len(binary) < 210_000
    assert len(zlib.compress(binary, 9)) / len(binary) > 0.9


@pytest.mark.parametrize("build", BUILDS)
def test_partition_files_and_configuration_agree(build: str) -> None:
    folder = TINY / build
    partitions: dict[str, Any] = yaml.safe_load((folder / "partitions.yml").read_text())
    regions: dict[str, Any] = yaml.safe_load((folder / "regions.yml").read_text())
    pm = dict(line.split("=", 1) for line in (folder / "pm.config").read_text().splitlines())
    read = builddir.load(folder)
    application, bootloader = read.application.kconfig, read.bootloader

    for name, part in partitions.items():
        key = f"PM_{name.upper()}"
        figures = {f"{key}_ADDRESS": part["address"], f"{key}_SIZE": part["size"]}
        assert {k: int(pm[k], 0) for k in figures} == figures
        region = regions[part["region"]]
        assert region["base_address"] <= part["address"]
        assert part["end_address"] == part["address"] + part["size"]
        assert part["end_address"] <= region["base_address"] + region["size"]
        if "span" in part:
            assert sum(partitions[p]["size"] for p in part["span"]) == part["size"]
    # Without those that consist of others, the partitions fill the flash from end to end.
    flat = sorted(
        (part["address"], part["end_address"])
        for part in partitions.values()
        if part["region"] == "flash_primary" and "span" not in part
    )
    assert [start for start, _ in flat] == [0, *(end for _, end in flat[:-1])]
    assert flat[-1][1] == 0x100000
    assert bootloader is not None
    configured = bootloader.kconfig.integer("CONFIG_PM_PARTITION_SIZE_MCUBOOT")
    assert partitions["mcuboot"]["size"] == configured
    configured = application.integer("CONFIG_PM_PARTITION_SIZE_SETTINGS_STORAGE")
    assert partitions["settings_storage"]["size"] == configured
    assert partitions["sram_primary"]["size"] == application.integer("CONFIG_PM_SRAM_SIZE")


@pytest.mark.parametrize(
    ("build", "mode", "signature", "slots"),
    [
        (
            "build-swap",
            BootloaderMode.SWAP_USING_MOVE,
            SignatureType.ECDSA_P256,
            [(0xC000, 0x79000), (0x85000, 0x79000)],
        ),
        (
            "build-direct-xip",
            BootloaderMode.DIRECT_XIP,
            SignatureType.RSA_2048,
            [(0x8000, 0x7A000), (0x82000, 0x7A000)],
        ),
    ],
)
def test_reader_sees_what_was_built(
    build: str,
    mode: BootloaderMode,
    signature: SignatureType,
    slots: list[tuple[int, int]],
    tmp_path: Path,
) -> None:
    # In any folder of any machine: the paths that the build recorded are not here.
    shutil.copytree(TINY, tmp_path / "elsewhere")
    read = builddir.load(tmp_path / "elsewhere" / build)

    assert read.layout is Layout.NCS_CHILD_IMAGE
    assert (read.mode_built and read.mode_built.mode) is mode
    assert (read.mode_believed and read.mode_believed.mode) is mode
    assert read.signature_type is signature
    assert [(slot.address.value, slot.size.value) for slot in read.slots] == slots
    roles = {image.role for image in read.images}
    assert roles == {Role.APPLICATION, Role.BOOTLOADER} | (
        {Role.VARIANT} if mode.is_direct_xip else set()
    )
    assert (read.ncs_version, read.zephyr_version) == ("2.5.0", "3.4.99")
    assert read.version == "1.2.0+0"
    assert b"1.2.0+0\0" in (TINY / build / "zephyr/zephyr.bin").read_bytes()
    assert read.key is not None
    assert read.key.exists
    assert read.key.path is not None
    assert read.key.path.resolve().is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("config", "fragment"),
    [
        ("build-swap/zephyr/.config", "prj_swap.conf"),
        ("build-swap/mcuboot/zephyr/.config", "child_image/mcuboot/prj_swap.conf"),
        ("build-direct-xip/zephyr/.config", "prj_direct_xip.conf"),
        ("build-direct-xip/mcuboot/zephyr/.config", "child_image/mcuboot/prj_direct_xip.conf"),
    ],
)
def test_every_setting_arrived_in_the_configuration(config: str, fragment: str) -> None:
    lines = (TINY / config).read_text().splitlines()
    settings = [line for line in (TINY / fragment).read_text().splitlines() if "=" in line]
    assert settings
    for setting in settings:
        assert lines.count(setting) == 1, setting
    names = [m[1] for m in (re.match(r"(?:# )?(CONFIG_\w+)", line) for line in lines) if m]
    assert len(names) == len(set(names))


def test_keys_are_of_the_type_that_their_names_say() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    keys = {
        path.name: load_pem_private_key(path.read_bytes(), None)
        for path in (TINY / "keys").glob("*.pem")
    }
    assert keys.keys() == {"sample-ecdsa-p256-never-use.pem", "sample-rsa-2048-never-use.pem"}
    curve = keys["sample-ecdsa-p256-never-use.pem"]
    assert isinstance(curve, ec.EllipticCurvePrivateKey)
    assert curve.curve.name == "secp256r1"
    modulus = keys["sample-rsa-2048-never-use.pem"]
    assert isinstance(modulus, rsa.RSAPrivateKey)
    assert modulus.key_size == 2048


def test_build_directories_are_small_and_hold_nothing_of_the_machine_that_made_them() -> None:
    total = 0
    for path in committed_files():
        data = path.read_bytes()
        total += len(data)
        assert not re.search(rb"/(?:tmp|root|work|opt|usr)/|/home/(?!user/)", data), path
    assert total < 2_500_000


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("strictness", [(), ("--release",)], ids=["development", "release"])
def test_check_finds_nothing_and_leaves_nothing_undecided(
    build: str, strictness: tuple[str, ...]
) -> None:
    arguments = ("-d", str(TINY / build), "--strict", "--fail-on", "info", "--format", "json")
    result = subprocess.run(
        [sys.executable, "-m", "west_dfu_ble", "check", *arguments, *strictness],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    assert json.loads(result.stdout)


def test_rebuilding_gives_the_same_bytes(tmp_path: Path) -> None:
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    made_with = re.search(r'COMPILER = "(.*)"', (TINY / "rebuild.py").read_text())
    assert made_with
    version = subprocess.run(
        [compiler, "-dumpversion"], check=True, capture_output=True, text=True
    ).stdout.strip()
    if version != made_with[1]:
        pytest.skip(f"arm-none-eabi-gcc is {version}, the sample was made with {made_with[1]}")

    subprocess.run([sys.executable, str(TINY / "rebuild.py"), str(tmp_path)], check=True)

    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert {path.parts[0] for path in made} == set(BUILDS)
    for path in made:
        assert (tmp_path / path).read_bytes() == (TINY / path).read_bytes(), path
    committed_here = {path.relative_to(TINY) for path in committed_files()}
    assert committed_here == set(made), "a file that no source makes"
