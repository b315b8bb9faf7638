# SPDX-License-Identifier: Apache-2.0
"""The safe edits of all findings, put together as Kconfig fragments: what `check --fix` writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..builddir import Build, Cause, ConfigurationSources, Image
from ..diagnostics import Diagnostic, Help
from .check_report import CheckReport

_HEADER = "# Written by `west dfu-ble check --fix`"
_ABOUT = f"""{_HEADER}, which adds to it and keeps what is here.
# Each line names the rule that asks for it: `west dfu-ble explain RULE`.
"""
_ASSIGNMENT = re.compile(r"((?:SB_)?CONFIG_\w+)=(.+)")
_NOT_SET = re.compile(r"# ((?:SB_)?CONFIG_\w+) is not set")
# The comment that comes before a line of ours.
_REASON = re.compile(r"# [A-Z]{2}\d{3} .*")


@dataclass(frozen=True)
class FixLine:
    """One assignment, and the rules (``KC191 frame-buffers``) that ask for it."""

    symbol: str
    value: str
    rules: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines of the file: a comment with the rules, and the assignment."""
        return f"# {', '.join(self.rules)}\n{self.symbol}={self.value}\n"


@dataclass(frozen=True)
class Fragment:
    """A file to write: `name` is its own, `belongs_to` the file that the rules speak of."""

    name: str
    belongs_to: str
    lines: tuple[FixLine, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the rules that the lines are for."""
        return tuple(dict.fromkeys(rule[:5] for line in self.lines for rule in line.rules))

    def text(self, existing: str | None = None) -> str:
        """Return the file's whole text; what `existing` has beside these symbols is kept."""
        kept = existing if existing is not None else _ABOUT
        present = dict(_assigned(kept.splitlines()))
        new = [line for line in self.lines if present.get(line.symbol) != line.value]
        if not new:
            return kept
        kept = _without(kept, {line.symbol for line in new})
        return kept + "".join("\n" + line.text for line in new)


@dataclass(frozen=True)
class LeftOver:
    """A finding that no fragment mends, and why."""

    finding: Diagnostic
    reason: str


@dataclass(frozen=True)
class Fixes:
    """What can be written, and what it leaves to the user."""

    fragments: tuple[Fragment, ...]
    left: tuple[LeftOver, ...]


def is_own(text: str) -> bool:
    """Whether a file was written by `--fix`, so that it may be written again."""
    return text.startswith(_HEADER)


def fixes(report: CheckReport) -> Fixes:
    """Put together the safe edits of every finding that counts (not waived), the worst first.

    Two findings that want different numbers for one symbol get the larger: rules ask for "at
    least". For other values the worse finding has its way. An edit that the configuration files
    hold already, and that Kconfig dropped, would be dropped again: it is left out.
    """
    settings = _Settings(report.build)
    wanted: dict[str, dict[str, FixLine]] = {}
    left = []
    for finding in report.findings:
        edits = [(one.file, line) for one in finding.helps if _is_safe(one) for line in _lines(one)]
        useful = [(file, line) for file, line in edits if not settings.are_in_vain(file, *line)]
        if not edits:
            left.append(LeftOver(finding, "no edit is safe to apply unasked"))
            continue
        if all(settings.are_there(file, *line) for file, line in useful):
            reason = "its edit is in the configuration, and Kconfig drops it"
            if useful == edits:
                reason = "its edit changes nothing in this build"
            left.append(LeftOver(finding, reason))
            continue
        rule = f"{finding.code} {finding.name}"
        taken = [_add(wanted.setdefault(file, {}), line, rule) for file, line in useful]
        if not all(taken):
            left.append(LeftOver(finding, "another finding asks for another value"))
    fragments = (
        Fragment(_name(file), file, tuple(lines.values()))
        for file, lines in wanted.items()
        if lines
    )
    return Fixes(tuple(sorted(fragments, key=lambda one: one.name)), tuple(left))


def _is_safe(helping: Help) -> bool:
    return helping.safe and helping.file.endswith(".conf") and bool(helping.edit)


class _Settings:
    """What a build has already of the lines that would be written."""

    def __init__(self, build: Build) -> None:
        self._sources = ConfigurationSources(build)
        # By the name of the file without its ending; `None` is sysbuild itself.
        self._images: dict[str, Image | None] = {image.name: image for image in build.images}
        self._images |= {"prj": build.application, "sysbuild": None}
        self._sysbuild = build.sysbuild

    def are_in_vain(self, file: str, symbol: str, value: str) -> bool:
        """Whether the last line that assigns `symbol` says the same, without effect."""
        stem = PurePosixPath(file).stem
        if stem not in self._images:
            return False
        known = self._sources.provenance(self._images[stem], symbol)
        return known.cause is Cause.DROPPED and known.settings[-1].value == value.strip('"')

    def are_there(self, file: str, symbol: str, value: str) -> bool:
        """Whether the build has `value` without the line."""
        image = self._images.get(PurePosixPath(file).stem)
        kconfig = image.kconfig if image else self._sysbuild
        return kconfig is not None and kconfig.text(symbol, "n") == value.strip('"')


def _lines(helping: Help) -> Iterator[tuple[str, str]]:
    return _assigned(helping.edit.splitlines())


def _assigned(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match:
            yield match[1], match[2]


def _add(lines: dict[str, FixLine], line: tuple[str, str], rule: str) -> bool:
    """Take one line; `False` if another rule wants something else of the symbol."""
    symbol, value = line
    known = lines.get(symbol)
    if known is None:
        lines[symbol] = FixLine(symbol, value, (rule,))
        return True
    both = tuple(dict.fromkeys((*known.rules, rule)))
    if known.value == value:
        lines[symbol] = FixLine(symbol, value, both)
        return True
    try:
        larger = max(known.value, value, key=lambda text: int(text, 0))
    except ValueError:
        return False
    lines[symbol] = FixLine(symbol, larger, both)
    return True


def _name(file: str) -> str:
    """Return ``dfu-ble.conf`` for the application, ``dfu-ble.mcuboot.conf`` for MCUboot's file."""
    stem = PurePosixPath(file).stem
    return "dfu-ble.conf" if stem == "prj" else f"dfu-ble.{stem}.conf"


def _without(text: str, symbols: set[str]) -> str:
    """Return `text` without the lines for `symbols` and the comments that name their rules."""
    kept: list[str] = []
    for line in text.splitlines():
        match = _ASSIGNMENT.fullmatch(line.strip()) or _NOT_SET.fullmatch(line.strip())
        if match is None or match[1] not in symbols:
            kept.append(line)
            continue
        if kept and _REASON.fullmatch(kept[-1]):
            kept.pop()
        if kept and not kept[-1]:
            kept.pop()
    return "\n".join(kept).rstrip("\n") + "\n"
