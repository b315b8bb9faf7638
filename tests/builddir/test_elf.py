# SPDX-License-Identifier: Apache-2.0
"""ELF files, on the project's own sample, and on damaged copies of it."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest

from west_dfu_ble.builddir import Build, Image, load, read_elf
from west_dfu_ble.diagnostics import DfuBleError

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "tiny"


@pytest.mark.parametrize("name", ["build-swap", "build-direct-xip"])
def test_sample_runs_where_its_slot_is(name: str) -> None:
    build = load(SAMPLES / name)
    assert build.header_size is not None
    images: list[tuple[Image, int]] = [(build.application, 0)]
    if build.variant:
        images.append((build.variant, 1))
    for image, index in images:
        slot = build.slot(index)
        assert slot is not None
        assert image.elf is not None
        facts = read_elf(image.elf)
        start = slot.address.value + build.header_size.value
        assert facts.vector_table == start
        assert facts.segments[0].address == start
        # the vector table begins with the stack pointer (in RAM) and the reset vector (Thumb)
        assert facts.initial_stack is not None
        assert 0x20000000 < facts.initial_stack <= 0x20040000
        assert facts.reset_vector is not None
        assert facts.reset_vector & 1
        assert start < facts.reset_vector < slot.address.value + slot.size.value
        assert facts.entry == facts.reset_vector
        assert facts.has_symbol("_vector_table")
        assert not facts.has_symbol("no_such_symbol")


def sample() -> tuple[Build, Path]:
    build = load(SAMPLES / "build-swap")
    assert build.application.elf is not None
    return build, build.application.elf


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"not an ELF file at all" * 10])
def test_no_elf_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "zephyr.elf"
    path.write_bytes(data)
    with pytest.raises(DfuBleError) as caught:
        read_elf(path)
    assert caught.value.diagnostic.code == "EN006"
    assert caught.value.diagnostic.message.startswith("`zephyr.elf` is no whole ELF file: ")


def test_missing_elf_file(tmp_path: Path) -> None:
    with pytest.raises(DfuBleError, match=r"EN006 .*`zephyr.elf` is missing"):
        read_elf(tmp_path / "zephyr.elf")


# Offsets in Elf32_Ehdr, Elf32_Phdr and Elf32_Shdr (System V ABI, chapter 4).
E_PHOFF, E_SHOFF, E_SHNUM = 28, 32, 48
P_OFFSET, P_FILESZ = 4, 16
SH_FLAGS, SH_OFFSET, SH_SIZE = 8, 16, 20
SHF_COMPRESSED = 0x800


def word(data: bytes | bytearray, offset: int) -> int:
    return int(struct.unpack_from("<I", data, offset)[0])


def symbol_table(data: bytes | bytearray) -> int:
    """Where the section header of the symbol table stands."""
    (count,) = struct.unpack_from("<H", data, E_SHNUM)
    headers = [word(data, E_SHOFF) + 40 * number for number in range(count)]
    return next(header for header in headers if word(data, header + 4) == 2)


def bomb() -> bytes:
    """A compressed table of symbols (Elf32_Chdr) that is 100 MB large when it is unpacked."""
    packed = struct.pack("<III", 1, 100_000_000, 1) + zlib.compress(bytes(100_000_000), 9)
    return packed + bytes(-len(packed) % 16)


@pytest.mark.parametrize(
    ("header", "field", "value", "message"),
    [
        ("program", P_OFFSET, 0xFFFFFFFF, "a program header points outside the file"),
        ("program", P_FILESZ, 0xFFFFFFFF, "a program header points outside the file"),
        ("symbols", SH_OFFSET, 0xFFFFFFFF, "a section header points outside the file"),
        ("symbols", SH_SIZE, 0xFFFFFFF0, "a section header points outside the file"),
        ("names", SH_SIZE, 0xFFFFFFFF, "a section header points outside the file"),
        ("symbols", SH_FLAGS, SHF_COMPRESSED, "its symbols are compressed"),
    ],
)
def test_headers_that_point_outside_and_bombs(
    tmp_path: Path, header: str, field: int, value: int, message: str
) -> None:
    data = bytearray(sample()[1].read_bytes())
    symbols = symbol_table(data)
    place = {
        "program": word(data, E_PHOFF),
        "symbols": symbols,
        "names": word(data, E_SHOFF) + 40 * word(data, symbols + 24),
    }[header]
    struct.pack_into("<I", data, place + field, value)
    if value == SHF_COMPRESSED:
        packed = bomb()
        struct.pack_into("<II", data, place + SH_OFFSET, len(data), len(packed))
        data += packed
    path = tmp_path / "zephyr.elf"
    path.write_bytes(data)
    with pytest.raises(DfuBleError) as caught:
        read_elf(path)
    assert caught.value.diagnostic.message == f"`zephyr.elf` is no whole ELF file: {message}"


def code_of(path: Path) -> str | None:
    try:
        read_elf(path)
    except DfuBleError as error:
        return error.diagnostic.code
    return None


def test_damaged_elf_files_give_an_answer_or_one_error(tmp_path: Path) -> None:
    data = sample()[1].read_bytes()
    path = tmp_path / "zephyr.elf"
    chance = random.Random(7)
    codes = []
    for round_ in range(150):
        damaged = bytearray(data)
        if round_ % 3 == 0:
            del damaged[chance.randrange(len(data)) :]
        else:
            # the headers, at the front, and the section table, at the end
            for _ in range(chance.randrange(1, 8)):
                at = chance.choice([chance.randrange(256), -chance.randrange(1, 1200)])
                damaged[at] = chance.randrange(256)
        path.write_bytes(damaged)
        codes.append(code_of(path))
    assert set(codes) == {None, "EN006"}
    assert codes.count("EN006") > 20
