# SPDX-License-Identifier: Apache-2.0
"""What a check found, for the page: counts, findings with their fixes, every rule's word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...diagnostics import Diagnostic, Help, Note
from ...rules import CheckReport, Outcome, RuleDoc, Status
from ..words import shown_location
from .markup import Markup, inline, join, prose, tag

_STATUS = {
    Status.PASS: ("good", "passed"),
    Status.FAIL: ("error", "failed"),
    Status.NOT_APPLICABLE: ("quiet", "not applicable"),
    Status.UNKNOWN: ("unknown", "not evaluated"),
}


def counts(report: CheckReport) -> Markup:
    """Return the counts, those that are not 0 and the errors always."""
    s = report.summary
    figures = (
        ("error" if s.errors else "quiet", s.errors, "error" if s.errors == 1 else "errors"),
        ("warning", s.warnings, "warning" if s.warnings == 1 else "warnings"),
        ("info", s.infos, "info"),
        ("quiet", s.waived, "waived"),
        ("unknown", s.unknown, "not evaluated"),
        ("good", s.passed, "passed"),
        ("quiet", s.not_applicable, "not applicable"),
    )
    shown = [one for one in figures if one[1] or one[2] == "errors"]
    return tag(
        "ul",
        *(
            tag("li", tag("b", str(number)), f" {word}", class_=f"tone-{tone}")
            for tone, number, word in shown
        ),
        class_="counts",
    )


def findings(report: CheckReport, cwd: Path) -> Markup:
    """Return the findings that count, the worst first, each with what mends it."""
    found = [
        (outcome, outcome.diagnostic)
        for outcome in report.outcomes
        if outcome.diagnostic is not None and outcome.waived is None
    ]
    docs = {rule.code: rule.doc for rule in report.rules}
    found.sort(key=lambda pair: -pair[1].severity.rank)
    if not found:
        return tag("p", "Nothing was found that stands in the way of an update.", class_="empty")
    several = len(report.build.images) > 1
    return join(
        *(
            diagnostic(one, cwd, outcome.image if several else "", docs.get(one.code))
            for outcome, one in found
        )
    )


def diagnostic(
    one: Diagnostic, cwd: Path, image: str = "", documentation: RuleDoc | None = None
) -> Markup:
    """Return one finding or error; `documentation` is the rule's, to look up without a network."""
    severity = one.severity.value
    head = tag(
        "h3",
        tag("span", severity, class_=f"badge tone-{severity}"),
        " ",
        tag("code", one.code),
        " ",
        tag("span", one.name, class_="rule"),
        *((" ", tag("span", f"image {image}", class_="image-name")) if image else ()),
    )
    parts = [head, tag("p", inline(one.message), class_="message")]
    if one.location is not None:
        parts.append(tag("p", tag("code", shown_location(one.location, cwd)), class_="place"))
    if one.why:
        parts.append(tag("p", inline(one.why), class_="why"))
    if one.notes:
        parts.append(tag("ul", *(tag("li", _note(note, cwd)) for note in one.notes)))
    if one.helps:
        parts.append(tag("div", tag("h4", "How to mend it"), *map(_help, one.helps), class_="fix"))
    if documentation is not None:
        parts.append(_about(documentation))
    return tag("article", *parts, class_=f"finding tone-{severity}")


def _note(note: Note, cwd: Path) -> Markup:
    if note.location is None:
        return inline(note.text)
    return join(inline(note.text), " ", tag("code", shown_location(note.location, cwd)))


def _help(one: Help) -> Markup:
    text = one.text[:1].upper() + one.text[1:]
    edit = tag("pre", tag("code", one.edit.rstrip("\n"))) if one.edit else ""
    return join(tag("p", inline(text)), edit)


def _about(doc: RuleDoc) -> Markup:
    return tag(
        "details",
        tag("summary", "About this rule"),
        prose(doc.checks),
        tag("p", tag("b", "Applies to: "), inline(doc.applies)),
        tag("h4", "Bad"),
        tag("pre", tag("code", doc.bad.rstrip("\n"))),
        tag("h4", "Good"),
        tag("pre", tag("code", doc.good.rstrip("\n"))),
    )


def every_rule(report: CheckReport) -> Markup:
    """Return a table of all outcomes, so that silence never looks like success."""
    head = tag("tr", *(tag("th", word, scope="col") for word in _COLUMNS))
    rows = [tag("tr", *(tag("td", cell) for cell in _row(one))) for one in report.outcomes]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag(
        "details",
        tag("summary", f"All {len(report.outcomes)} outcomes of {len(report.rules)} rules"),
        tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="All outcomes"),
    )


_COLUMNS = ("Rule", "Image", "Outcome", "What was seen")


def _row(outcome: Outcome) -> Iterator[Markup]:
    yield join(tag("code", outcome.code), " ", outcome.name)
    yield tag("span", outcome.image or "the build")
    tone, word = _STATUS[outcome.status]
    said = outcome.reason
    if outcome.diagnostic is not None:
        tone = word = outcome.diagnostic.severity.value
        said = outcome.diagnostic.message
    if outcome.waived is not None:
        tone, word, said = "quiet", "waived", f"{said} (reason: {outcome.waived})"
    yield tag("span", word, class_=f"badge tone-{tone}")
    yield inline(said)
