# SPDX-License-Identifier: Apache-2.0
"""Every format shows the same outcomes, and shows them as it did before.

The snapshots stand in `data/`. After a change that is meant, `WEST_DFU_BLE_SNAPSHOTS=write pytest
tests/report/test_snapshots.py` writes them anew; what became of them is then seen in the diff.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from sample_report import WORKSPACE, sample_report
from west_dfu_ble import __version__, options
from west_dfu_ble import report as reports

DATA = Path(__file__).parent / "data"
SUFFIXES = {"json": "json", "sarif": "sarif", "junit": "xml", "gitlab": "json", "html": "html"}


def shown(name: str) -> str:
    """The sample in a format, without what differs from version to version."""
    text = reports.render(sample_report(), name, colour=False, cwd=WORKSPACE)
    if name == "sarif":
        text = json.dumps(without_rules(text), indent=1)
    if name == "html":
        text = re.sub(r"<style>.*</style>", "<style></style>", text, flags=re.DOTALL)
        text = text.replace(f"dfu-ble {__version__};", "dfu-ble VERSION;")
    return text.replace(f'"version": "{__version__}"', '"version": "VERSION"') + "\n"


def without_rules(text: str) -> object:
    """A SARIF log whose rules, which are all of the catalogue's, are left out once looked at."""
    log = json.loads(text)
    (run,) = log["runs"]
    rules = run["tool"]["driver"].pop("rules")
    run["invocations"][0].pop("ruleConfigurationOverrides")
    for result in run["results"]:
        assert rules[result.pop("ruleIndex")]["id"] == result["ruleId"]
    return log


def test_the_command_line_offers_every_format() -> None:
    assert tuple(reports.FORMATS) == options.FORMATS
    assert set(reports.FOR_PEOPLE) < set(reports.FORMATS)


@pytest.mark.skipif(os.sep != "/", reason="the snapshots have paths of POSIX systems")
@pytest.mark.parametrize("name", list(reports.FORMATS))
def test_a_format_shows_the_sample_as_before(name: str) -> None:
    snapshot = DATA / f"{name}.{SUFFIXES.get(name, 'txt')}"
    text = shown(name)
    if os.environ.get("WEST_DFU_BLE_SNAPSHOTS") == "write":
        snapshot.write_bytes(text.encode("utf-8"))
    assert text.encode("utf-8") == snapshot.read_bytes()


@pytest.mark.parametrize("name", list(reports.FORMATS))
def test_no_format_hides_a_finding(name: str) -> None:
    text = reports.render(sample_report(), name, colour=False, cwd=WORKSPACE)
    for code in ("KC153", "DT250", "KC182", "DT251"):
        assert code in text
    machine = name not in (*reports.FOR_PEOPLE, "gitlab")  # issues are what is to be mended
    assert ("KC150" in text) is machine, "what passed is for machines"
    assert ("IM350" in text) is (machine or name == "human"), "what is waived stays in a report"
