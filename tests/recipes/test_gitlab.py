# SPDX-License-Identifier: Apache-2.0
"""The GitLab include: its job, with the inputs filled in, run on good and bad builds."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from recipes import gitlab_jobs, run_script, shell, spoil, tool_folder
from running import Result
from sample_builds import copy_tiny


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = copy_tiny(tmp_path / "my project")
    tool_folder(project / ".dfu-ble")
    return project


def run(project: Path, **inputs: str) -> Result:
    one = gitlab_jobs(build_job="build", **inputs)["check-update"]
    # GitLab joins the lines of the script, and the image's shell runs them.
    return run_script([shell("sh"), "-e"], "\n".join(one["script"]), project, one["variables"])


def test_good_builds_pass(project: Path) -> None:
    result = run(
        project, build_dir="build-swap build-direct-xip", options="--release --profile caf"
    )
    assert result.status == 0, result.err
    assert len(list(ET.parse(project / "dfu-ble.xml").getroot())) == 2
    assert (project / "dfu-ble.sarif").is_file()


def test_a_bad_build_fails_the_job_and_is_in_the_report(project: Path) -> None:
    spoil(project / "build-swap")
    result = run(project, all=".", options="--profile caf")
    assert result.status == 3, result.err
    failed = ET.parse(project / "dfu-ble.xml").getroot().findall(".//failure")
    assert len(failed) == 1
    issues = json.loads((project / "dfu-ble.gitlab.json").read_text(encoding="utf-8"))
    assert [one["location"]["path"] for one in issues if one["severity"] == "critical"] == [
        "build-swap/zephyr/.config"
    ]


def test_the_job_can_be_named_and_needs_the_build() -> None:
    (name, one), *rest = gitlab_jobs(build_job="firmware", job_name="ota", stage="verify").items()
    assert (name, one["needs"], one["stage"], rest) == ("ota", ["firmware"], "verify", [])
    written = set(re.findall(r"--report \w+:(\S+)", one["script"][0]))
    assert written == {*one["artifacts"]["paths"], *one["artifacts"]["reports"].values()}
