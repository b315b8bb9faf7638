# SPDX-License-Identifier: Apache-2.0
"""The plain rules, read from `catalogue.yml`: one Kconfig symbol each that must be on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..mcuboot import BootloaderMode
from .generation import Generation
from .model import Category, RuleDoc

CATALOGUE = Path(__file__).with_name("catalogue.yml")


@dataclass(frozen=True)
class SymbolSpec:
    """One entry of the catalogue; the file's head explains the keys."""

    doc: RuleDoc
    symbols: Mapping[Generation, str]
    also: str | None
    other_transports: tuple[str, ...]
    sysbuild: str | None
    only_caf: bool
    only_modes: frozenset[BootloaderMode]
    elsewhere: str
    needed_by: tuple[str, ...]
    follows: tuple[str, ...]
    instead: str


@cache
def read_catalogue() -> tuple[SymbolSpec, ...]:
    """Read the catalogue that comes with the package; its form is checked by the tests."""
    # libyaml is ten times as fast; where PyYAML was built without it, the same in Python will do.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(CATALOGUE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    return tuple(_spec(entry) for entry in entries)


def _spec(entry: Mapping[str, Any]) -> SymbolSpec:
    symbol = entry["symbol"]
    symbols = (
        dict.fromkeys(Generation, symbol)
        if isinstance(symbol, str)
        else {Generation(key): value for key, value in symbol.items()}
    )
    spec = SymbolSpec(
        doc=_doc(entry, symbols),
        symbols=symbols,
        also=entry.get("also"),
        other_transports=tuple(entry.get("other-transports", ())),
        sysbuild=entry.get("sysbuild"),
        only_caf=entry.get("only-caf", False),
        only_modes=frozenset(BootloaderMode[name] for name in entry.get("only-modes", ())),
        elsewhere=entry.get("elsewhere", ""),
        needed_by=tuple(entry.get("needed-by", ())),
        follows=tuple(entry.get("follows", ())),
        instead=entry.get("instead", ""),
    )
    assert spec.elsewhere or len(symbols) == len(Generation), f"{spec.doc.code}: no `elsewhere`"
    return spec


def _doc(entry: Mapping[str, Any], symbols: Mapping[Generation, str]) -> RuleDoc:
    names = list(dict.fromkeys(symbols.values()))
    where = []
    if entry.get("only-caf"):
        where.append("profile `caf`")
    if "only-modes" in entry:
        modes = [BootloaderMode[name].title for name in entry["only-modes"]]
        where.append("bootloader modes " + " and ".join(modes))
    if len(symbols) < len(Generation):
        where.append(" and ".join(generation.title for generation in symbols))
    checks = f"`{names[-1]}` must be on in the application's configuration."
    if len(names) > 1:
        olds = {generation: name for generation, name in symbols.items() if name != names[-1]}
        by_name = " ".join(f"It is `{name}` in {g.title}." for g, name in olds.items())
        checks = f"{checks} {by_name}"
    if "also" in entry:
        checks = f"{checks} `{entry['also']}` serves as well."
    if "other-transports" in entry:
        others = ", ".join(f"`{name}`" for name in entry["other-transports"])
        checks = f"{checks} A warning where the update has another way: {others}."
    if "elsewhere" in entry:
        checks = f"{checks} Not asked for elsewhere: {entry['elsewhere']}."
    return RuleDoc(
        code=entry["code"],
        name=entry["name"],
        category=Category(entry["category"]),
        summary=entry["summary"],
        checks=checks,
        why=entry["why"],
        fix=entry["fix"],
        bad=f"# {names[-1]} is not set",
        good=f"{names[-1]}=y",
        applies="; ".join(where) or "every build",
        references=tuple(entry["references"]),
        known_problems=entry.get("known-problems", "None known."),
    )
