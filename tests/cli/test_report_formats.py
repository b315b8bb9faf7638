# SPDX-License-Identifier: Apache-2.0
"""Formats for CI through the command line: on standard output, in files, of one build and many."""

from __future__ import annotations

import json
import os
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from running import RunDfuBle
from west_dfu_ble.resources import schema_path

BUILDS = ("build-direct-xip", "build-swap")


@pytest.fixture
def mixed(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The samples, of which one lacks the module, and a build directory that can't be read."""
    cut = tiny / "cut"
    shutil.copytree(tiny / "build-swap", cut)
    (cut / "zephyr/.config").write_bytes(b"")
    config = tiny / "build-swap/zephyr/.config"
    text = config.read_text(encoding="utf-8")
    off = text.replace("CONFIG_CAF_BLE_SMP=y", "# CONFIG_CAF_BLE_SMP is not set")
    config.write_text(off, encoding="utf-8")
    monkeypatch.chdir(tiny)
    return tiny


def test_sarif_on_standard_output(dfu_ble: RunDfuBle, mixed: Path) -> None:
    result = dfu_ble("check", "-d", "build-swap", "--format", "sarif")
    assert result.status == 3
    (run,) = json.loads(result.out)["runs"]
    assert run["invocations"][0]["exitCode"] == 3
    (found,) = [one for one in run["results"] if one["level"] == "error"]
    assert found["ruleId"] == "KC150"
    # The line that a person edits, and what the build made of it.
    for place, name, expected in (
        (found["locations"][0], "prj_swap.conf", "CONFIG_CAF_BLE_SMP=y"),
        (
            found["relatedLocations"][0],
            "build-swap/zephyr/.config",
            "# CONFIG_CAF_BLE_SMP is not set",
        ),
    ):
        physical = place["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == name
        text = (mixed / name).read_text(encoding="utf-8").splitlines()
        assert text[physical["region"]["startLine"] - 1] == expected


def test_junit_file_beside_annotations(dfu_ble: RunDfuBle, mixed: Path) -> None:
    report = mixed / "out.xml"
    result = dfu_ble(
        *("check", "-d", "build-swap", "--format", "github", "--report", f"junit:{report}")
    )
    assert result.status == 3
    assert "\n::error file=prj_swap.conf,line=" in f"\n{result.out}"
    assert "title=KC150 smp-module-disabled (tiny)::`CONFIG_CAF_BLE_SMP` is off%0A" in result.out
    root = ET.parse(report).getroot()
    assert root.get("failures") == "1"
    assert [child.tag for child in root] == ["testsuite"]


def test_reports_of_many_builds_hold_them_all(dfu_ble: RunDfuBle, mixed: Path) -> None:
    result = dfu_ble(
        *("check", "--all", mixed, "--format", "github"),
        *("--report", "junit:out.xml", "--report", "sarif:out.sarif"),
        *("--report", "json:out.json", "--report", "human:out.txt"),
    )
    assert result.status == 3
    assert result.out.splitlines()[-1] == "3 builds: 1 passed, 1 failed, 1 undecided"
    assert result.out.count("title=EN003 unreadable-kconfig") == 1
    assert result.out.count("title=KC150 smp-module-disabled") == 1

    suites = {
        Path(str(suite.get("name"))).name: suite
        for suite in ET.parse("out.xml").getroot().iter("testsuite")
    }
    assert sorted(suites) == ["build-direct-xip", "build-swap", "cut"]
    assert suites["build-direct-xip"].get("failures") == "0"
    assert suites["build-swap"].get("failures") == "1"
    assert suites["cut"].get("errors") == "1"

    runs = json.loads(Path("out.sarif").read_text(encoding="utf-8"))["runs"]
    ids = [run["automationDetails"]["id"] for run in runs]
    assert ids == ["dfu-ble/build-direct-xip/", "dfu-ble/build-swap/", "dfu-ble/cut/"]
    builds = json_that_keeps_to_its_schema(Path("out.json").read_text(encoding="utf-8"))
    assert ["outcomes" in build for build in builds] == [True, True, False]
    people = Path("out.txt").read_text(encoding="utf-8")
    assert [people.count(code) for code in ("error[KC150]", "error[EN003]")] == [1, 1]


def json_that_keeps_to_its_schema(text: str) -> Any:
    loaded = json.loads(text)
    schema = json.loads(schema_path("report.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(loaded)
    return loaded


def test_json_of_a_build_that_can_not_be_read_has_its_form_in_the_schema(
    dfu_ble: RunDfuBle, mixed: Path
) -> None:
    result = dfu_ble("check", "-d", "cut", "--format", "json")
    assert result.status == 4
    assert json_that_keeps_to_its_schema(result.out)["error"]["code"] == "EN003"


@pytest.mark.parametrize("name", ["json", "sarif", "junit", "github", "gitlab", "human"])
def test_a_report_never_outlives_the_build_that_it_was_about(
    dfu_ble: RunDfuBle, mixed: Path, name: str
) -> None:
    report = mixed / "report"
    report.write_text("of yesterday", encoding="utf-8")
    result = dfu_ble("check", "-d", "cut", "--format", name, "--report", f"{name}:{report}")
    assert result.status == 4
    assert "error[EN003]" in result.err
    text = report.read_text(encoding="utf-8")
    assert "EN003" in text
    assert result.out == ("" if name == "human" else text)


def test_each_machine_format_is_one_document_of_many(dfu_ble: RunDfuBle, mixed: Path) -> None:
    arguments = [part for name in BUILDS for part in ("-d", name)]
    assert len(json.loads(dfu_ble("check", *arguments, "--format", "sarif").out)["runs"]) == 2
    assert len(ET.fromstring(dfu_ble("check", *arguments, "--format", "junit").out)) == 2


def test_a_report_that_cannot_be_written_leaves_all_as_it_was(
    dfu_ble: RunDfuBle, mixed: Path
) -> None:
    (mixed / "out").mkdir()
    (mixed / "out" / "in-the-way.json").mkdir()
    before = sorted(mixed.rglob("*"))
    result = dfu_ble(*("check", "-d", "build-direct-xip", "--report", "json:out/in-the-way.json"))
    assert result.status == 2
    assert "EN008" in result.err
    assert sorted(mixed.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_report_is_readable_as_any_file(dfu_ble: RunDfuBle, mixed: Path) -> None:
    other = mixed / "other"
    other.touch()
    dfu_ble("check", "-d", "build-direct-xip", "--report", "json:out.json")
    assert (mixed / "out.json").stat().st_mode == other.stat().st_mode
