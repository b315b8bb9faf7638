# SPDX-License-Identifier: Apache-2.0
"""The GitHub Action: its scripts, taken from action.yml, run on good, bad and missing builds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from recipes import REPOSITORY, filled, read, run_script, shell, spoil, tool_folder
from running import Result
from sample_builds import copy_tiny

ACTION: Any = read("action.yml")
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = r"\$\{\{ (\S+) \}\}"


@dataclass
class Runner:
    """A job at work on a copy of the samples, with the files that GitHub gives to every step."""

    workspace: Path
    temp: Path
    values: dict[str, object] = field(default_factory=dict)

    def step(self, name: str, **inputs: object) -> Result:
        """Run a step's script; its outputs are there for the next."""
        step = STEPS[name]
        defaults = {f"inputs.{key}": one["default"] for key, one in ACTION["inputs"].items()}
        given = {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        values = {
            "runner.temp": self.temp,
            "github.action_path": REPOSITORY,
            **defaults,
            **given,
            **self.values,
        }
        environment = {key: filled(v, values, EXPRESSION) for key, v in step["env"].items()}
        files = {key: self.temp / key for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        # As GitHub has it for `shell: bash`.
        bash = [shell("bash"), "--noprofile", "--norc", "-eo", "pipefail"]
        result = run_script(bash, step["run"], self.workspace, {**environment, **files})
        if "id" in step and files["GITHUB_OUTPUT"].is_file():
            for line in files["GITHUB_OUTPUT"].read_text().splitlines():
                key, _, value = line.partition("=")
                self.values[f"steps.{step['id']}.outputs.{key}"] = value
        return result

    @property
    def summary(self) -> str:
        return (self.temp / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")

    def output(self, name: str) -> str:
        return str(self.values.get(f"steps.check.outputs.{name}", ""))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    workspace = copy_tiny(tmp_path / "my repository")
    temp = tmp_path / "run temp"
    tool_folder(temp / "dfu-ble")
    return Runner(workspace, temp)


def test_a_good_build_passes(runner: Runner) -> None:
    result = runner.step("Check", build_dir="build-swap\n\n", options="--select=KC\n--strict")
    assert result.status == 0, result.err
    assert runner.output("status") == "0"
    assert ET.parse(runner.output("junit")).getroot().tag == "testsuites"
    assert "### Update over Bluetooth LE\n```text\n" in runner.summary
    assert runner.step("Verdict").status == 0


def test_findings_annotate_and_fail_the_job_last(runner: Runner) -> None:
    spoil(runner.workspace / "build-swap")
    result = runner.step("Check", build_dir="build-swap\nbuild-direct-xip", profile="caf")
    assert result.status == 0, result.err  # so that the reports are uploaded
    assert "::error file=build-swap/zephyr/.config" in result.out
    assert runner.output("status") == "3"
    assert "KC150" in runner.summary

    mend = runner.step("Keep what is to be mended")
    assert mend.status == 0, mend.err
    alerts = json.loads((runner.temp / "dfu-ble-alerts.sarif").read_text())
    results = [result for run in alerts["runs"] for result in run["results"]]
    assert [result["ruleId"] for result in results if result["level"] == "error"] == ["KC150"]
    assert {result["kind"] for result in results} == {"fail"}
    assert len(json.loads(Path(runner.output("sarif")).read_text())["runs"][0]["results"]) > 50
    assert runner.step("Verdict").status == 3


def test_every_build_below_a_folder(runner: Runner) -> None:
    (runner.workspace / "own.yml").write_text("waivers: []\n")
    result = runner.step("Check", all=".", release="true", fail_on="error", config="own.yml")
    assert result.status == 0, result.err
    assert len(json.loads(Path(runner.output("sarif")).read_text())["runs"]) == 2


@pytest.mark.parametrize(
    ("inputs", "status"), [({"build_dir": "none"}, "4"), ({"options": "--surplus"}, "2")]
)
def test_what_can_not_be_checked_fails_the_job_too(
    runner: Runner, inputs: dict[str, str], status: str
) -> None:
    assert runner.step("Check", **inputs).status == 0
    assert runner.output("status") == status
    assert runner.step("Verdict").status == int(status)


def test_an_input_is_never_a_command(runner: Runner) -> None:
    runner.step("Check", build_dir="$(touch ran)`touch ran`; touch ran\n\"; touch ran; '")
    assert not (runner.workspace / "ran").exists()
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")


def test_every_input_is_used_and_every_step_has_a_part(runner: Runner) -> None:
    text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
    assert [name for name in ACTION["inputs"] if f"inputs.{name}" not in text] == []
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    assert used == ["github/codeql-action/upload-sarif@v4", "actions/upload-artifact@v4"]
    assert list(STEPS)[-1] == "Verdict"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_installation(runner: Runner) -> None:
    shutil.rmtree(runner.temp / "dfu-ble")
    result = runner.step("Install", python=sys.executable)
    assert result.status == 0, result.err
    installed = runner.temp / "dfu-ble" / "bin" / "dfu-ble"
    said = subprocess.check_output([str(installed), "--version"], text=True, timeout=60)
    assert said.startswith("dfu-ble ")
