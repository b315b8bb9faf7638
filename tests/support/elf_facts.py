# SPDX-License-Identifier: Apache-2.0
"""What the tests look at in an ELF file, read without the package's own reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ElfFacts:
    """`segments` are (physical address, bytes); `symbols` name -> (binding, address)."""

    entry: int
    segments: tuple[tuple[int, bytes], ...]
    symbols: dict[str, tuple[str, int]]

    @property
    def binary(self) -> bytes:
        """What `objcopy -O binary --gap-fill=0xff` makes of the segments."""
        start = min(address for address, _ in self.segments)
        end = max(address + len(data) for address, data in self.segments)
        image = bytearray(b"\xff" * (end - start))
        for address, data in self.segments:
            image[address - start : address - start + len(data)] = data
        return bytes(image)


def elf_facts(path: Path) -> ElfFacts:
    """Read the ELF file at `path`."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with path.open("rb") as stream:
        elf = ELFFile(stream)
        segments = tuple(
            (segment["p_paddr"], segment.data())
            for segment in elf.iter_segments("PT_LOAD")
            if segment["p_filesz"]
        )
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = {
            symbol.name: (symbol["st_info"]["bind"], symbol["st_value"])
            for symbol in table.iter_symbols()
            if symbol.name
        }
        return ElfFacts(elf.header["e_entry"], segments, symbols)
