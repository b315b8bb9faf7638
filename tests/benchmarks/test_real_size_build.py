# SPDX-License-Identifier: Apache-2.0
"""The generated build directory has the size that the benchmark claims, and reads as a build."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from elf_facts import elf_facts
from west_dfu_ble import builddir
from west_dfu_ble.builddir import Role
from west_dfu_ble.mcuboot import BootloaderMode

GENERATOR = Path(__file__).resolve().parents[2] / "benchmarks" / "real_size_build.py"


def generate(folder: Path, *options: str) -> Path:
    subprocess.run([sys.executable, str(GENERATOR), str(folder), *options], check=True)
    return folder / "build-direct-xip"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("real size"))


@pytest.mark.parametrize(("folder", "slot"), [(".", 0x8000), ("mcuboot_secondary_app", 0x82000)])
def test_images_have_the_size_that_is_claimed(build: Path, folder: str, slot: int) -> None:
    zephyr = build / folder / "zephyr"
    facts = elf_facts(zephyr / "zephyr.elf")
    binary = (zephyr / "zephyr.bin").read_bytes()

    assert 7_900_000 < (zephyr / "zephyr.elf").stat().st_size < 8_200_000
    assert len(facts.symbols) == 11_000
    assert facts.symbols["_vector_table"][1] == slot + 0x200
    assert struct.unpack_from("<I", binary, 4)[0] == facts.entry
    assert facts.binary == binary
    assert (zephyr / ".config").read_bytes().count(b"\n") == 4_000
    assert 850 <= (zephyr / "zephyr.dts").read_bytes().count(b"\n") <= 900


def test_it_reads_as_a_whole_build(build: Path) -> None:
    read = builddir.load(build)

    assert read.mode is BootloaderMode.DIRECT_XIP
    assert [image.role for image in read.images].count(Role.VARIANT) == 1
    assert [slot.address.value for slot in read.slots] == [0x8000, 0x82000]
    assert read.key is not None
    assert read.key.exists
    assert len(read.application.kconfig) > 2_000


def test_every_run_gives_the_same_bytes(build: Path, tmp_path: Path) -> None:
    again = generate(tmp_path, "--builds", "3")
    folders = [build, again, again.with_name(f"{again.name}-002")]
    sums = [
        {
            path.relative_to(folder): hashlib.sha256(path.read_bytes()).digest()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (*folders, again.with_name(f"{again.name}-003"))
    ]
    assert sums[1:] == sums[:1] * 3
