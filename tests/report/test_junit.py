# SPDX-License-Identifier: Apache-2.0
"""JUnit XML: every rule is a case, and each outcome is what a dashboard takes it for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from public_schemas import junit_complaints
from sample_report import AWKWARD, BUILD, WORKSPACE, sample_report
from west_dfu_ble import report as reports
from west_dfu_ble.diagnostics import Severity
from west_dfu_ble.faults import fault
from west_dfu_ble.report import junit
from west_dfu_ble.rules import CheckOptions


def rendered(options: CheckOptions | None = None, *, build: Path = BUILD) -> str:
    report = sample_report(options, build=build)
    return reports.render(report, "junit", colour=True, cwd=WORKSPACE)


def unreadable() -> str:
    error = fault("EN003", "`.config` is empty", location=WORKSPACE / "cut/zephyr/.config")
    return junit.render_error(WORKSPACE / "cut", error.diagnostic)


DOCUMENTS = {
    "one build": rendered(),
    "unreadable": unreadable(),
    "three builds": junit.combine([rendered(), unreadable(), rendered(build=WORKSPACE / "two")]),
}


def verdicts(text: str) -> dict[str, str]:
    """What became of each case: the tag of its verdict, or ``passed``."""
    return {
        str(case.get("name")).split()[0]: next(
            (child.tag for child in case if child.tag != "system-out"), "passed"
        )
        for case in ET.fromstring(text).iter("testcase")
    }


@pytest.mark.peer
@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_the_schema_of_jenkins_has_nothing_against_it(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(DOCUMENTS[name], encoding="utf-8")
    assert junit_complaints(report) == []
    report.write_text(DOCUMENTS[name].replace("<testcase", "<case").replace("</testcase", "</case"))
    assert junit_complaints(report), "the schema does look"


def test_each_outcome_is_what_a_dashboard_takes_it_for() -> None:
    assert verdicts(rendered()) == {
        "KC150": "passed",
        "KC153": "failure",
        "DT250": "passed",
        "KC182": "passed",
        "IM350": "passed",
        "KC151": "skipped",
        "DT251": "error",
        "KC154": "passed",
    }


@pytest.mark.parametrize(
    ("fail_on", "failures"),
    [
        (Severity.ERROR, {"KC153"}),
        (Severity.WARNING, {"KC153", "DT250"}),
        (Severity.INFO, {"KC153", "DT250", "KC182"}),
    ],
)
def test_failures_are_what_fail_on_says(fail_on: Severity, failures: set[str]) -> None:
    found = verdicts(rendered(CheckOptions(fail_on=fail_on)))
    assert {code for code, verdict in found.items() if verdict == "failure"} == failures


def test_what_passes_in_spite_of_a_finding_says_so() -> None:
    said = {
        str(case.get("name")).split()[0]: case.findtext("system-out") or ""
        for case in ET.fromstring(rendered()).iter("testcase")
    }
    assert said["IM350"].startswith("waived (reason: boards only)\nwarning[IM350] public-demo-key:")
    assert said["KC182"].startswith("below --fail-on error\ninfo[KC182] few-buffers: two buffers")
    assert said["KC150"] == "`CONFIG_CAF_BLE_SMP` is on"


def test_a_failure_has_the_whole_diagnostic_without_colour() -> None:
    failure = ET.fromstring(rendered()).find(".//failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == (
        "error",
        "`CONFIG_MCUMGR_GRP_IMG` is off",
    )
    assert "\n  --> build/zephyr/.config:12\n" in (failure.text or "").replace("\\", "/")
    assert "             CONFIG_MCUMGR_GRP_IMG=y\n" in (failure.text or "")


def test_the_suite_tells_the_builds_facts() -> None:
    suite = ET.fromstring(rendered()).find("testsuite")
    assert suite is not None
    assert suite.get("name") == "build"
    facts = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert facts["board"] == "nrf52840dk_nrf52840"
    assert facts["bootloader_mode"] == "swap using move"
    assert facts["fail_on"] == "error"


def test_counts_add_up_over_several_builds() -> None:
    root = ET.fromstring(DOCUMENTS["three builds"])
    names = [str(suite.get("name")) for suite in root]
    assert (names[0], Path(names[1]).name, names[2]) == ("build", "cut", "two")
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        each = [len(list(suite.iter(tag))) for suite in root]
        assert [suite.get(name) for suite in root] == [str(count) for count in each]
        assert root.get(name) == str(sum(each))
    cases = {(case.get("classname"), case.get("name")) for case in root.iter("testcase")}
    assert len(cases) == len(list(root.iter("testcase"))), "no two cases have the same name"


def test_what_xml_can_not_hold_is_left_out() -> None:
    report = sample_report(CheckOptions(fail_on=Severity.WARNING), build=Path("a\x00b\udcff\ufffe"))
    text = reports.render(report, "junit", colour=False, cwd=WORKSPACE)
    assert text.isascii()
    root = ET.fromstring(text)
    assert [suite.get("name") for suite in root] == ["ab"]
    message = next(one.get("message") for one in root.iter("failure") if "name" in str(one.text))
    assert message == AWKWARD.replace("\x07", "")
