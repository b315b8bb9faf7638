# SPDX-License-Identifier: Apache-2.0
"""Read the YAML files of a build: plain maps, lists and texts, each with its line.

PyYAML's event stream is all that is used of it: no object is ever made from a tag, values stay the
text that they are (``0x8000`` is not guessed at), and what a file can cost is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Union

from ..diagnostics import DfuBleError, Location
from .textfile import read_text, shorten, unreadable

if TYPE_CHECKING:
    import yaml

# The largest partitions.yml seen has 6 kB and 4 levels.
_LIMIT = 200_000
_DEPTH = 12
_NAME = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class YamlText:
    """A scalar as it was written, without quotes; `line` counts from 1."""

    text: str
    line: int


@dataclass(frozen=True)
class YamlList:
    """A sequence; `line` is where it begins."""

    items: tuple[YamlValue, ...]
    line: int


@dataclass(frozen=True)
class YamlMap(Mapping[str, "YamlValue"]):
    """A mapping with text keys; `key_lines` says where each key stands."""

    values_by_key: Mapping[str, YamlValue]
    key_lines: Mapping[str, int]
    line: int

    def __getitem__(self, key: str) -> YamlValue:
        return self.values_by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_key)

    def __len__(self) -> int:
        return len(self.values_by_key)


YamlValue = Union[YamlText, YamlList, YamlMap]  # noqa: UP007 (evaluated, and 3.10 forward references need Union)


@dataclass
class YamlFile:
    """One YAML file whose top is a map; asks for values raise its error `code` with the line."""

    path: Path
    code: str
    top: YamlMap

    def error(self, message: str, line: int | None = None) -> DfuBleError:
        """Make the error for something in this file."""
        return unreadable(self.code, self.path, message, line)

    def at(self, line: int | None) -> Location:
        """Return the place in this file."""
        return Location(self.path, line)

    def text(self, parent: YamlMap, key: str, default: str | None = None) -> str:
        """Return the text behind `key` (null is an empty text)."""
        value = parent.get(key)
        if value is None:
            if default is None:
                raise self.error(f"`{self.path.name}` lacks `{key}`", parent.line)
            return default
        if not isinstance(value, YamlText):
            raise self.error(f"`{key}` is a list or map and not a text", parent.key_lines[key])
        return "" if value.text in ("null", "~") else value.text

    def named_maps(self) -> Iterator[tuple[str, YamlMap]]:
        """Yield the maps of a file that describes things by name; names are plain words."""
        for name, entry in self.top.items():
            if not _NAME.fullmatch(name):
                raise self.error(f"`{shorten(name)}` can't be a name", self.top.key_lines[name])
            if not isinstance(entry, YamlMap):
                raise self.error(f"`{name}` is not a map", self.top.key_lines[name])
            yield name, entry

    def number(self, parent: YamlMap, key: str, owner: str) -> int:
        """Return the number behind `key` (decimal or ``0x``), zero or above."""
        line = parent.key_lines.get(key, parent.line)
        if key not in parent:
            raise self.error(f"`{owner}` has no `{key}`", line)
        written = self.text(parent, key)
        try:
            value = int(written, 0) if len(written) <= 20 else -1
        except ValueError:
            value = -1
        if value < 0:
            raise self.error(f"`{key}` of `{owner}` is `{shorten(written)}`, not a number", line)
        return value


def read_yaml(path: Path, code: str) -> YamlFile:
    """Read the YAML file at `path`, whose top must be a map.

    Raises `DfuBleError` with `code` and the line for what is no YAML, nests deeper than any file
    of a build, has the same key twice, or reuses aliases inside aliases (which would grow without
    bound for whoever follows them).
    """
    import yaml

    text = read_text(path, code, limit=_LIMIT)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(path, code)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
        raise unreadable(
            code,
            path,
            f"`{path.name}` is not YAML",
            # libyaml counts the end of a file without a last line feed as one line more
            min(mark.line, text.rstrip().count("\n")) + 1 if mark else None,
            notes=[f"the parser says: {shorten(str(problem), 100)}"],
        ) from None
    top = builder.root
    if not isinstance(top, YamlMap):
        what = "is empty" if top is None else "is not a map of names"
        raise unreadable(code, path, f"`{path.name}` {what}", top.line if top else None)
    return YamlFile(path, code, top)


@dataclass
class _Open:
    """A list or map whose end has not come yet."""

    is_map: bool
    line: int
    anchor: str | None
    items: list[YamlValue] = field(default_factory=list)
    has_alias: bool = False


class _Builder:
    """Makes values of the parser's events, without recursion, so that depth is ours to bound."""

    def __init__(self, path: Path, code: str) -> None:
        self.root: YamlValue | None = None
        self._path, self._code = path, code
        self._open: list[_Open] = []
        self._anchors: dict[str, YamlValue] = {}
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        import yaml

        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.ScalarEvent):
            self._add(YamlText(event.value, line or 0), event.anchor)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self._open) >= _DEPTH:
                raise self._error(f"nests deeper than {_DEPTH} levels", line)
            is_map = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(is_map, line or 0, event.anchor))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            if done.anchor and done.has_alias:
                raise self._error("has aliases inside an alias", done.line)
            self._add(self._close(done), done.anchor)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor is None or event.anchor not in self._anchors:
                raise self._error(f"has the unknown alias `{shorten(str(event.anchor))}`", line)
            for one in self._open:
                one.has_alias = True
            self._add(self._anchors[event.anchor], None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error("holds more than one document", line)

    def _add(self, value: YamlValue, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = value
        if self._open:
            self._open[-1].items.append(value)
        else:
            self.root = value

    def _close(self, done: _Open) -> YamlValue:
        if not done.is_map:
            return YamlList(tuple(done.items), done.line)
        values: dict[str, YamlValue] = {}
        lines: dict[str, int] = {}
        for key, value in zip(done.items[::2], done.items[1::2], strict=True):
            if not isinstance(key, YamlText):
                raise self._error("has a key that is not a text", key.line)
            if key.text in values:
                raise self._error(f"has `{shorten(key.text)}` twice", key.line)
            values[key.text] = value
            lines[key.text] = key.line
        return YamlMap(values, lines, done.line)

    def _error(self, problem: str, line: int | None) -> DfuBleError:
        return unreadable(self._code, self._path, f"`{self._path.name}` {problem}", line)
