# SPDX-License-Identifier: Apache-2.0
"""SARIF: what the standard asks for, and what those who read it go by."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import jsonschema
import pytest

from public_schemas import sarif_schema
from sample_report import AWKWARD, BUILD, WORKSPACE, sample_report
from west_dfu_ble import report as reports
from west_dfu_ble.diagnostics import Location, Severity
from west_dfu_ble.faults import fault
from west_dfu_ble.report import sarif
from west_dfu_ble.rules import CheckOptions, catalogue

REPOSITORY = Path(__file__).resolve().parents[2]


def rendered(options: CheckOptions | None = None, *, build: Path = BUILD) -> str:
    report = sample_report(options, build=build)
    return reports.render(report, "sarif", colour=True, cwd=WORKSPACE)


def unreadable(build: Path = WORKSPACE / "cut") -> str:
    error = fault(
        "EN003",
        "`.config` is {empty}",
        location=Location(build / "zephyr/.config", 1),
        helps=["build again"],
    )
    return sarif.render_error(build, error.diagnostic)


def only_run(text: str) -> dict[str, Any]:
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def results(text: str) -> dict[str, dict[str, Any]]:
    return {one["ruleId"]: one for one in only_run(text)["results"]}


LOGS = {
    "one build": rendered(),
    "a release, some rules": rendered(CheckOptions(release=True, select=("KC153",))),
    "unreadable": unreadable(),
    "three builds": sarif.combine([rendered(), unreadable(), rendered(build=WORKSPACE / "two")]),
}


@pytest.mark.peer
@pytest.mark.parametrize("name", list(LOGS))
def test_the_public_schema_has_nothing_against_it(name: str) -> None:
    schema = sarif_schema()
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(LOGS[name]))] == []
    broken = json.loads(LOGS[name])
    broken["runs"][0]["automationDetails"]["id"] = 7
    assert not validator.is_valid(broken), "the schema does look"


def test_a_result_for_each_outcome_and_a_level_only_where_it_failed() -> None:
    found = results(rendered())
    assert {code: (one["kind"], one["level"]) for code, one in found.items()} == {
        "KC150": ("pass", "none"),
        "KC153": ("fail", "error"),
        "DT250": ("fail", "warning"),
        "KC182": ("fail", "note"),
        "IM350": ("fail", "warning"),
        "KC151": ("notApplicable", "none"),
        "DT251": ("open", "none"),
        "KC154": ("pass", "none"),
    }
    assert all(one["message"]["text"] and one["locations"] for one in found.values())


def test_what_is_waived_is_suppressed_and_everything_says_whether_it_is() -> None:
    found = results(rendered())
    assert {code: one["suppressions"] for code, one in found.items() if one["suppressions"]} == {
        "IM350": [{"kind": "external", "justification": "boards only"}]
    }


def test_every_rule_is_described_from_its_documentation() -> None:
    run = only_run(rendered())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [doc.code for doc in catalogue()]
    for rule, doc in zip(rules, catalogue(), strict=True):
        assert rule["name"] == doc.name
        assert rule["fullDescription"]["text"] == doc.checks
        assert rule["help"]["markdown"].startswith(f"# {doc.code} {doc.name}\n")
        assert rule["helpUri"].endswith(f"/docs/rules/{doc.code}.md")
        level = rule["defaultConfiguration"]["level"]
        assert level == {"broken": "error", "slow": "note"}.get(doc.category.value, "warning")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_rules_that_were_not_asked_or_weigh_otherwise_are_named() -> None:
    run = only_run(rendered(CheckOptions(release=True, severity={"KC150": Severity.INFO})))
    overrides = {
        one["descriptor"]["id"]: one["configuration"]
        for one in run["invocations"][0]["ruleConfigurationOverrides"]
    }
    assert overrides["KC150"] == {"level": "note"}
    assert overrides["IM350"] == {"level": "error"}, "unsafe, in a release"
    assert overrides["KC155"] == {"enabled": False}
    assert "KC153" not in overrides


def test_places_below_the_base_are_relative_to_it_and_others_are_not() -> None:
    run = only_run(rendered())
    base = run["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    assert base.endswith("/")
    places = {
        one["ruleId"]: one["locations"][0]["physicalLocation"]["artifactLocation"]
        for one in run["results"]
    }
    assert places["KC153"] == {"uri": "build/zephyr/.config", "uriBaseId": "%SRCROOT%"}
    assert urljoin(base, places["KC153"]["uri"]) == (BUILD / "zephyr/.config").as_uri()
    # No place of its own: the configuration of the image that was looked at.
    assert places["KC182"]["uri"] == "build/mcuboot/zephyr/.config"
    assert set(places["DT250"]) == {"uri"}
    assert unquote(places["DT250"]["uri"]).endswith("/work/sdk 1,2:3%/board.dts")


def test_a_relative_build_directory_with_a_name_to_quote() -> None:
    text = rendered(build=Path("out/my 100% #1?"))
    place = results(text)["KC153"]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {
        "uri": "out/my%20100%25%20%231%3F/zephyr/.config",
        "uriBaseId": "%SRCROOT%",
    }


def test_fingerprints_stay_while_lines_and_folders_change() -> None:
    here, there = rendered(), rendered(build=WORKSPACE / "elsewhere")
    prints = {code: one["partialFingerprints"] for code, one in results(here).items()}
    assert {c: one["partialFingerprints"] for c, one in results(there).items()} == prints
    assert len({one["dfuBle/v1"] for one in prints.values()}) == len(prints)
    moved = sample_report()
    diagnostic = moved.outcomes[1].diagnostic
    assert diagnostic is not None
    object.__setattr__(diagnostic, "location", Location(BUILD / "zephyr/.config", 999))
    text = reports.render(moved, "sarif", colour=False, cwd=WORKSPACE)
    region = results(text)["KC153"]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 999}
    assert results(text)["KC153"]["partialFingerprints"] == prints["KC153"]


def test_braces_of_a_message_are_doubled_and_the_edit_is_kept_as_it_is() -> None:
    one = results(rendered())["DT250"]
    message = one["message"]["text"]
    single = re.sub(r"\{\{|\}\}", "", message)
    assert "{" not in single
    assert "}" not in single
    assert message.replace("{{", "{").replace("}}", "}").startswith(f"A{AWKWARD[1:]}.")
    assert one["properties"]["helps"][0]["edit"] == "&flash0 {\n};\n"


def test_runs_of_several_builds_have_ids_of_their_own() -> None:
    log = json.loads(LOGS["three builds"])
    ids = [run["automationDetails"]["id"] for run in log["runs"]]
    assert len(set(ids)) == 3
    assert (ids[0], ids[2]) == ("dfu-ble/build/", "dfu-ble/two/")
    success = [run["invocations"][0]["executionSuccessful"] for run in log["runs"]]
    assert success == [True, False, True]


def test_a_build_that_can_not_be_read_is_a_run_that_failed() -> None:
    run = only_run(unreadable())
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    descriptor = run["tool"]["driver"]["notifications"][notification["descriptor"]["index"]]
    assert (descriptor["id"], descriptor["name"]) == ("EN003", "unreadable-kconfig")
    assert notification["message"]["text"].startswith("`.config` is {{empty}}.\n\n")
    assert run["results"] == []


def test_the_filter_of_the_documentation_leaves_what_is_to_be_mended() -> None:
    """Code scanning takes every result for an alert, whatever its kind."""
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not installed")
    page = (REPOSITORY / "docs/reports.md").read_text(encoding="utf-8")
    found = re.search(r"jq '(.+)' dfu-ble\.sarif", page)
    assert found
    done = subprocess.run(
        [jq, found[1]], input=LOGS["three builds"], capture_output=True, text=True, check=True
    )
    left = [[one["ruleId"] for one in run["results"]] for run in json.loads(done.stdout)["runs"]]
    assert left == [["KC153", "DT250", "KC182"], [], ["KC153", "DT250", "KC182"]]
