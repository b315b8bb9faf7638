# SPDX-License-Identifier: Apache-2.0
"""Read what an image's ELF file says about where it runs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from .textfile import shorten, unreadable

_LIMIT = 256_000_000
# Elf32_Sym and Elf64_Sym (System V ABI, chapter 4).
_SYMBOL = {32: "IIIBBH", 64: "IBBHQQ"}
_UNDEFINED = 0
# Bytes; of a longer one (some of C++ are) the beginning is kept.
_LONGEST_NAME = 256


@dataclass(frozen=True)
class LoadSegment:
    """A loadable piece; `address` is where it is stored (the physical address), size in bytes."""

    address: int
    file_size: int


@dataclass(frozen=True)
class ElfFacts:
    """What an ELF file says; `None` for what it does not.

    `vector_table` is the address of ``_vector_table``; `initial_stack` and `reset_vector` are the
    first two words there (Cortex-M). `symbols` maps names to addresses; local ones count too.
    """

    path: Path
    entry: int
    vector_table: int | None
    initial_stack: int | None
    reset_vector: int | None
    segments: tuple[LoadSegment, ...]
    symbols: dict[str, int]

    def has_symbol(self, name: str) -> bool:
        """Whether the file defines a symbol of this name, global or local."""
        return name in self.symbols


def read_elf(path: Path, *, symbols: bool = True) -> ElfFacts:
    """Read the ELF file at `path`; without `symbols` its segments alone, in a tenth of the time.

    Raises `DfuBleError` EN006 if it is none or is cut off.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        size = path.stat().st_size
        if size > _LIMIT:
            raise unreadable("EN006", path, f"`{path.name}` has more than {_LIMIT} bytes")
        with path.open("rb") as stream:
            return _facts(path, ELFFile(stream), size, symbols)
    except FileNotFoundError:
        raise unreadable("EN006", path, f"`{path.name}` is missing") from None
    except OSError as error:
        raise unreadable("EN006", path, f"`{path.name}` can't be read: {error.strerror}") from None
    except (
        *(ELFError, ValueError, TypeError, LookupError, AttributeError, struct.error),
        *(OverflowError, MemoryError),  # sizes that no file has
    ) as error:
        # pyelftools raises whatever it stumbles over in a damaged file
        problem = shorten(str(error) or type(error).__name__, 80)
        raise unreadable("EN006", path, f"`{path.name}` is no whole ELF file: {problem}") from None


def _facts(path: Path, elf: Any, size: int, wanted: bool) -> ElfFacts:
    for segment in elf.iter_segments("PT_LOAD"):
        if segment["p_offset"] + segment["p_filesz"] > size:
            raise ValueError("a program header points outside the file")
    segments = tuple(LoadSegment(s["p_paddr"], s["p_filesz"]) for s in elf.iter_segments("PT_LOAD"))
    symbols: dict[str, int] = {}
    # A file has one at most (System V ABI, chapter 4).
    for section in islice(elf.iter_sections("SHT_SYMTAB"), int(wanted)):
        for name, value in _symbols(elf, section, size):
            symbols.setdefault(name, value)
    table = symbols.get("_vector_table")
    stack, reset = _first_words(elf, table) if table is not None else (None, None)
    return ElfFacts(path, elf["e_entry"], table, stack, reset, segments, symbols)


def _symbols(elf: Any, section: Any, size: int) -> Iterator[tuple[str, int]]:
    """Yield name and value of each symbol that the file defines.

    Unpacked here: pyelftools makes an object of each entry, which takes 0.2 s for 11,000 of them.
    """
    entry = _SYMBOL[elf.elfclass]
    order = "<" if elf.little_endian else ">"
    data = _stored(elf, section, size)
    names = _stored(elf, section.stringtable, size)
    step = struct.calcsize(order + entry)
    for fields in struct.iter_unpack(order + entry, data[: len(data) // step * step]):
        offset, value, index = (
            (fields[0], fields[1], fields[5])
            if elf.elfclass == 32
            else (fields[0], fields[4], fields[3])
        )
        if offset and index != _UNDEFINED:
            end = names.find(b"\0", offset, offset + _LONGEST_NAME)
            name = names[offset : end if end >= 0 else offset + _LONGEST_NAME]
            yield name.decode("utf-8", errors="replace"), value


def _stored(elf: Any, section: Any, file_size: int) -> bytes:
    """Return a table as it stands in the file; linkers never compress one, bombs are made so."""
    offset, size = section["sh_offset"], section["sh_size"]
    if offset + size > file_size:
        raise ValueError("a section header points outside the file")
    if section.compressed:
        raise ValueError("its symbols are compressed")
    elf.stream.seek(offset)
    data: bytes = elf.stream.read(size)
    return data


def _first_words(elf: Any, address: int) -> tuple[int | None, int | None]:
    for segment in elf.iter_segments("PT_LOAD"):
        start = segment["p_vaddr"]
        if start <= address and address + 8 <= start + segment["p_filesz"]:
            elf.stream.seek(segment["p_offset"] + address - start)
            data = elf.stream.read(8)
            if len(data) == 8:
                order = "<II" if elf.little_endian else ">II"
                stack, reset = struct.unpack(order, data)
                return stack, reset
    return None, None
