# SPDX-License-Identifier: Apache-2.0
"""SARIF 2.1.0 (OASIS): one run a build, one result an outcome, the rules' documentation with it.

Passed rules are results too, with their `kind`, and so are waived findings, as suppressed: a
reader can tell what was looked at. Section numbers here are those of the standard.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .. import __version__
from ..diagnostics import Diagnostic, Note, Severity
from ..faults import FAULTS
from ..rules import CheckReport, Outcome, RuleDoc, Status, catalogue, rule_page
from .facts import build_facts
from .sarif_text import BASE, artifact, base_uri, location, message, result_text
from .words import fingerprint, shown_path

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_HOME = "https://github.com/west-dfu-ble/west-dfu-ble"
_PAGES = f"{_HOME}/blob/main/docs/rules"
# A log file around its runs.
_HEAD = f'{{\n"$schema": "{_SCHEMA}",\n"version": "2.1.0",\n"runs": [\n'
_TAIL = "\n]\n}"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_KINDS = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.NOT_APPLICABLE: "notApplicable",
    Status.UNKNOWN: "open",
}


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return the log file of one build; places below `cwd` are relative to it."""
    docs = catalogue()
    numbers = {doc.code: number for number, doc in enumerate(docs)}
    invocation: dict[str, Any] = {
        "executionSuccessful": True,
        "exitCode": int(report.exit_status),
        "workingDirectory": {"uri": base_uri(cwd)},
    }
    overrides = _overrides(report, docs)
    if overrides:
        invocation["ruleConfigurationOverrides"] = overrides
    run = {
        "tool": {"driver": {**_driver(), "rules": [_rule(doc) for doc in docs]}},
        "automationDetails": _details(report.build.path, cwd),
        "invocations": [invocation],
        "originalUriBaseIds": {BASE: {"uri": base_uri(cwd)}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, report, numbers, cwd) for one in report.outcomes],
        "properties": build_facts(report),
    }
    return _log(run)


def render_error(path: Path, diagnostic: Diagnostic) -> str:
    """Return the log file of a build that could not be read: a run that did not succeed."""
    cwd = Path.cwd()
    notification: dict[str, Any] = {
        "descriptor": {"id": diagnostic.code, "index": 0},
        "level": "error",
        "message": message(result_text(diagnostic)),
    }
    if diagnostic.location is not None:
        notification["locations"] = [location(diagnostic.location, cwd)]
    known = FAULTS.get(diagnostic.code)
    descriptor: dict[str, Any] = {"id": diagnostic.code, "name": diagnostic.name}
    if known is not None:
        descriptor["shortDescription"] = {"text": known.meaning}
    run = {
        "tool": {"driver": {**_driver(), "notifications": [descriptor]}},
        "automationDetails": _details(path, cwd),
        "invocations": [
            {"executionSuccessful": False, "toolExecutionNotifications": [notification]}
        ],
        "originalUriBaseIds": {BASE: {"uri": base_uri(cwd)}},
        # Absent would mean that the rules were never asked for (3.14.23); they could not be.
        "results": [],
    }
    return _log(run)


def combine(texts: list[str]) -> str:
    """Return the log file of several builds: all their runs, which differ in their id."""
    return "".join(stream(texts))


def stream(texts: Iterable[str]) -> Iterator[str]:
    """Yield that log file in pieces."""
    # As text: read back, the rules of many builds would take several times the memory.
    yield _HEAD
    for number, text in enumerate(texts):
        run = text.removeprefix(_HEAD).removesuffix(_TAIL)
        yield f",\n{run}" if number else run
    yield _TAIL


def _log(run: dict[str, Any]) -> str:
    return _HEAD + json.dumps(run, indent=1) + _TAIL


def _driver() -> dict[str, Any]:
    return {"name": "dfu-ble", "version": __version__, "informationUri": _HOME}


def _details(build: Path, cwd: Path) -> dict[str, str]:
    # Readers that keep one set of results for each kind of analysis tell them apart by this id; its
    # end after the last slash would name the single run (3.17.3).
    return {"id": f"dfu-ble/{Path(shown_path(build, cwd)).as_posix()}/"}


def _rule(doc: RuleDoc) -> dict[str, Any]:
    return {
        "id": doc.code,
        "name": doc.name,
        "shortDescription": {"text": f"{doc.summary[:1].upper()}{doc.summary[1:]}."},
        "fullDescription": {"text": doc.checks},
        "help": {"text": doc.fix, "markdown": rule_page(doc)},
        "helpUri": f"{_PAGES}/{doc.code}.md",
        "defaultConfiguration": {"level": _LEVELS[doc.category.severity(release=False)]},
        "properties": {"category": doc.category.value, "tags": ["dfu", doc.category.value]},
    }


def _overrides(report: CheckReport, docs: tuple[RuleDoc, ...]) -> list[dict[str, Any]]:
    """Return which rules were not asked, and which have another severity in this run."""
    asked = {rule.code for rule in report.rules}
    overrides = []
    for number, doc in enumerate(docs):
        named = report.options.severity
        severity = named.get(doc.code, named.get(doc.name))
        if severity is None and report.options.release:
            severity = doc.category.severity(release=True)
        level = _LEVELS[severity or doc.category.severity(release=False)]
        configuration: dict[str, Any] = {}
        if doc.code not in asked:
            configuration["enabled"] = False
        if level != _LEVELS[doc.category.severity(release=False)]:
            configuration["level"] = level
        if configuration:
            descriptor = {"id": doc.code, "index": number}
            overrides.append({"descriptor": descriptor, "configuration": configuration})
    return overrides


def _result(
    outcome: Outcome, report: CheckReport, numbers: dict[str, int], cwd: Path
) -> dict[str, Any]:
    diagnostic = outcome.diagnostic
    result: dict[str, Any] = {
        "ruleId": outcome.code,
        "kind": _KINDS[outcome.status],
        "level": _LEVELS[diagnostic.severity] if diagnostic else "none",
        "message": message(_text(outcome)),
        "locations": [_place(outcome, report, cwd)],
        "partialFingerprints": {
            "dfuBle/v1": fingerprint(outcome.code, outcome.image, outcome.diagnostic)
        },
        # On all results or on none (3.27.23); an empty array says: not suppressed.
        "suppressions": _suppressions(outcome),
    }
    if outcome.code in numbers:
        result["ruleIndex"] = numbers[outcome.code]
    if diagnostic is not None:
        places = [note for note in diagnostic.notes if note.location is not None]
        shown = diagnostic.place_below(cwd)
        if shown != diagnostic.location:
            places = [note for note in places if note.location != shown]
            places.insert(0, Note("what came of it", diagnostic.location))
        if places:
            result["relatedLocations"] = [
                {"id": number, **location(note.location, cwd), "message": message(note.text)}
                for number, note in enumerate(places, 1)
                if note.location is not None
            ]
        # The edits as they are to be pasted; in a message braces would be doubled.
        result["properties"] = {
            "helps": [
                {"text": one.text, "edit": one.edit, "file": one.file, "safe": one.safe}
                for one in diagnostic.helps
            ],
            "data": dict(diagnostic.data),
        }
    return result


def _text(outcome: Outcome) -> str:
    if outcome.diagnostic is not None:
        return result_text(outcome.diagnostic)
    return outcome.reason or f"nothing to say against it: no {outcome.name}"


def _place(outcome: Outcome, report: CheckReport, cwd: Path) -> dict[str, Any]:
    """Return where it is: every result has a file, which some readers insist on.

    It is the line that a person edits, where one is known below `cwd`: code scanning shows nothing
    else. Without a place of its own, it is the configuration of the image that was looked at.
    """
    build = report.build
    image = next((one for one in build.images if one.name == outcome.image), build.application)
    shown = outcome.diagnostic.place_below(cwd) if outcome.diagnostic else None
    if shown is not None:
        place = location(shown, cwd)
    else:
        place = {"physicalLocation": {"artifactLocation": artifact(image.kconfig.path, cwd)}}
    if outcome.image:
        place["logicalLocations"] = [{"name": outcome.image, "kind": "module"}]
    return place


def _suppressions(outcome: Outcome) -> list[dict[str, str]]:
    if outcome.waived is None:
        return []
    # Without a status it is accepted (3.27.23), whose name changed on the way to the standard.
    return [{"kind": "external", "justification": outcome.waived}]
