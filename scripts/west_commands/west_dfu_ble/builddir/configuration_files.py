# SPDX-License-Identifier: Apache-2.0
"""Which files an image's configuration was merged from: the ones that a person can edit.

CMake's caches name them: `CONF_FILE`, `OVERLAY_CONFIG`, `EXTRA_CONF_FILE`, each of the image itself
or, with the image's name in front, of the parent build; the board's defaults; what sysbuild forces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..diagnostics import DfuBleError, Location
from .cmakecache import CMakeCache, read_cmake_cache
from .model import Build, Image, Role
from .places import Places, is_absolute, path_exists, recorded_path
from .textfile import read_text

_LIMIT = 1_000_000
_ASSIGNMENT = re.compile(r"\s*((?:SB_)?CONFIG_\w+)\s*=(.*)")
_NOT_SET = re.compile(r"# ((?:SB_)?CONFIG_\w+) is not set\s*")


@dataclass(frozen=True)
class ConfigurationFile:
    """One of the files: what the build calls it, and where it is on this machine.

    `generated` files are the build's own (what sysbuild hands down): nobody edits them.
    """

    recorded: str
    path: Path
    generated: bool = False

    @property
    def is_in_place(self) -> bool:
        """Whether the file is at the very place that the build recorded."""
        return str(self.path) == self.recorded and path_exists(self.path)


@dataclass(frozen=True)
class Setting:
    """A line that assigns a symbol; `value` is the text behind ``=``, ``n`` for "is not set"."""

    value: str
    location: Location
    file: ConfigurationFile | None


def configuration_files(build: Build, image: Image) -> tuple[ConfigurationFile, ...]:
    """Return the files that `image` was configured from, in the order they were merged.

    A later file wins over an earlier one. Files that the build does not name, and that are not
    where its rules look for them, are left out. Raises `DfuBleError` EN006 for a damaged cache.
    """
    caches = _Caches.of(build, image)
    found: dict[str, ConfigurationFile] = {}
    for recorded, generated, must_exist in caches.files(image):
        path = caches.places.local(recorded)
        if must_exist and not path_exists(path):
            continue
        found[recorded] = ConfigurationFile(recorded, path, generated)
    return tuple(found.values())


def find_setting(build: Build, image: Image, symbol: str) -> Setting | None:
    """Return the line that decided `symbol` (``CONFIG_BT``), `None` if none that is here does.

    A definition on the command line (in `CMakeCache.txt`) wins over every file.
    """
    try:
        caches = _Caches.of(build, image)
        files = configuration_files(build, image)
    except DfuBleError:
        return None
    for cache in (caches.own, caches.top):
        if symbol in cache:
            return Setting(cache.text(symbol), _line_of(cache, symbol), None)
    for file in reversed(files):
        setting = assignments(file).get(symbol)
        if setting is not None:
            return setting
    return None


def assignments(file: ConfigurationFile) -> dict[str, Setting]:
    """Return what a configuration file assigns, by symbol; nothing if it can't be read here."""
    try:
        text = read_text(file.path, "EN006", limit=_LIMIT)
    except DfuBleError:
        return {}
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _ASSIGNMENT.match(line)
        location = Location(file.path, number)
        if match:
            value = match[2].strip()
            found[match[1]] = Setting(value.strip('"'), location, file)
        else:
            match = _NOT_SET.fullmatch(line)
            if match:
                found[match[1]] = Setting("n", location, file)
    return found


def _line_of(cache: CMakeCache, name: str) -> Location:
    text = read_text(cache.path, "EN006", limit=_LIMIT)
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(f"{name}:"):
            return Location(cache.path, number)
    return Location(cache.path)


@dataclass(frozen=True)
class _Caches:
    """The cache of the image, that of the build directory, and where their paths are here."""

    own: CMakeCache
    top: CMakeCache
    places: Places

    @classmethod
    def of(cls, build: Build, image: Image) -> _Caches:
        top = read_cmake_cache(build.path / "CMakeCache.txt")
        own = (
            top
            if image.directory == build.path
            else read_cmake_cache(image.directory / "CMakeCache.txt")
        )
        recorded = top.text("CMAKE_CACHEFILE_DIR", "APPLICATION_BINARY_DIR")
        places = Places(build.path, recorded_path(recorded) if is_absolute(recorded) else None)
        return cls(own, top, places)

    def files(self, image: Image) -> Iterator[tuple[str, bool, bool]]:
        """Yield each file as recorded, whether it is generated, and whether it is only a guess."""
        yield from ((name, False, True) for name in self._board_defaults())
        yield from self._configuration(image)
        for name in ("OVERLAY_CONFIG", "EXTRA_CONF_FILE"):
            for file in self._list(image, name):
                yield self._absolute(file, image), False, False
        if image.role is not Role.APPLICATION:
            source = self.top.text("APP_DIR", "APPLICATION_SOURCE_DIR")
            for folder in ("sysbuild", "child_image"):
                if source:
                    yield f"{source}/{folder}/{image.name}.conf", False, True
        for file in self.own.items_of("FORCED_CONF_FILE"):
            yield file, True, False

    def _board_defaults(self) -> Iterator[str]:
        folder = self.own.text("BOARD_DIR") or self.top.text("BOARD_DIR")
        if folder:
            for board in self._boards():
                yield f"{folder}/{board}_defconfig"

    def _boards(self) -> list[str]:
        text = self.own.text("BOARD", "CACHED_BOARD") or self.top.text("BOARD", "CACHED_BOARD")
        name = text.partition("@")[0] + "".join(text.partition("/")[1:] if "@" in text else ())
        whole = re.sub(r"[/@]", "_", name)
        return list(dict.fromkeys((re.split(r"[/@]", text)[0], whole))) if text else []

    def _configuration(self, image: Image) -> Iterator[tuple[str, bool, bool]]:
        files = self._list(image, "CONF_FILE") or self.own.items_of("CACHED_CONF_FILE")
        folder = self.own.text("APPLICATION_CONFIG_DIR", "APPLICATION_SOURCE_DIR")
        if not files:
            if not folder:
                return
            files = ("prj.conf",)
        for file in files:
            yield self._absolute(file, image), False, False
        kind = self.own.text("CONF_FILE_BUILD_TYPE")
        for board in self._boards() if folder else []:
            yield f"{folder}/boards/{board}.conf", False, True
            if kind:
                yield f"{folder}/boards/{board}_{kind}.conf", False, True

    def _list(self, image: Image, name: str) -> tuple[str, ...]:
        named = self.top.items_of(f"{image.name}_{name}")
        if image.role is Role.APPLICATION and not named:
            return self.own.items_of(name) or self.top.items_of(name)
        return named or self.own.items_of(name)

    def _absolute(self, file: str, image: Image) -> str:
        if is_absolute(file):
            return file
        folders = [
            self.own.text("APPLICATION_CONFIG_DIR"),
            self.own.text("APPLICATION_SOURCE_DIR"),
            self.top.text("APP_DIR") if image.role is Role.APPLICATION else "",
        ]
        candidates = [f"{folder}/{file}" for folder in folders if folder]
        for candidate in candidates:
            if path_exists(self.places.local(candidate)):
                return candidate
        return candidates[0] if candidates else file
