# SPDX-License-Identifier: Apache-2.0
"""Which files an image was configured from, in the order in which Kconfig merged them.

Zephyr 4.0 and later write the list down (`build_info.yml`). Before that it is put together from
CMake's caches as Zephyr's scripts do it (`cmake/modules/configuration_files.cmake`, `kconfig.cmake`
and sysbuild's, `share/sysbuild/cmake`): board, `CONF_FILE`, shields, snippets, `EXTRA_CONF_FILE`
and `OVERLAY_CONFIG`, command line, what lies in the build folder, what sysbuild forces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..diagnostics import DfuBleError
from .cmakecache import CMakeCache, read_cmake_cache
from .model import Build, Image, Layout, Role
from .places import Places, expand, is_absolute, path_exists, recorded_path
from .textfile import read_text
from .yamlfile import YamlList, YamlMap, YamlText, read_yaml

_SEPARATOR = re.compile(r"(?:\\?;|\s)+")
_SNIPPET = re.compile(
    r'zephyr_set\(\s*(?:EXTRA_CONF_FILE|OVERLAY_CONFIG)\s+"?([^")\s]+)"?\s+SCOPE\s+snippets'
)
_NAME = re.compile(r"[\w.-]+", re.ASCII)
_LIMIT = 1_000_000


class Origin(Enum):
    """By which way a file came into the configuration."""

    BOARD = "board"
    APPLICATION = "CONF_FILE"
    SHIELD = "shield"
    EXTRA = "EXTRA_CONF_FILE"
    COMMAND_LINE = "command line"
    BUILD_FOLDER = "build folder"
    SYSBUILD = "sysbuild"
    OTHER = "build system"


@dataclass(frozen=True)
class ConfigurationFile:
    """One of the files: what the build calls it, and where it is (or would be) on this machine."""

    recorded: str
    path: Path
    origin: Origin = Origin.OTHER

    @property
    def generated(self) -> bool:
        """Whether the build wrote it itself, so that nobody edits it."""
        return self.origin in (Origin.COMMAND_LINE, Origin.SYSBUILD)

    @property
    def is_in_place(self) -> bool:
        """Whether the file is at the very place that the build recorded."""
        return str(self.path) == self.recorded and path_exists(self.path)


@dataclass(frozen=True)
class _Named:
    """A file as recorded; an `optional` one counts only if it is there."""

    recorded: str
    origin: Origin
    optional: bool = False


def configuration_files(build: Build, image: Image | None) -> tuple[ConfigurationFile, ...]:
    """Return the files that `image` was configured from; of sysbuild itself for `None`.

    A later file wins over an earlier one. Files that are not on this machine are in the list, too:
    their `path` does not exist. Raises `DfuBleError` EN006 for a damaged cache.
    """
    if image is not None and image.role is Role.VARIANT:
        image = build.application  # it takes over the application's configuration as a whole
    caches = Caches.of(build, image)
    named = list(_written_down(caches)) or list(caches.named())
    found: dict[Path, ConfigurationFile] = {}
    for one in named:
        path = caches.places.local(one.recorded)
        if one.optional and not path_exists(path):
            continue
        found.pop(path, None)  # merged twice, it counts where it comes last
        found[path] = ConfigurationFile(one.recorded, path, one.origin)
    return tuple(found.values())


def _written_down(caches: Caches) -> Iterator[_Named]:
    """Yield the list of `build_info.yml` (`cmake.kconfig.files`), if it is there."""
    path = caches.directory / "build_info.yml"
    if not path_exists(path):
        return
    try:
        value: object = read_yaml(path, "EN006").top
    except DfuBleError:
        return
    for key in ("cmake", "kconfig"):
        value = value.get(key) if isinstance(value, YamlMap) else None
    if not isinstance(value, YamlMap):
        return
    own, extra = _texts(value, "user-files"), _texts(value, "extra-user-files")
    for file in _texts(value, "files"):
        name = recorded_path(file).name
        if name == ".config.sysbuild":
            origin = Origin.SYSBUILD
        elif name == "extra_kconfig_options.conf":
            origin = Origin.COMMAND_LINE
        elif file in extra:
            origin = Origin.EXTRA
        elif file in own:
            origin = Origin.APPLICATION
        else:
            origin = Origin.BOARD if name.endswith("_defconfig") else Origin.OTHER
        yield _Named(file, origin)


def _texts(parent: YamlMap, key: str) -> list[str]:
    value = parent.get(key)
    if isinstance(value, YamlText):
        return [value.text]
    items = value.items if isinstance(value, YamlList) else ()
    return [item.text for item in items if isinstance(item, YamlText)]


@dataclass(frozen=True)
class Caches:
    """What CMake was told: the image's own cache and, above it, that of the whole build.

    `prefix` is what sysbuild puts before the names of the image's variables, empty without
    sysbuild; the main application also takes the names without it.
    """

    own: CMakeCache
    above: CMakeCache
    directory: Path
    places: Places
    prefix: str
    is_main: bool
    is_sysbuild_itself: bool

    @classmethod
    def of(cls, build: Build, image: Image | None) -> Caches:
        """Read the caches; raises EN006 for a damaged one."""
        top = read_cmake_cache(build.path / "CMakeCache.txt")
        directory = image.directory if image else build.path
        own = top
        if directory != build.path:
            own = read_cmake_cache(directory / "CMakeCache.txt")
        recorded = top.text("CMAKE_CACHEFILE_DIR", "APPLICATION_BINARY_DIR")
        places = Places(build.path, recorded_path(recorded) if is_absolute(recorded) else None)
        by_sysbuild = build.layout in (Layout.NCS_SYSBUILD, Layout.ZEPHYR_SYSBUILD)
        above, prefix = CMakeCache(top.path, {}), ""
        if by_sysbuild and image is not None:
            above, prefix = _handed_down(build, image, top), f"{image.name}_"
        is_main = image is not None and image.role is Role.APPLICATION
        return cls(own, above, directory, places, prefix, is_main, image is None)

    def named(self) -> Iterator[_Named]:
        """Yield the files in the order of Zephyr's scripts."""
        if self.is_sysbuild_itself:
            yield from self._sysbuild_files()
            return
        yield from self._board()
        yield from self._own_files()
        yield from self._shields()
        yield from self._snippets()
        # Zephyr merges the scopes from the weakest to the strongest.
        for name in ("EXTRA_CONF_FILE", "OVERLAY_CONFIG"):
            yield from self._list(self.own.text(name), Origin.EXTRA)
        for name in ("EXTRA_CONF_FILE", "OVERLAY_CONFIG"):
            yield from self._list(self._from_above(name), Origin.EXTRA)
        yield from self._build_folder()
        for file in self.own.items_of("FORCED_CONF_FILE"):
            yield _Named(file, Origin.SYSBUILD)

    def command_line(self, symbol: str) -> tuple[CMakeCache, str] | None:
        """Return the cache and its entry in which `symbol` was set by ``-D``, if it was."""
        wanted = [(self.own, symbol), (self.own, f"CLI_{symbol}")]
        if self.prefix:
            wanted.append((self.above, f"{self.prefix}{symbol}"))
            if self.is_main:
                wanted.append((self.above, symbol))
        return next(((cache, name) for cache, name in wanted if name in cache), None)

    def files_of(self, cache: CMakeCache, name: str) -> tuple[str, ...]:
        """Return the items of a list of files, which blanks may separate, too."""
        return tuple(filter(None, _SEPARATOR.split(cache.text(name))))

    def _from_above(self, name: str) -> str:
        if not self.prefix:
            return ""
        own = self.above.text(f"{self.prefix}{name}")
        return own or (self.above.text(name) if self.is_main else "")

    def _sysbuild_files(self) -> Iterator[_Named]:
        files = list(self._list(self.own.text("SB_CONF_FILE"), Origin.APPLICATION))
        folder = self.own.text("APP_DIR")
        if not files and folder:
            files = [_Named(f"{folder}/sysbuild.conf", Origin.APPLICATION, optional=True)]
        yield from files
        for name in ("SB_EXTRA_CONF_FILE", "SB_OVERLAY_CONFIG"):
            yield from self._list(self.own.text(name), Origin.EXTRA)
        yield from self._build_folder()

    def _board(self) -> Iterator[_Named]:
        folder = self.own.text("BOARD_DIR") or self.above.text("BOARD_DIR")
        names = self._board_names()
        if not folder or not names:
            return
        there = path_exists(self.places.local(folder))
        # Without the board's folder nobody knows which of the names it has: the first stands for it
        for name in names if there else names[:1]:
            yield _Named(f"{folder}/{name}_defconfig", Origin.BOARD, optional=there)
        for name in names[1:] if there else ():
            yield _Named(f"{folder}/{name}.conf", Origin.BOARD, optional=True)

    def _board_names(self) -> list[str]:
        """Return what files of the board are called: from the name alone to name, SoC, revision."""
        text = self.own.text("BOARD", "CACHED_BOARD") or self.above.text("BOARD", "CACHED_BOARD")
        match = re.fullmatch(r"([^@/]+)(?:@([^/]+))?(?:/(.+))?", text)
        if match is None:
            return []
        name, revision, qualifiers = match[1], match[2], match[3]
        revision = revision or self.own.text("BOARD_REVISION", "CACHED_BOARD_REVISION")
        qualifiers = qualifiers or self.own.text("BOARD_QUALIFIERS").lstrip("/")
        whole = f"{name}_{qualifiers.replace('/', '_')}" if qualifiers else name
        names = [name, whole]
        if revision:
            ending = revision.replace(".", "_")
            names += [f"{name}_{ending}", f"{whole}_{ending}"]
        return list(dict.fromkeys(names))

    def _own_files(self) -> Iterator[_Named]:
        # What CMake keeps under CACHED_ has the board's files already.
        text = self.own.text("CACHED_CONF_FILE", "CONF_FILE") or self._from_above("CONF_FILE")
        if text:
            yield from self._list(text, Origin.APPLICATION)
            return
        folder = self.config_dir()
        if folder:
            yield _Named(f"{folder}/prj.conf", Origin.APPLICATION)
            for name in self._board_names():
                yield _Named(f"{folder}/boards/{name}.conf", Origin.APPLICATION, optional=True)

    def config_dir(self) -> str:
        """Return the folder, as recorded, in which files without a path are; empty if not told."""
        if self.is_sysbuild_itself:
            return self.own.text("APP_DIR")
        return self.own.text("APPLICATION_CONFIG_DIR", "APPLICATION_SOURCE_DIR") or (
            self.above.text("APP_DIR") if self.is_main else ""
        )

    def _list(self, text: str, origin: Origin) -> Iterator[_Named]:
        """Yield the files of a CMake list, whose items blanks may separate, too."""
        for item in _SEPARATOR.split(expand(text, self.own, self.above)):
            if item:
                yield _Named(item if is_absolute(item) else self._absolute(item), origin)

    def _absolute(self, file: str) -> str:
        # The configuration's folder since Zephyr 3.0, before that the application's.
        folders = (self.config_dir(), self.own.text("APPLICATION_SOURCE_DIR", "APP_DIR"))
        paths = [f"{folder}/{file}" for folder in folders if folder]
        there = (path for path in paths if path_exists(self.places.local(path)))
        return next(there, paths[0] if paths else file)

    def _shields(self) -> Iterator[_Named]:
        names = _SEPARATOR.split(self.own.text("SHIELD") or self._from_above("SHIELD"))
        roots = self.own.items_of("BOARD_ROOT") + self.own.items_of("ZEPHYR_BASE")
        for shield in filter(_NAME.fullmatch, names):
            folders = [f"{root}/boards/shields" for root in roots]
            found = [
                file
                for folder in folders
                for file in _shield_files(self.places.local(folder), shield, self._board_names())
            ]
            if found:
                yield from (_Named(str(file), Origin.SHIELD, optional=True) for file in found)
            elif not any(path_exists(self.places.local(folder)) for folder in folders):
                yield _Named(f"{folders[0] if folders else 'boards/shields'}/{shield}.conf",
                             Origin.SHIELD)  # fmt: skip

    def _snippets(self) -> Iterator[_Named]:
        path = self.directory / "zephyr" / "snippets_generated.cmake"
        if path_exists(path):
            try:
                text = read_text(path, "EN006", limit=_LIMIT)
            except DfuBleError:
                yield _Named(str(path), Origin.EXTRA)  # which then can't be read
                return
            for match in _SNIPPET.finditer(text):
                yield from self._list(match[1], Origin.EXTRA)

    def _build_folder(self) -> Iterator[_Named]:
        options = self.directory / "zephyr" / "misc" / "generated" / "extra_kconfig_options.conf"
        yield _Named(str(options), Origin.COMMAND_LINE, optional=True)
        if not self.is_sysbuild_itself:
            try:
                files = sorted(self.directory.glob("*.conf"))
            except OSError:
                return
            yield from (_Named(str(path), Origin.BUILD_FOLDER) for path in files)


def _shield_files(folder: Path, shield: str, boards: list[str]) -> list[Path]:
    """Return the files of a shield: its own, then those for the board."""
    names = [f"*/{shield}.conf", *(f"*/boards/{board}.conf" for board in boards)]
    found: list[Path] = []
    try:
        for pattern in names:
            found += sorted(
                path
                for path in folder.glob(pattern)
                if pattern == names[0] or path_exists(path.parent.parent / f"{shield}.overlay")
            )
    except (OSError, ValueError):
        return []  # a board's name that is no pattern
    return found


def _handed_down(build: Build, image: Image, top: CMakeCache) -> CMakeCache:
    """Return the cache that sysbuild wrote for the image, or else sysbuild's own."""
    path = build.path / f"{image.name}_sysbuild_cache.txt"
    if path_exists(path):
        try:
            return read_cmake_cache(path)
        except DfuBleError:
            return top
    return top
