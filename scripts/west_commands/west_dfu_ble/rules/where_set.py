# SPDX-License-Identifier: Apache-2.0
"""Add to a finding where its symbols were set: the lines that the user can edit.

The engine does this for every rule alike. Where the answer is not certain, the note says so and
why; it never guesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..builddir import Build, Cause, ConfigurationSources, Image, Origin, Provenance, Setting
from ..diagnostics import Diagnostic, Location, Note
from .fitted_helps import FittedHelps

# A finding is about few symbols; one that lists more says enough by itself.
_MOST = 6
# Files to name where something is unknown, and earlier lines to show.
_FILES, _EARLIER = 2, 2


class WhereSet:
    """Knows the configuration files of a build; reads them when the first finding asks."""

    def __init__(self, build: Build) -> None:
        """Read nothing yet."""
        self._build = build
        self._sources = ConfigurationSources(build)
        self._helps = FittedHelps(build, self._sources)
        # By the image's name; sysbuild itself has none.
        self._images: Mapping[str, Image | None] = {
            "": None,
            **{image.name: image for image in build.images},
        }

    def explain(self, diagnostic: Diagnostic, image: Image | None) -> Diagnostic:
        """Return `diagnostic`, of a rule about `image`, with notes on where its symbols were set.

        Its helps speak of the files that this build has.

        Its symbols are those that `data` names as ``symbol`` and ``unmet``, and those whose line
        in a `.config` is its location or that of a note.
        """
        symbols = list(dict.fromkeys(self._symbols(diagnostic, image)))[:_MOST]
        answers = [self._sources.provenance(self._images[name], one) for name, one in symbols]
        notes = diagnostic.notes + tuple(_notes(answers))
        helps = tuple(self._helps.fit(one) for one in diagnostic.helps)
        return replace(diagnostic, notes=notes, helps=helps, edit_at=_editable(answers))

    def _symbols(self, diagnostic: Diagnostic, image: Image | None) -> Iterator[tuple[str, str]]:
        """Yield the image's name and the symbol's."""
        places = [diagnostic.location, *(note.location for note in diagnostic.notes)]
        located = [found for found in map(self._symbol_at, places) if found is not None]
        by_symbol = {symbol: name for name, symbol in reversed(located)}
        unmet = diagnostic.data.get("unmet")
        named = [diagnostic.data.get("symbol"), *(unmet if isinstance(unmet, list) else ())]
        whose = self._whose(diagnostic.location, image)
        for symbol in named:
            if isinstance(symbol, str) and symbol.startswith("CONFIG_"):
                yield by_symbol.get(symbol, whose), symbol
        yield from located

    def _whose(self, location: Location | None, image: Image | None) -> str:
        """Name the image in whose `.config` a finding lies, or else the one that it is about."""
        for one in self._build.images:
            if location is not None and location.path == one.kconfig.path:
                return one.name
        return (image or self._build.application).name

    def _symbol_at(self, location: Location | None) -> tuple[str, str] | None:
        """Return the image and the symbol of a line in a `.config`."""
        if location is None or location.line is None:
            return None
        for name, image in self._images.items():
            kconfig = image.kconfig if image else self._build.sysbuild
            if kconfig is not None and kconfig.path == location.path:
                symbols = (one for one in kconfig if kconfig.where(one).line == location.line)
                symbol = next(symbols, None)
                return None if symbol is None else (name, symbol)
        return None


def _editable(answers: Sequence[Provenance]) -> Location | None:
    """Return the line that counts of the first symbol, if a person wrote it."""
    lines = answers[0].settings[-1:] if answers else ()
    return next((one.location for one in lines if one.is_editable), None)


def _notes(answers: Sequence[Provenance]) -> Iterator[Note]:
    for answer in answers:
        yield from _of_lines(answer)
    unassigned = [one.symbol for one in answers if one.cause is Cause.DEFAULT_OR_SELECTED]
    if unassigned:
        words = "a default, or what other options select"
        yield Note(f"no configuration file assigns {_listed(unassigned)}: {words}")
    for answer in answers:
        if answer.cause is Cause.SELECTED:
            by = f": {_listed(answer.expressions)}" if answer.expressions else ""
            yield Note(f"`{answer.symbol}` is what other options select{by}")
        elif answer.cause is Cause.DEFAULT:
            yield Note(f"`{answer.symbol}` is what Kconfig has by default", answer.location)
    yield from _unknown([one for one in answers if one.cause is Cause.UNKNOWN])


def _of_lines(answer: Provenance) -> Iterator[Note]:
    """Tell the line that counts, and those before it that said otherwise."""
    if not answer.settings:
        return
    last = answer.settings[-1]
    yield Note(_words(answer, last), last.location)
    earlier = [one for one in answer.settings[:-1] if one.value != last.value]
    for one in earlier[-_EARLIER:]:
        yield Note(f"an earlier line has `{one.value}`", one.location)


def _words(answer: Provenance, last: Setting) -> str:
    symbol, value = answer.symbol, last.value
    if answer.cause is Cause.DROPPED:
        if value == "n":
            by = f" ({_listed(answer.expressions)})" if answer.expressions else ""
            return f"`{symbol}` is assigned `n`, but other options select it{by}"
        dropped = "dropped it" if value == "y" else "took another value"
        why = "something that it depends on is off, or this SDK has no such option"
        if value != "y":
            why = "something that it depends on is off, or it is out of range"
        return f"`{symbol}` is assigned `{value}`, but Kconfig {dropped}: {why}"
    said = _BY.get(last.file.origin, "is set to `{value}`").format(value=value)
    if answer.cause is Cause.UNKNOWN:
        said = said.replace("is ", "is, as far as can be seen, ", 1)
    return f"`{symbol}` {said}"


_BY = {
    Origin.BOARD: "is set to `{value}` by the board's defaults",
    Origin.SHIELD: "is set to `{value}` by the shield",
    Origin.COMMAND_LINE: "is set to `{value}` on the command line (`-D`)",
    Origin.SYSBUILD: "is forced to `{value}` by sysbuild, so it is set through sysbuild's options",
}


def _unknown(answers: Sequence[Provenance]) -> Iterator[Note]:
    by_files: dict[tuple[str, ...], list[str]] = {}
    for answer in answers:
        by_files.setdefault(answer.unread, []).append(answer.symbol)
    for files, symbols in by_files.items():
        what = f"where {_listed(symbols)} {'is' if len(symbols) == 1 else 'are'} set is unknown"
        if not files:
            yield Note(f"{what}: the build does not name its configuration files")
            continue
        more = f" and {len(files) - _FILES} more" if len(files) > _FILES else ""
        verb = "is" if len(files) == 1 else "are"
        names = _listed(files[:_FILES], " and " if not more else ", ")
        yield Note(f"{what}: {names}{more} {verb} not on this machine")


def _listed(names: Sequence[str], last: str = " and ") -> str:
    quoted = [f"`{name}`" for name in names]
    return last.join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
