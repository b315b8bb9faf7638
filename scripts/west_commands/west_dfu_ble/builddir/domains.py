# SPDX-License-Identifier: Apache-2.0
"""Read sysbuild's `domains.yaml`: which images a build has, and which is the application."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .places import Places, path_exists, recorded_path
from .textfile import shorten
from .yamlfile import YamlFile, YamlList, YamlMap, read_yaml

_NAME = re.compile(r"[\w.+-]+", re.ASCII)


@dataclass(frozen=True)
class Domain:
    """One image of a sysbuild build; `directory` is on this machine, whether it exists or not."""

    name: str
    directory: Path


@dataclass(frozen=True)
class Domains:
    """The images of a sysbuild build; `default` is the name of the application."""

    path: Path
    default: str
    domains: tuple[Domain, ...]


def read_domains(directory: Path) -> Domains | None:
    """Read the `domains.yaml` of a build directory, or `None` if it has none.

    Its paths are those of the machine that built, or relative; they are taken to mean folders in
    `directory`. Raises `DfuBleError` EN006 with the line for what is no such file.
    """
    path = directory / "domains.yaml"
    if not path.exists():
        return None
    file = read_yaml(path, "EN006")
    recorded = file.text(file.top, "build_dir", "")
    places = Places(
        directory, recorded_path(recorded) if recorded_path(recorded).is_absolute() else None
    )
    entries = file.top.get("domains")
    if not isinstance(entries, YamlList):
        raise file.error("`domains.yaml` has no list of domains", file.top.key_lines.get("domains"))
    domains = tuple(_domain(file, places, entry) for entry in entries.items)
    default = file.text(file.top, "default")
    if default not in [domain.name for domain in domains]:
        raise file.error(
            f"the default domain `{shorten(default)}` is not among the domains",
            file.top.key_lines["default"],
        )
    return Domains(path, default, domains)


def _domain(file: YamlFile, places: Places, entry: object) -> Domain:
    if not isinstance(entry, YamlMap):
        raise file.error(
            "`domains.yaml` has a domain that is not a map", getattr(entry, "line", None)
        )
    name = file.text(entry, "name")
    if not _NAME.fullmatch(name) or not name.strip("."):
        raise file.error(f"`{shorten(name)}` can't be the name of a domain", entry.line)
    candidates = [places.here / name]
    recorded = file.text(entry, "build_dir", "")
    if recorded:
        candidates = [*places.candidates(recorded), *candidates]
    # Inside the build directory first: the recorded folder may still be there, as another build.
    candidates.sort(key=lambda path: not path.is_relative_to(places.here))
    return Domain(name, next((c for c in candidates if path_exists(c)), candidates[0]))
