# SPDX-License-Identifier: Apache-2.0
"""Read `CMakeCache.txt`: what the build was configured with, by the machine that built it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .textfile import read_text, shorten, unreadable

# A real one has about 400 entries and 40 kB.
_LIMIT = 4_000_000
_ENTRY = re.compile(r'(?:"([^"]+)"|([^:"#/][^:"]*)):[A-Z]+=(.*)')


class CMakeCache(Mapping[str, str]):
    """The entries of one `CMakeCache.txt` by name; paths are those of the machine that built."""

    def __init__(self, path: Path, entries: Mapping[str, str]) -> None:
        """Take `entries`: name -> value as read from `path`."""
        self.path = path
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> str:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def text(self, *names: str) -> str:
        """Return the first of these entries that is there and not empty, or an empty string."""
        for name in names:
            value = self._entries.get(name, "")
            if value and not value.endswith("-NOTFOUND"):
                return value
        return ""

    def items_of(self, name: str) -> tuple[str, ...]:
        """Return the items of an entry that is a CMake list (separated by semicolons)."""
        return tuple(item for item in self.text(name).split(";") if item)

    def is_on(self, name: str) -> bool:
        """Whether CMake takes the entry's value for true."""
        return self.text(name).upper() in ("1", "ON", "YES", "TRUE", "Y")


def read_cmake_cache(path: Path) -> CMakeCache:
    """Read the `CMakeCache.txt` at `path`; a file that is not there gives an empty cache.

    Raises `DfuBleError` EN006, with the line, for a file that is no CMake cache.
    """
    if not path.exists():
        return CMakeCache(path, {})
    entries: dict[str, str] = {}
    for number, line in enumerate(read_text(path, "EN006", limit=_LIMIT).split("\n"), 1):
        if not line or line.startswith(("//", "#")) or line.isspace():
            continue
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise unreadable(
                "EN006",
                path,
                f"`{path.name}` has a line that is no cache entry: `{shorten(line)}`",
                number,
            )
        entries[match[1] or match[2]] = match[3]
    return CMakeCache(path, entries)
