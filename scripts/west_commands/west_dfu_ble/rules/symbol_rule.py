# SPDX-License-Identifier: Apache-2.0
"""How a rule of the catalogue looks at a configuration, and what it says when the symbol is off.

A symbol that is off because of others that it depends on is one fault, told once: the diagnostic
carries every requirement that is not met, and the rules of those stay silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ..builddir import Build, Image, Kconfig, Layout
from ..diagnostics import Help, Note, Severity
from .catalogue import SymbolSpec
from .edits import in_application, in_sysbuild
from .generation import Generation
from .model import Context, Finding, Rule, Verdict, not_applicable, passed, unknown


def symbol_rules(specs: Sequence[SymbolSpec]) -> Iterator[Rule]:
    """Make a rule of each entry."""
    for spec in specs:
        yield Rule(
            spec.doc,
            partial(_check, spec, specs),
            follows=spec.needed_by + spec.follows,
        )


def _check(
    spec: SymbolSpec, specs: Sequence[SymbolSpec], context: Context, image: Image
) -> Verdict:
    word = _concerns(spec, context)
    if word is not None:
        return word
    symbol = _symbol(spec, context.generation)
    kconfig = image.kconfig
    if _is_met(spec, context, kconfig):
        return passed(f"`{symbol}` is on")
    way = next((name for name in spec.other_transports if kconfig.is_on(name)), None)
    other_way = way if not context.profile.is_caf else None
    unmet = [
        one for one in _requirements(spec, specs, context) if not _is_met(one, context, kconfig)
    ]
    return Finding(
        message=f"`{symbol}` {_state(symbol, kconfig)}",
        location=kconfig.where(symbol),
        notes=(
            *_notes(symbol, unmet, context, kconfig),
            *([Note(f"`{other_way}` is on", kconfig.where(other_way))] if other_way else []),
        ),
        helps=tuple(_helps(spec, [*unmet, spec], context)),
        severity=Severity.WARNING if other_way else None,
        data={
            "symbol": symbol,
            "expected": "y",
            "actual": kconfig.text(symbol, "n"),
            "unmet": [_symbol(one, context.generation) for one in unmet],
        },
    )


def _concerns(spec: SymbolSpec, context: Context) -> Verdict | None:
    """Return the word that ends the matter before the symbol is looked at, if there is one."""
    if spec.only_caf and not context.profile.is_caf:
        return not_applicable(f"profile `mcumgr`: {context.profile.reason}")
    if spec.only_modes:
        mode = context.build.mode
        if mode is None:
            return unknown("the build does not say which bootloader mode it is for")
        if mode not in spec.only_modes:
            return not_applicable(f"the bootloader mode is {mode.title}")
    if context.generation and context.generation not in spec.symbols:
        return not_applicable(spec.elsewhere)
    return None


def _symbol(spec: SymbolSpec, generation: Generation | None) -> str:
    """Return the symbol's name; without a known generation, the newest."""
    return spec.symbols[generation or Generation.NEW]


def _is_met(spec: SymbolSpec, context: Context, kconfig: Kconfig) -> bool:
    if kconfig.is_on(_symbol(spec, context.generation)):
        return True
    return spec.also is not None and kconfig.is_on(spec.also)


def _requirements(
    spec: SymbolSpec, specs: Sequence[SymbolSpec], context: Context
) -> list[SymbolSpec]:
    """Return what `spec` depends on, directly and indirectly, in this generation."""
    wanted = {spec.doc.code}
    # An entry may stand before the one that needs it: go round until nothing is added.
    while True:
        more = {one.doc.code for one in specs if wanted.intersection(one.needed_by)} - wanted
        if not more:
            break
        wanted |= more
    return [
        one
        for one in specs
        if one.doc.code in wanted - {spec.doc.code} and _concerns(one, context) is None
    ]


def _state(symbol: str, kconfig: Kconfig) -> str:
    if symbol in kconfig:
        return "is off"
    # Kconfig writes "is not set" only for a symbol whose dependencies are met.
    return "is not in the configuration"


def _notes(
    symbol: str, unmet: Sequence[SymbolSpec], context: Context, kconfig: Kconfig
) -> Iterator[Note]:
    for one in unmet:
        name = _symbol(one, context.generation)
        yield Note(f"it depends on `{name}`, which {_state(name, kconfig)}", kconfig.where(name))
    if symbol not in kconfig and not unmet:
        yield Note(
            "the symbol has no line at all, so something else that it depends on is off, "
            "or this SDK does not know it"
        )
    if context.generation is None:
        yield Note(
            "the configuration holds no symbol of MCUmgr that tells the SDK's generation; "
            f"the names are those of {Generation.NEW.title}"
        )


def _helps(spec: SymbolSpec, missing: Sequence[SymbolSpec], context: Context) -> Iterator[Help]:
    sysbuild = [one for one in missing if one.sysbuild and _has_sysbuild_symbol(one, context.build)]
    kconfig = [_symbol(one, context.generation) for one in missing if one not in sysbuild]
    if sysbuild:
        yield in_sysbuild("".join(f"{one.sysbuild}=y\n" for one in sysbuild))
    if kconfig:
        yield in_application("".join(f"{name}=y\n" for name in dict.fromkeys(kconfig)))
    if spec.instead:
        yield Help(spec.instead)


def _has_sysbuild_symbol(spec: SymbolSpec, build: Build) -> bool:
    # Upstream's and the SDK's sysbuild both hand the choice of the bootloader to the images.
    return spec.sysbuild is not None and build.layout in (
        Layout.NCS_SYSBUILD,
        Layout.ZEPHYR_SYSBUILD,
    )
