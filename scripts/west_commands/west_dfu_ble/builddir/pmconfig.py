# SPDX-License-Identifier: Apache-2.0
"""Read Partition Manager's `pm.config`, for builds whose `partitions.yml` is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..diagnostics import Location
from .model import Figure, Partition
from .textfile import read_text, shorten, unreadable

_LIMIT = 1_000_000
_LINE = re.compile(r'(\w+)=("[^"]*"|[^"]*)')
_NAME = re.compile(r"\w+", re.ASCII)
_INTERNAL = ("mcuboot", "b0", "s0", "s1", "mcuboot_pad", "app", "spm", "tfm")


def read_pm_config(
    path: Path, regions: frozenset[str]
) -> tuple[dict[str, Partition], frozenset[str]]:
    """Return the partitions in `path` by name, and the names of those that only span others.

    `pm.config` does not say which region a partition lies in: see `_regions`. Raises `DfuBleError`
    EN004 with the line for what is no such file.
    """
    values: dict[str, tuple[str, int]] = {}
    for number, text in enumerate(read_text(path, "EN004", limit=_LIMIT).split("\n"), 1):
        match = _LINE.fullmatch(text.strip())
        if match:
            values[match[1]] = (match[2].strip('"'), number)
        elif text.strip() and not text.lstrip().startswith("#"):
            raise unreadable(
                "EN004",
                path,
                f"`{path.name}` has a line that sets nothing: `{shorten(text)}`",
                number,
            )
    figures: dict[str, tuple[Figure, Figure]] = {}
    spans, in_flash = set(), set()
    for key, (name, line) in values.items():
        if not (key.startswith("PM_") and key.endswith("_NAME") and _NAME.fullmatch(name)):
            continue
        prefix = key.removesuffix("_NAME")
        figures[name] = (
            _figure(path, values, f"{prefix}_ADDRESS", name, line),
            _figure(path, values, f"{prefix}_SIZE", name, line),
        )
        if f"{prefix}_SPAN" in values:
            spans.add(name)
        if f"{prefix}_ID" in values:
            in_flash.add(name)
    if not figures:
        raise unreadable("EN004", path, f"`{path.name}` names no partition")
    extents = {
        name: range(address.value, address.value + size.value)
        for name, (address, size) in figures.items()
        if name in in_flash
    }
    partitions = {
        name: Partition(name, address, size, _region(name, extents, regions))
        for name, (address, size) in figures.items()
    }
    return partitions, frozenset(spans)


def _figure(
    path: Path, values: dict[str, tuple[str, int]], key: str, name: str, line: int
) -> Figure:
    written, at = values.get(key, ("", line))
    try:
        value = int(written, 0) if len(written) <= 20 else -1
    except ValueError:
        value = -1
    if value < 0:
        what = f"`{key}` is `{shorten(written)}`, not a number" if written else f"lacks `{key}`"
        raise unreadable("EN004", path, f"partition `{name}`: {what}", at)
    return Figure(value, Location(path, at))


def _region(name: str, extents: Mapping[str, range], regions: frozenset[str]) -> str:
    """Conclude the region: `pm.config` lists all regions' partitions by address alone.

    What has no flash area id lies in RAM. The bootloader and what it jumps to lie in the internal
    flash; whatever would overlap them must lie elsewhere.
    """
    if name in regions or name in ("external_flash", "ram_flash"):
        return name
    if name not in extents:
        return "sram_primary"
    own = extents[name]
    inside = [extents[core] for core in _INTERNAL if core in extents and core != name]
    if name not in _INTERNAL and any(_overlap(own, other) for other in inside):
        if name in ("mcuboot_primary", "mcuboot_primary_app"):
            return "flash_primary"  # they span the application
        # The network core's primary slot (nRF5340) is a piece of RAM that is written as flash.
        return "ram_flash" if name == "mcuboot_primary_1" else "external_flash"
    return "flash_primary"


def _overlap(a: range, b: range) -> bool:
    return a.start < b.stop and b.start < a.stop
