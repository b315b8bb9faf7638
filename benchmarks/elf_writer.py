# SPDX-License-Identifier: Apache-2.0
"""Write an ELF file for a 32-bit Arm: sections, two kinds of segments and a symbol table.

A benchmark then needs no compiler. The format is that of the System V ABI (gABI 4.1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<8I")
_SECTION_HEADER = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_EM_ARM, _EABI_5 = 40, 0x05000000


class Kind(IntEnum):
    """What a symbol stands for (`STT_*`)."""

    NOTYPE = 0
    OBJECT = 1
    FUNCTION = 2
    FILE = 4


@dataclass(frozen=True)
class Section:
    """A section; `size` is for one that takes no room in the file (`SHT_NOBITS`).

    `address` is 0 for what is not loaded. `stored_at` is the physical address of initialised data.
    """

    name: str
    data: bytes = b""
    address: int = 0
    size: int = 0
    writable: bool = False
    code: bool = False
    stored_at: int | None = None
    loaded: bool = True

    @property
    def flags(self) -> int:
        """`SHF_WRITE`, `SHF_ALLOC` and `SHF_EXECINSTR`."""
        if not self.loaded:
            return 0
        return int(self.writable) | 2 | (4 if self.code else 0)

    @property
    def memory_size(self) -> int:
        """Bytes in memory."""
        return self.size or len(self.data)


@dataclass(frozen=True)
class Symbol:
    """A symbol in `section` (by name); ``""`` is an absolute one."""

    name: str
    value: int
    section: str = ""
    size: int = 0
    kind: Kind = Kind.NOTYPE
    is_global: bool = False


def write_elf(path: Path, entry: int, sections: list[Section], symbols: list[Symbol]) -> None:
    """Write `path`; each loaded section becomes a `PT_LOAD` segment of its own."""
    loaded = [section for section in sections if section.loaded]
    out = bytearray(_HEADER.size + _PROGRAM_HEADER.size * len(loaded))
    headers = [bytes(_SECTION_HEADER.size)]
    program_headers = []
    names = _Strings()
    for section in sections:
        offset = _append(out, section.data)
        kind = 8 if section.size else 1  # SHT_NOBITS, SHT_PROGBITS
        where = (section.flags, section.address, offset, section.memory_size)
        headers.append(_SECTION_HEADER.pack(names.add(section.name), kind, *where, 0, 0, 4, 0))
        if section.loaded:
            stored = section.address if section.stored_at is None else section.stored_at
            sizes = (len(section.data), section.memory_size)
            access = 4 | (2 if section.writable else 0) | (1 if section.code else 0)
            load = (1, offset, section.address, stored, *sizes, access, 4)
            program_headers.append(_PROGRAM_HEADER.pack(*load))
    table, strings, first_global = _symbol_table(symbols, [section.name for section in sections])
    own = len(headers)
    for title, kind, data, link, info, entry_size in (
        (".symtab", 2, table, own + 1, first_global, _SYMBOL.size),
        (".strtab", 3, strings, 0, 0, 0),
    ):
        place = (0, 0, _append(out, data), len(data), link, info, 4, entry_size)
        headers.append(_SECTION_HEADER.pack(names.add(title), kind, *place))
    last = names.add(".shstrtab")
    place = (0, 0, _append(out, names.data), len(names.data), 0, 0, 1, 0)
    headers.append(_SECTION_HEADER.pack(last, 3, *place))
    section_headers = _append(out, b"".join(headers))
    out[_HEADER.size : _HEADER.size + _PROGRAM_HEADER.size * len(loaded)] = b"".join(
        program_headers
    )
    identity = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    _HEADER.pack_into(
        out,
        0,
        identity,
        *(2, _EM_ARM, 1, entry, _HEADER.size, section_headers, _EABI_5),
        *(_HEADER.size, _PROGRAM_HEADER.size, len(loaded)),
        *(_SECTION_HEADER.size, len(headers), len(headers) - 1),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out)


class _Strings:
    def __init__(self) -> None:
        self.data = bytearray(1)

    def add(self, text: str) -> int:
        place = len(self.data)
        self.data += text.encode() + b"\0"
        return place


def _append(out: bytearray, data: bytes | bytearray) -> int:
    out += bytes(-len(out) % 4)
    place = len(out)
    out += data
    return place


def _symbol_table(symbols: list[Symbol], sections: list[str]) -> tuple[bytes, bytes, int]:
    """Return the table, its names and the number of the first global symbol (local ones first)."""
    index = {name: number for number, name in enumerate(sections, 1)}
    names = _Strings()
    table = bytearray(_SYMBOL.size)
    ordered = sorted(symbols, key=lambda symbol: symbol.is_global)
    for symbol in ordered:
        section = index[symbol.section] if symbol.section else 0xFFF1  # SHN_ABS
        info = int(symbol.is_global) << 4 | symbol.kind
        name = names.add(symbol.name)
        table += _SYMBOL.pack(name, symbol.value, symbol.size, info, 0, section)
    first_global = 1 + sum(not symbol.is_global for symbol in symbols)
    return bytes(table), bytes(names.data), first_global
