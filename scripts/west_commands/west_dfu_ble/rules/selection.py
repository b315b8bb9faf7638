# SPDX-License-Identifier: Apache-2.0
"""Which rules are asked, and how bad the project says their findings are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..diagnostics import DfuBleError, Location, Severity
from ..faults import fault
from .model import Rule
from .options import CheckOptions


def select_rules(rules: Sequence[Rule], options: CheckOptions) -> tuple[Rule, ...]:
    """Return the rules that `options` select and do not ignore, in order.

    A rule that is not asked explains nothing: those that follow it then speak for themselves.
    Raises `DfuBleError` EN008 for a code, name or family that is none.
    """
    wanted = _codes(rules, options.select) if options.select else {rule.code for rule in rules}
    unwanted = _codes(rules, options.ignore)
    # The project's own settings name rules as well; one that is none is told, not skipped.
    for selector in options.severity:
        _codes(rules, [selector], options.severity_at.get(selector))
    for waiver in options.waivers:
        if not any(waiver.rule in (rule.code, rule.doc.name) for rule in rules):
            raise _no_such_rule(rules, waiver.rule, waiver.location)
    return tuple(rule for rule in rules if rule.code in wanted and rule.code not in unwanted)


def severity_by_code(rules: Sequence[Rule], options: CheckOptions) -> dict[str, Severity]:
    """Return the severities that the project sets, by code."""
    return {
        code: severity
        for selector, severity in options.severity.items()
        for code in _codes(rules, [selector])
    }


def _codes(
    rules: Sequence[Rule], selectors: Iterable[str], location: Location | None = None
) -> set[str]:
    found: set[str] = set()
    for selector in selectors:
        codes = {rule.code for rule in rules if _matches(rule, selector)}
        if not codes:
            raise _no_such_rule(rules, selector, location)
        found |= codes
    return found


def _matches(rule: Rule, selector: str) -> bool:
    if selector.isalpha() and selector.isupper():
        return rule.code.rstrip("0123456789") == selector
    return selector in (rule.code, rule.doc.name)


def _no_such_rule(rules: Sequence[Rule], selector: str, location: Location | None) -> DfuBleError:
    from difflib import get_close_matches

    names = [name for rule in rules for name in (rule.code, rule.doc.name)]
    close = get_close_matches(selector, names, n=1)
    return fault(
        "EN008",
        f"there is no rule '{selector}'",
        location=location,
        why="A check that leaves out what it was asked for would look better than it is.",
        helps=[
            *([f"did you mean `{close[0]}`?"] if close else []),
            "rules go by code (KC150), by name, or by family (KC); `dfu-ble explain` lists them",
        ],
    )
