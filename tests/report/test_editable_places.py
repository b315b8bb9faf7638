# SPDX-License-Identifier: Apache-2.0
"""What a review shows is the line that a person edits, where it is part of the repository."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sample_report import WORKSPACE, sample_report
from west_dfu_ble import report as reports
from west_dfu_ble.diagnostics import Location
from west_dfu_ble.rules import CheckReport


def with_edit_at(place: Location) -> CheckReport:
    report = sample_report()
    outcomes = tuple(
        replace(one, diagnostic=replace(one.diagnostic, edit_at=place))
        if one.diagnostic and one.code == "KC153"
        else one
        for one in report.outcomes
    )
    return replace(report, outcomes=outcomes)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Location(WORKSPACE / "app/prj.conf", 7), ("app/prj.conf", 7)),
        (Location(WORKSPACE.parent / "sdk/board_defconfig", 7), ("build/zephyr/.config", 12)),
    ],
)
def test_place(place: Location, shown: tuple[str, int]) -> None:
    report = with_edit_at(place)
    github = reports.render(report, "github", colour=False, cwd=WORKSPACE)
    assert f"::error file={shown[0]},line={shown[1]},title=KC153" in github

    issues = json.loads(reports.render(report, "gitlab", colour=False, cwd=WORKSPACE))
    issue = next(one for one in issues if one["check_name"].startswith("KC153"))
    assert issue["location"] == {"path": shown[0], "lines": {"begin": shown[1]}}

    log = json.loads(reports.render(report, "sarif", colour=False, cwd=WORKSPACE))
    result = next(one for one in log["runs"][0]["results"] if one["ruleId"] == "KC153")
    places = [result["locations"][0], *result["relatedLocations"]]
    found = [
        (one["physicalLocation"]["artifactLocation"]["uri"], one["physicalLocation"].get("region"))
        for one in places
    ]
    assert found[0] == (shown[0], {"startLine": shown[1]})
    assert ("build/zephyr/.config", {"startLine": 12}) in found


def test_rules_tell_the_line(tmp_path: Path) -> None:
    from small_builds import SmallBuild
    from west_dfu_ble import builddir
    from west_dfu_ble.rules import CheckOptions, evaluate

    source, build = tmp_path / "app", tmp_path / "app/build"
    SmallBuild({"REBOOT": "n"}).write(build)
    (source / "prj.conf").write_text("# why not\nCONFIG_REBOOT=n\n")
    (source / "board_defconfig").write_text("")
    cache = build / "CMakeCache.txt"
    cache.write_text(
        cache.read_text().replace("/src/app", str(source))
        + f"CMAKE_CACHEFILE_DIR:INTERNAL={build}\nBOARD:STRING=board\n"
        f"BOARD_DIR:PATH={source}\nCACHED_CONF_FILE:STRING={source}/prj.conf\n"
    )
    finding = evaluate(builddir.load(build), CheckOptions(select=("KC171",))).findings[0]
    assert finding.edit_at == Location(source / "prj.conf", 2)
