# SPDX-License-Identifier: Apache-2.0
"""Read a `.config`, as Zephyr's Kconfig scripts write it, line by line."""

from __future__ import annotations

import re
from pathlib import Path

from .model import Kconfig
from .textfile import read_text, shorten, unreadable

# A real one has about 4,000 lines and 130 kB.
_LIMIT = 4_000_000
_ASSIGNMENT = re.compile(r'((?:SB_)?CONFIG_\w+)=(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*')
_NOT_SET = re.compile(r"# ((?:SB_)?CONFIG_\w+) is not set\s*")
# A menu or a comment of Kconfig, as it stands in the file.
_HEADING = re.compile(r"^#\n# \S.*\n#$", re.MULTILINE)
_SYSBUILD = re.compile(r"^(# )?SB_CONFIG_", re.MULTILINE)
_ESCAPE = re.compile(r"\\(.)")
_WHY = "Without the whole configuration nothing can be said about the update."


def read_kconfig(path: Path) -> Kconfig:
    """Read the `.config` at `path`.

    Raises `DfuBleError` EN003, with the line, for a file that is missing, empty, cut off, not text
    or not a Kconfig result.
    """
    text = read_text(path, "EN003", limit=_LIMIT)
    return Kconfig(path, parse_kconfig(text, path))


def parse_kconfig(text: str, path: Path) -> dict[str, tuple[str, int]]:
    """Return name -> (value, line number from 1) for the text of a `.config`; raises EN003."""
    if not text.strip():
        raise unreadable("EN003", path, f"`{path.name}` is empty", why=_WHY)
    lines = text.split("\n")
    last = len(lines) - 1
    found: dict[str, tuple[str, int]] = {}
    assignment, not_set = _ASSIGNMENT.fullmatch, _NOT_SET.fullmatch
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if line[0] == "#":
            match = not_set(line)
            if match:
                found[match[1]] = ("n", number)
            continue
        match = assignment(line)
        if match:
            quoted = match[2]
            if quoted is None:
                found[match[1]] = (match[3], number)
            else:
                value = _ESCAPE.sub(r"\1", quoted) if "\\" in quoted else quoted
                found[match[1]] = (value, number)
        elif line.strip():
            if number > last:
                break  # the cut below says it better
            raise _no_assignment(path, number, line)
    if lines[last]:
        raise _cut_off(path, last + 1, f"in the middle of a line: `{shorten(lines[last])}`")
    if not found:
        raise unreadable("EN003", path, f"`{path.name}` holds no symbol", why=_WHY)
    if _is_generated(text) and "CONFIG_KERNEL_BIN_NAME" not in found:
        raise _cut_off(path, last, f"after {len(found)} symbols, without `CONFIG_KERNEL_BIN_NAME`")
    return found


def _is_generated(text: str) -> bool:
    # Every `.config` that Zephyr writes has headings from its first menu on, and near its end
    # CONFIG_KERNEL_BIN_NAME (Kconfig.zephyr, a string with a default); a file that was cut between
    # two lines has the one without the other. Sysbuild's own has other symbols altogether.
    return _HEADING.search(text) is not None and not _SYSBUILD.search(text)


def _cut_off(path: Path, line: int, where: str) -> Exception:
    return unreadable("EN003", path, f"`{path.name}` is cut off {where}", line, why=_WHY)


def _no_assignment(path: Path, number: int, line: str) -> Exception:
    if line.startswith(("CONFIG_", "SB_CONFIG_")) and line.count('"') == 1:
        message = f"a string in `{path.name}` does not end: `{shorten(line)}`"
    else:
        message = f"`{path.name}` has a line that sets no symbol: `{shorten(line)}`"
    return unreadable("EN003", path, message, number, why=_WHY)
