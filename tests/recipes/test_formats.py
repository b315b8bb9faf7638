# SPDX-License-Identifier: Apache-2.0
"""Every recipe is what its format allows: the schemas that check-jsonschema ships, pre-commit."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from recipes import REPOSITORY, gitlab_jobs, read, spoil
from sample_builds import copy_tiny

# The schemas and pre-commit come with the linters, which .ci/run installs before the slow tests.
pytestmark = pytest.mark.slow


def schema_errors(name: str, document: Any) -> list[str]:
    """What is wrong with a document by a schema of SchemaStore, or skip."""
    spec = importlib.util.find_spec("check_jsonschema")
    if spec is None or spec.origin is None:
        pytest.skip(
            "check-jsonschema, which ships the schemas, is not installed: pip install .[lint]"
        )
    schemas = Path(spec.origin).parent / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / f"{name}.json").read_text(encoding="utf-8"))
    return [error.message for error in validator_for(schema)(schema).iter_errors(document)]


def test_the_action() -> None:
    assert schema_errors("github-actions", read("action.yml")) == []


def test_our_own_workflow() -> None:
    workflow = read(".github/workflows/ci.yml")
    workflow["on"] = workflow.pop(True)  # YAML 1.1 takes `on` for a truth value, GitHub does not
    assert schema_errors("github-workflows", workflow) == []


def test_the_gitlab_include() -> None:
    assert schema_errors("gitlab-ci", gitlab_jobs(build_job="build")) == []


def test_the_schemas_would_complain() -> None:
    assert schema_errors("github-actions", {"name": "x", "runs": {"using": "composite"}})
    assert schema_errors("gitlab-ci", {"check": {"script": 1}})
    assert schema_errors("github-workflows", {"jobs": {"x": {}}})


def git(folder: Path, *arguments: str) -> str:
    own = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    own += ["-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]
    command = ["git", *own, *arguments]
    return subprocess.check_output(command, cwd=folder, text=True, timeout=60).strip()


@pytest.mark.timeout(900)
def test_the_pre_commit_hook_runs_at_a_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("pre_commit") is None or shutil.which("git") is None:
        pytest.skip("pre-commit or git is not installed: pip install .[lint]")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    ours = tmp_path / "west-dfu-ble"
    kept = shutil.ignore_patterns(
        ".*cache", ".venv", ".git", ".hypothesis", "__pycache__", "build-*"
    )
    shutil.copytree(REPOSITORY, ours, ignore=kept)
    user = tmp_path / "user"
    copy_tiny(user / "build", "build-swap")
    for folder in (ours, user):
        git(folder, "init", "-q")
        git(folder, "add", "-Af")
        git(folder, "commit", "-qm", "x")
    (user / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {ours.as_uri()}\n  rev: {git(ours, 'rev-parse', 'HEAD')}\n"
        "  hooks:\n  - id: dfu-ble-check\n    args: [--build-dir, build]\n"
    )
    git(user, "add", ".pre-commit-config.yaml")

    def pre_commit(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments],
            cwd=user,
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    status, said = pre_commit("validate-manifest", str(ours / ".pre-commit-hooks.yaml"))
    assert status == 0, said
    assert "check the update" not in pre_commit("run", "--all-files")[1]  # not at a commit
    at_push = ("run", "--all-files", "--hook-stage", "pre-push")
    status, said = pre_commit(*at_push)
    assert status == 0, said
    assert "check the update over Bluetooth LE" in said
    spoil(user / "build")
    status, said = pre_commit(*at_push)
    assert status == 1
    assert "exit code: 3" in said
    assert "KC150" in said
