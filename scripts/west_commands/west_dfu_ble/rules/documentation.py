# SPDX-License-Identifier: Apache-2.0
"""The rules' documentation as people read it: one page a rule, and the list of them all."""

from __future__ import annotations

import textwrap

from ..faults import FAULTS, Fault
from .model import RuleDoc
from .registry import all_rules

_WIDTH, _LEAST_WIDTH = 100, 30


def catalogue() -> tuple[RuleDoc, ...]:
    """Return the documentation of every rule, by code."""
    return tuple(sorted((rule.doc for rule in all_rules()), key=lambda doc: doc.code))


def catalogue_text() -> str:
    """Return the list of all rules, and of the errors that end a command, one line each."""
    lines = ["Rules of `check`:"]
    lines += [f"  {d.code}  {d.name}  ({d.category.value}): {d.summary}" for d in catalogue()]
    lines += ["", "Errors that end a command:"]
    lines += [f"  {f.code}  {f.name}: {f.meaning}" for f in FAULTS.values()]
    lines += ["", "`dfu-ble explain CODE` (or the name) tells more."]
    return "\n".join(lines)


_TROUBLESHOOTING = "https://github.com/west-dfu-ble/west-dfu-ble/blob/main/docs/troubleshooting.md"


def explain(code_or_name: str, columns: int | None = None) -> str | None:
    """Return the documentation of a rule or an error as Markdown; `None` if there is none.

    Paragraphs have lines of 100 characters, or of `columns` if that is less.
    """
    width = min(max(columns or _WIDTH, _LEAST_WIDTH), _WIDTH)
    wanted = code_or_name.strip()
    for doc in catalogue():
        if wanted.upper() == doc.code or wanted == doc.name:
            return rule_page(doc, width)
    for fault in FAULTS.values():
        if wanted.upper() == fault.code or wanted == fault.name:
            return _fault_page(fault, width)
    return None


def rule_page(doc: RuleDoc, width: int = _WIDTH) -> str:
    """Return a rule's page, with the headings that every page has."""
    sections = {
        "What it checks": doc.checks,
        "Why it matters": doc.why,
        "How to fix": doc.fix,
        "Known problems": doc.known_problems,
        "Example": f"Bad:\n\n{_indented(doc.bad)}\n\nGood:\n\n{_indented(doc.good)}",
        "References": "\n".join(f"- {reference}" for reference in doc.references),
    }
    summary = _wrapped(doc.summary[0].upper() + doc.summary[1:], width)
    head = (
        f"# {doc.code} {doc.name}\n\n{summary}.\n\n"
        f"Category: {doc.category.value} ({doc.category.meaning}).\n"
        f"Applies to: {doc.applies}.\n"
    )
    return head + "".join(
        f"\n## {title}\n\n{_wrapped(text, width)}\n" for title, text in sections.items()
    )


def _fault_page(fault: Fault, width: int) -> str:
    return (
        f"# {fault.code} {fault.name}\n\n{_wrapped(fault.meaning, width)}\n\n"
        f"An error that ends the command with exit status {int(fault.status)}.\n\n"
        f"What to do about it, by symptom: {_TROUBLESHOOTING}"
    )


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip("\n"), "    ")


def _wrapped(text: str, width: int) -> str:
    """Wrap paragraphs; lists and examples (indented) stay as they are."""
    paragraphs = []
    for paragraph in text.strip("\n").split("\n\n"):
        if paragraph.startswith(("    ", "- ")):
            paragraphs.append(paragraph)
        else:
            paragraphs.append(
                textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
            )
    return "\n\n".join(paragraphs)
