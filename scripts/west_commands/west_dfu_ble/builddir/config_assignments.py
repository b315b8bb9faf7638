# SPDX-License-Identifier: Apache-2.0
"""Where a symbol was set: every line that assigns it, and what can be said without a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..diagnostics import DfuBleError, Location
from .cmakecache import CMakeCache
from .config_sources import Caches, ConfigurationFile, Origin, configuration_files
from .config_trace import Decision, Trace, Traced, read_trace
from .model import Build, Image, Kconfig, Role
from .textfile import read_text

_LIMIT = 1_000_000
# As Kconfig reads them: from the start of the line, without blanks around the sign.
_ASSIGNMENT = re.compile(r"((?:SB_)?CONFIG_\w+)=(.*)")
_NOT_SET = re.compile(r"# ((?:SB_)?CONFIG_\w+) is not set")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Setting:
    """A line that assigns a symbol; `value` is the text behind ``=``, ``n`` for "is not set"."""

    value: str
    location: Location
    file: ConfigurationFile

    @property
    def is_editable(self) -> bool:
        """Whether the line stands in a file that a person writes."""
        return not self.file.generated


class Cause(Enum):
    """Why a symbol has the value that it has."""

    ASSIGNED = "assigned"
    DROPPED = "dropped"
    DEFAULT = "default"
    SELECTED = "selected"
    DEFAULT_OR_SELECTED = "default or selected"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Provenance:
    """What is known of where a symbol got its value.

    `settings` are the lines that assign it, in the order in which they were merged: the last one
    wins. With `DROPPED` the last one is not what came out: Kconfig took it back, because of a
    dependency or of another symbol. `unread` are the files, as the build calls them, that come
    after the last line found and are not on this machine: with them nothing is certain
    (`UNKNOWN`). `expressions` are what selects it, `location` is where its default stands; both
    are known from the build's trace alone (Zephyr 4.3 and later).
    """

    symbol: str
    cause: Cause
    settings: tuple[Setting, ...] = ()
    unread: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    location: Location | None = None


def assignments(file: ConfigurationFile) -> dict[str, Setting]:
    """Return what a configuration file assigns, by symbol; nothing if it can't be read here."""
    return _assignments(file) or {}


def where_assigned(build: Build, image: Image | None, symbol: str) -> Location | None:
    """Return the last line that assigns `symbol` and that a person can edit.

    `image` is `None` for a symbol of sysbuild's own. `None` if no such line was found.
    """
    settings = ConfigurationSources(build).provenance(image, symbol).settings
    return next((one.location for one in reversed(settings) if one.is_editable), None)


@dataclass
class ConfigurationSources:
    """The configuration files of a build, each read once, when somebody asks."""

    build: Build
    _images: dict[str, _ImageSources] = field(default_factory=dict)

    def provenance(self, image: Image | None, symbol: str) -> Provenance:
        """Say where `symbol` (``CONFIG_BT``) of `image` (`None`: of sysbuild) got its value.

        Never raises for files that can't be read: they make the answer `UNKNOWN`.
        """
        return self._of(image).provenance(symbol)

    def settings(self, image: Image | None) -> Mapping[str, tuple[Setting, ...]]:
        """Return every assignment in the files that can be read, by symbol."""
        return self._of(image).settings

    def unread(self, image: Image | None) -> tuple[str, ...]:
        """Return the files that can't be read on this machine, as the build calls them."""
        return tuple(self._of(image).unread.values())

    def _of(self, image: Image | None) -> _ImageSources:
        name = image.name if image else ""
        if name not in self._images:
            self._images[name] = _read(self.build, image)
        return self._images[name]


@dataclass(frozen=True)
class _ImageSources:
    """All that one image's files assign; keys of `unread` are places in the order of merging."""

    kconfig: Kconfig | None
    caches: Caches | None
    files: tuple[ConfigurationFile, ...]
    settings: Mapping[str, tuple[Setting, ...]]
    unread: Mapping[int, str]
    trace: Trace | None

    def provenance(self, symbol: str) -> Provenance:
        settings = self.settings.get(symbol, ())
        traced = self.trace.get(symbol) if self.trace else None
        if traced is not None:
            known = self._by_trace(symbol, settings, traced)
            if known is not None:
                return known
        settings = self._with_command_line(symbol, settings)
        last = self._place(settings[-1]) if settings else -1
        unread = tuple(name for place, name in self.unread.items() if place > last)
        if unread or (not settings and not self.files):
            return Provenance(symbol, Cause.UNKNOWN, settings, unread)
        if not settings:
            return Provenance(symbol, Cause.DEFAULT_OR_SELECTED)
        cause = Cause.ASSIGNED if self._came_out(symbol, settings[-1]) else Cause.DROPPED
        return Provenance(symbol, cause, settings)

    def _by_trace(
        self, symbol: str, settings: tuple[Setting, ...], traced: Traced
    ) -> Provenance | None:
        """Let the build's own trace say it; its "assigned" must be borne out by the line."""
        if traced.decision is Decision.ASSIGNED:
            fits = [one for one in settings if one.location == traced.location]
            if fits and fits[-1] is settings[-1]:
                return Provenance(symbol, Cause.ASSIGNED, settings)
            return None  # the file changed since, or is not here
        if settings and not self._came_out(symbol, settings[-1]):
            return Provenance(symbol, Cause.DROPPED, settings, (), traced.expressions)
        if settings:
            return None
        if traced.decision is Decision.SELECTED:
            return Provenance(symbol, Cause.SELECTED, (), (), traced.expressions)
        return Provenance(symbol, Cause.DEFAULT, (), (), (), traced.location)

    def _came_out(self, symbol: str, setting: Setting) -> bool:
        # A symbol without a line is off: Kconfig leaves out what depends on something that is.
        value = self.kconfig.text(symbol, "n") if self.kconfig else setting.value
        if value == setting.value:
            return True
        try:
            return int(value, 0) == int(setting.value, 0)
        except ValueError:
            return False

    def _with_command_line(self, symbol: str, settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
        """Add what ``-D`` set, unless the file in which the build keeps it is here, too."""
        entry = self.caches.command_line(symbol) if self.caches else None
        if entry is None or any(file.origin is Origin.COMMAND_LINE for file in self.files):
            return settings
        cache, name = entry
        file = ConfigurationFile(str(cache.path), cache.path, Origin.COMMAND_LINE)
        setting = Setting(_unquoted(cache[name]), _line_of(cache, name), file)
        return tuple(sorted((*settings, setting), key=self._place))

    def _place(self, setting: Setting) -> float:
        """Return the place of a setting's file in the order of merging."""
        if setting.file in self.files:
            return self.files.index(setting.file)
        # The command line wins over all but these.
        stronger = (Origin.SYSBUILD, Origin.BUILD_FOLDER)
        weaker = [n for n, file in enumerate(self.files) if file.origin not in stronger]
        return max(weaker, default=-1) + 0.5


def _read(build: Build, image: Image | None) -> _ImageSources:
    kconfig = image.kconfig if image else build.sysbuild
    try:
        caches = Caches.of(build, image)
        files = configuration_files(build, image)
    except DfuBleError:
        return _ImageSources(kconfig, None, (), {}, {}, None)
    found: dict[str, tuple[Setting, ...]] = {}
    unread = {}
    for place, file in enumerate(files):
        assigned = _assignments(file)
        if assigned is None:
            unread[place] = file.recorded
            continue
        for symbol, setting in assigned.items():
            found[symbol] = (*found.get(symbol, ()), setting)
    # A variant has the application's configuration as a whole, and no trace of its own.
    is_variant = image is not None and image.role is Role.VARIANT
    directory = build.application.directory if is_variant else caches.directory
    trace = read_trace(directory / "zephyr", caches.places)
    return _ImageSources(kconfig, caches, files, found, unread, trace)


def _assignments(file: ConfigurationFile) -> dict[str, Setting] | None:
    try:
        text = read_text(file.path, "EN006", limit=_LIMIT)
    except DfuBleError:
        return None
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _ASSIGNMENT.fullmatch(line.rstrip())
        if match:
            found[match[1]] = Setting(_unquoted(match[2]), Location(file.path, number), file)
            continue
        match = _NOT_SET.fullmatch(line.rstrip())
        if match:
            found[match[1]] = Setting("n", Location(file.path, number), file)
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPE.sub(r"\1", value[1:-1])
    return value


def _line_of(cache: CMakeCache, name: str) -> Location:
    try:
        lines = read_text(cache.path, "EN006", limit=4 * _LIMIT).split("\n")
    except DfuBleError:
        return Location(cache.path)
    starts = (f"{name}:", f'"{name}":')
    numbers = (number for number, line in enumerate(lines, 1) if line.startswith(starts))
    return Location(cache.path, next(numbers, None))
