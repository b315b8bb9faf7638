# SPDX-License-Identifier: Apache-2.0
"""JUnit XML, as Jenkins and GitLab read it: one suite a build, one case for each rule and image.

A finding at or above `--fail-on` is a failure, a rule that could not decide an error, one that
does not apply is skipped. What was waived, or is below `--fail-on`, passes and says so.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..diagnostics import Diagnostic
from ..rules import CheckReport, Outcome, Status
from .diagnostic import render_diagnostic
from .facts import build_facts
from .words import clean, shown_path

# Of all suites together; the schema has no number of the skipped ones there.
_TOTALS = ("tests", "failures", "errors")
_TITLE = "dfu-ble check"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return the suite of one build; there are no colours in it."""
    name = shown_path(report.build.path, cwd)
    suite = ET.Element("testsuite", name=clean(name))
    properties = ET.SubElement(suite, "properties")
    for key, text in build_facts(report).items():
        ET.SubElement(properties, "property", name=key, value=clean(text))
    for outcome in report.outcomes:
        case = _case(suite, name, outcome.image, f"{outcome.code} {outcome.name}")
        _tell(case, outcome, report, cwd)
    return document([suite])


def render_error(path: Path, diagnostic: Diagnostic) -> str:
    """Return the suite of a build that could not be read: one case, with that error."""
    cwd = Path.cwd()
    name = shown_path(path, cwd)
    suite = ET.Element("testsuite", name=clean(name))
    case = _case(suite, name, "", f"{diagnostic.code} {diagnostic.name}")
    _add(case, "error", diagnostic.message, diagnostic.severity.value, _full(diagnostic, cwd))
    return document([suite])


def combine(texts: list[str]) -> str:
    """Return one document with the suites of several builds."""
    return "".join(stream(texts))


def stream(texts: Iterable[str]) -> Iterator[str]:
    """Yield that document in pieces; `texts` is gone through twice."""
    totals = dict.fromkeys(_TOTALS, 0)
    for text in texts:
        # These are our own texts, made above; nothing foreign is parsed.
        root = ET.fromstring(text)  # noqa: S314
        for key in totals:
            totals[key] += int(root.get(key, "0"))
    counts = "".join(f' {key}="{count}"' for key, count in totals.items())
    yield f'{_DECLARATION}<testsuites name="{_TITLE}"{counts}>'
    for text in texts:
        yield text[text.index(">", text.index("<testsuites")) + 1 : text.rindex("\n</testsuites>")]
    yield "\n</testsuites>"


def document(suites: list[ET.Element]) -> str:
    """Return the suites, counted, as one document."""
    root = ET.Element("testsuites", name=_TITLE)
    totals = dict.fromkeys(_TOTALS, 0)
    for suite in suites:
        counts = {
            "tests": len(suite.findall("testcase")),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        for key, count in counts.items():
            suite.set(key, str(count))
            if key in totals:
                totals[key] += count
        root.append(suite)
    for key, count in totals.items():
        root.set(key, str(count))
    ET.indent(root, " ")
    # In ASCII, with references for the rest, it is right in whatever encoding a terminal has.
    text = ET.tostring(root, encoding="us-ascii", xml_declaration=False)
    return f"{_DECLARATION}{text.decode('ascii')}"


def _case(suite: ET.Element, build: str, image: str, name: str) -> ET.Element:
    # Readers make a tree of the dots and tell cases of several builds apart by this name.
    classname = f"{build.replace('.', '_')}.{image or 'build'}"
    return ET.SubElement(suite, "testcase", classname=clean(classname), name=clean(name))


def _tell(case: ET.Element, outcome: Outcome, report: CheckReport, cwd: Path) -> None:
    diagnostic = outcome.diagnostic
    if outcome.status is Status.NOT_APPLICABLE:
        _add(case, "skipped", outcome.reason)
    elif outcome.status is Status.UNKNOWN:
        _add(case, "error", outcome.reason, "unknown", f"not evaluated: {outcome.reason}")
    elif diagnostic is None:
        _say(case, outcome.reason)
    elif outcome.waived is not None:
        _say(case, f"waived (reason: {outcome.waived})\n{_full(diagnostic, cwd)}")
    elif diagnostic.severity.rank < report.options.fail_on.rank:
        _say(case, f"below --fail-on {report.options.fail_on.value}\n{_full(diagnostic, cwd)}")
    else:
        text = _full(diagnostic, cwd)
        _add(case, "failure", diagnostic.message, diagnostic.severity.value, text)


def _add(case: ET.Element, tag: str, message: str, kind: str = "", text: str = "") -> None:
    element = ET.SubElement(case, tag, message=clean(message))
    if kind:
        element.set("type", kind)
    element.text = clean(text) or None


def _say(case: ET.Element, text: str) -> None:
    if text:
        ET.SubElement(case, "system-out").text = clean(text)


def _full(diagnostic: Diagnostic, cwd: Path) -> str:
    return render_diagnostic(diagnostic, colour=False, cwd=cwd)
