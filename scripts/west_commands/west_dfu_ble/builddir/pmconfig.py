# SPDX-License-Identifier: Apache-2.0
"""Read Partition Manager's `pm.config`, for builds whose `partitions.yml` is not there."""

from __future__ import annotations

import re
from pathlib import Path

from ..diagnostics import Location
from .model import Figure, Partition
from .textfile import read_text, shorten, unreadable

_LIMIT = 1_000_000
_LINE = re.compile(r'(\w+)=("[^"]*"|[^"]*)')


def read_pm_config(
    path: Path, regions: frozenset[str]
) -> tuple[dict[str, Partition], frozenset[str]]:
    """Return the partitions in `path` by name, and the names of those that only span others.

    `pm.config` does not say which region a partition lies in; it is taken for the region of the
    same name among `regions`, or by its name's ending, or for the internal flash. Raises
    `DfuBleError` EN004 with the line for what is no such file.
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
    partitions: dict[str, Partition] = {}
    spans = set()
    for key, (name, line) in values.items():
        if not (key.startswith("PM_") and key.endswith("_NAME") and name):
            continue
        prefix = key.removesuffix("_NAME")
        partitions[name] = Partition(
            name=name,
            address=_figure(path, values, f"{prefix}_ADDRESS", name, line),
            size=_figure(path, values, f"{prefix}_SIZE", name, line),
            region=_region(name, values.get(f"{prefix}_DEV_NAME", ("", 0))[0], regions),
        )
        if f"{prefix}_SPAN" in values:
            spans.add(name)
    if not partitions:
        raise unreadable("EN004", path, f"`{path.name}` names no partition")
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


def _region(name: str, device: str, regions: frozenset[str]) -> str:
    if name in regions:
        return name
    if "sram" in name:
        return "sram_primary"
    if "EXT_FLASH" in device.upper():
        return "external_flash"
    return "flash_primary"
