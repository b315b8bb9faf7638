# SPDX-License-Identifier: Apache-2.0
"""GitLab's Code Quality report: the keys that GitLab asks for, and marks that tell issues apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sample_report import WORKSPACE, sample_report
from small_builds import SmallBuild
from west_dfu_ble import builddir
from west_dfu_ble import report as reports
from west_dfu_ble.diagnostics import Severity
from west_dfu_ble.faults import fault
from west_dfu_ble.rules import CheckOptions, Status, evaluate

FAULTY = SmallBuild({"MCUMGR_GRP_IMG": "n", "MCUMGR_TRANSPORT_BT_AUTHEN": "n"})


def issues(text: str) -> list[dict[str, Any]]:
    """The issues of a report that GitLab can read: the keys of its documentation."""
    loaded: list[dict[str, Any]] = json.loads(text)
    for issue in loaded:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        path, begin = issue["location"]["path"], issue["location"]["lines"]["begin"]
        assert not path.startswith("./")
        assert isinstance(begin, int)
        assert begin >= 1
        assert "\n" not in issue["description"]
    marks = [issue["fingerprint"] for issue in loaded]
    assert len(set(marks)) == len(marks)
    return loaded


def test_each_finding_that_counts_is_an_issue() -> None:
    sample = sample_report()
    shown = issues(reports.render(sample, "gitlab", colour=False, cwd=WORKSPACE))
    counted = [one for one in sample.outcomes if one.diagnostic and one.waived is None]
    unknown = [one for one in sample.outcomes if one.status is Status.UNKNOWN]
    assert any(one.waived is not None for one in sample.outcomes)
    assert len(shown) == len(counted) + len(unknown) > 2
    for outcome in counted:
        assert f"{outcome.code} {outcome.name}" in {issue["check_name"] for issue in shown}
    worst = [one for one in counted if one.diagnostic and one.diagnostic.severity is Severity.ERROR]
    assert len(worst) == [issue["severity"] for issue in shown].count("critical")


def test_paths_are_the_repositorys_and_marks_last(tmp_path: Path) -> None:
    build = tmp_path / "build"
    first, *_ = issues(
        reports.render(
            evaluate(FAULTY.load(build), CheckOptions()), "gitlab", colour=False, cwd=tmp_path
        )
    )
    assert first["check_name"] == "KC153 image-group-disabled"
    assert first["location"]["path"] == "build/zephyr/.config"
    assert "`CONFIG_MCUMGR_GRP_IMG` is off (image app); add to `prj.conf`" in first["description"]

    config = build / "zephyr/.config"
    config.write_text("# one line more\n" + config.read_text())
    report = evaluate(FAULTY.load(tmp_path / "other"), CheckOptions())
    other = issues(reports.render(report, "gitlab", colour=False, cwd=tmp_path))
    moved = evaluate(builddir.load(build), CheckOptions())
    later, *_ = issues(reports.render(moved, "gitlab", colour=False, cwd=tmp_path))
    assert later["location"]["lines"]["begin"] == first["location"]["lines"]["begin"] + 1
    assert later["fingerprint"] == first["fingerprint"]
    assert first["fingerprint"] not in {issue["fingerprint"] for issue in other}


def test_several_builds_are_one_array(tmp_path: Path) -> None:
    joined = reports.combined("gitlab")
    for name in ("one", "two"):
        report = evaluate(FAULTY.load(tmp_path / name), CheckOptions())
        joined.add(reports.render(report, "gitlab", colour=False, cwd=tmp_path))
    joined.add_error(tmp_path / "cut", fault("EN003", "it is cut off").diagnostic)
    shown = issues(joined.text())
    assert [issue["check_name"] for issue in shown].count("KC153 image-group-disabled") == 2
    assert shown[-1]["check_name"] == "EN003 unreadable-kconfig"
    assert shown[-1]["severity"] == "critical"


@pytest.mark.parametrize(("strict", "severity"), [(False, "info"), (True, "minor")])
def test_what_could_not_be_decided(tmp_path: Path, strict: bool, severity: str) -> None:
    report = evaluate(SmallBuild(mcuboot=None).load(tmp_path), CheckOptions(strict=strict))
    shown = issues(reports.render(report, "gitlab", colour=False, cwd=tmp_path))
    undecided = [issue for issue in shown if "not evaluated" in issue["description"]]
    assert undecided
    assert {issue["severity"] for issue in undecided} == {severity}
