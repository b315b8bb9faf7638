# SPDX-License-Identifier: Apache-2.0
"""Read Partition Manager's outcome: `partitions.yml` with `regions.yml`, or else `pm.config`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..diagnostics import DfuBleError, Location, Note
from ..faults import fault
from .model import Figure, Partition
from .pmconfig import read_pm_config
from .textfile import shorten
from .yamlfile import YamlFile, YamlList, YamlMap, YamlText, read_yaml


@dataclass(frozen=True)
class PmRegion:
    """A memory as Partition Manager knows it; sizes in bytes. `device` is empty for RAM."""

    name: str
    address: int
    size: int
    device: str
    location: Location


@dataclass(frozen=True)
class PartitionTable:
    """The partitions of one domain by name, and its regions if `regions.yml` is there.

    `spans` are the names of those that only sum up others.
    """

    path: Path
    partitions: Mapping[str, Partition]
    spans: frozenset[str]
    regions: Mapping[str, PmRegion]

    def is_flash(self, partition: Partition) -> bool:
        """Whether the partition lies in a memory that is written as flash (not RAM, not OTP)."""
        region = self.regions.get(partition.region)
        if region is not None:
            return bool(region.device)
        return not partition.region.startswith(("sram", "otp"))


def read_partitions(directory: Path, suffix: str = "") -> PartitionTable | None:
    """Read the partitions of a build directory, or `None` if it has none.

    `suffix` names another domain's files (``_CPUNET``). Raises `DfuBleError` EN004 with file and
    line if a file can't be read, or if the partitions contradict each other.
    """
    table_file = directory / f"partitions{suffix}.yml"
    config_file = directory / f"pm{suffix}.config"
    if table_file.exists():
        regions = _read_regions(directory / f"regions{suffix}.yml")
        table = _read_table(table_file, regions)
        _check_overlaps(table)
        return table
    if config_file.exists():
        regions = _read_regions(directory / f"regions{suffix}.yml")
        partitions, spans = read_pm_config(config_file, frozenset(regions))
        return PartitionTable(config_file, partitions, spans, regions)
    return None


def read_other_domains(build: Path, folders: Iterable[Path]) -> dict[str, PartitionTable]:
    """Read the partitions of the other domains (``CPUNET``), by domain.

    Sysbuild writes them beside the application's, a child-image build into the folder of the image
    that owns the domain. Raises EN004 as `read_partitions` does.
    """
    found: dict[str, PartitionTable] = {}
    for folder in (build, *folders):
        for path in sorted((*folder.glob("partitions_*.yml"), *folder.glob("pm_*.config"))):
            domain = path.stem.partition("_")[2]
            if domain and domain not in found:
                table = read_partitions(folder, f"_{domain}")
                if table is not None:
                    found[domain] = table
    return found


def _read_table(path: Path, regions: Mapping[str, PmRegion]) -> PartitionTable:
    file = read_yaml(path, "EN004")
    partitions: dict[str, Partition] = {}
    spans = set()
    for name, entry in file.named_maps():
        partitions[name] = _partition(file, name, entry)
        if "span" in entry:
            spans.add(name)
            for child in _names(file, name, entry, "span"):
                if child not in file.top:
                    raise file.error(
                        f"`{name}` spans `{shorten(child)}`, which is no partition",
                        entry.key_lines["span"],
                    )
    return PartitionTable(path, partitions, frozenset(spans), regions)


def _partition(file: YamlFile, name: str, entry: YamlMap) -> Partition:
    # `end_address` says the same again; nothing in the firmware uses it, and in static files that
    # were edited by hand it is often stale.
    address = file.number(entry, "address", name)
    size = file.number(entry, "size", name)
    return Partition(
        name=name,
        address=Figure(address, file.at(entry.key_lines["address"])),
        size=Figure(size, file.at(entry.key_lines["size"])),
        region=shorten(file.text(entry, "region", "flash_primary")),
    )


def _names(file: YamlFile, name: str, entry: YamlMap, key: str) -> Sequence[str]:
    value = entry[key]
    if isinstance(value, YamlText):
        return [value.text]
    if isinstance(value, YamlList) and all(isinstance(i, YamlText) for i in value.items):
        return [i.text for i in value.items if isinstance(i, YamlText)]
    raise file.error(f"`{key}` of `{name}` is not a list of names", entry.key_lines[key])


def _read_regions(path: Path) -> dict[str, PmRegion]:
    if not path.exists():
        return {}
    file = read_yaml(path, "EN004")
    regions = {}
    for name, entry in file.named_maps():
        regions[name] = PmRegion(
            name=name,
            address=file.number(entry, "base_address", name),
            size=file.number(entry, "size", name),
            device=file.text(entry, "device", ""),
            location=file.at(file.top.key_lines[name]),
        )
    return regions


def _check_overlaps(table: PartitionTable) -> None:
    # A span covers the partitions that it names, so only those that are no spans can collide; and
    # the slots with each other, whatever they are made of.
    # In RAM, regions that several images share overlap by intention.
    flash = {name: p for name, p in table.partitions.items() if table.is_flash(p)}
    leaves = [p for name, p in flash.items() if name not in table.spans]
    slots = [p for name, p in flash.items() if _is_slot(name)]
    for group in (leaves, slots):
        ordered = sorted(
            (p for p in group if p.size.value), key=lambda p: (p.region, p.address.value)
        )
        for before, after in pairwise(ordered):
            end = before.address.value + before.size.value
            if before.region == after.region and after.address.value < end:
                raise _overlap(before, after)


def _is_slot(name: str) -> bool:
    return name.startswith(("mcuboot_primary", "mcuboot_secondary")) and not name.endswith(
        ("_app", "_pad")
    )


def _overlap(before: Partition, after: Partition) -> DfuBleError:
    end = before.address.value + before.size.value
    return fault(
        "EN004",
        f"partitions `{before.name}` and `{after.name}` overlap: `{after.name}` begins at "
        f"{after.address.value:#x}, before `{before.name}` ends at {end:#x}",
        why="Writing the one would destroy the other.",
        location=after.address.location,
        notes=[
            Note(f"`{before.name}` begins at {before.address.value:#x}", before.address.location)
        ],
        helps=["mend the static partitions (pm_static.yml) and build again with `--pristine`"],
    )
