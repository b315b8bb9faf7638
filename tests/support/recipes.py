# SPDX-License-Identifier: Apache-2.0
"""Run the shell scripts that stand in CI recipes, as the CI's runner would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from running import Result

REPOSITORY = Path(__file__).resolve().parents[2]


def shell(name: str) -> str:
    """Return the path of a shell, or skip."""
    found = shutil.which(name)
    if found is None or sys.platform == "win32":  # Windows' own `bash` is another system's
        pytest.skip(f"needs {name} of a Unix system")
    return found


def tool_folder(folder: Path) -> Path:
    """Make what the recipe's installation makes, of the environment that runs the tests."""
    (folder / "bin").mkdir(parents=True)
    for name in ("python", "dfu-ble"):
        script = folder / "bin" / name
        module = " -m west_dfu_ble" if name == "dfu-ble" else ""
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
        script.chmod(0o755)
    return folder


def filled(text: str, values: Mapping[str, object], pattern: str) -> str:
    """Replace every expression of a recipe; one that is not in `values` is an error."""
    return re.sub(pattern, lambda found: str(values[found[1]]), text)


def run_script(
    command: list[str], script: str, cwd: Path, environment: Mapping[str, object]
) -> Result:
    """Run a script as a file, with `environment` beside the process's own."""
    file = cwd / ".script.sh"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [*command, file],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY / "scripts" / "west_commands"),
            **{name: str(value) for name, value in environment.items()},
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=800,
        check=False,
    )
    file.unlink()
    return Result(done.returncode, done.stdout, done.stderr)


def spoil(build: Path) -> None:
    """Take the CAF SMP module out of a build: the check fails."""
    config = build / "zephyr" / ".config"
    text = config.read_text(encoding="utf-8")
    assert "CONFIG_CAF_BLE_SMP=y" in text
    config.write_text(
        text.replace("CONFIG_CAF_BLE_SMP=y", "# CONFIG_CAF_BLE_SMP is not set"), encoding="utf-8"
    )


def read(name: str) -> Any:
    """Read a YAML file of the repository."""
    return yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))


def gitlab_jobs(**inputs: str) -> dict[str, Any]:
    """Return the jobs, by name, that GitLab makes of the include with these inputs."""
    head, jobs = (REPOSITORY / "templates/check.yml").read_text(encoding="utf-8").split("\n---\n")
    spec = yaml.safe_load(head)["spec"]["inputs"]
    values = {name: one["default"] for name, one in spec.items() if "default" in one}
    values |= {name.replace("_", "-"): value for name, value in inputs.items()}
    made: dict[str, Any] = yaml.safe_load(filled(jobs, values, r"\$\[\[ inputs\.(\S+) \]\]"))
    return made
