# SPDX-License-Identifier: Apache-2.0
"""The wheel on every supported Python of this machine: installed, and the whole job done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sample_builds import copy_tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = "Scripts" if os.name == "nt" else "bin"
OTHERS = [minor for minor in range(10, 15) if minor != sys.version_info.minor]


def interpreter(minor: int) -> str | None:
    """A Python 3.`minor`: on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = sorted(pyenv.glob(f"3.{minor}.*/bin/python3.{minor}"))
    for found in (*map(str, reversed(places)), shutil.which(f"python3.{minor}")):
        # A shim of pyenv is on the path for versions that it has not chosen, and fails.
        if found and succeeds(found, "-c", "import ensurepip", cwd=Path.cwd()):
            return found
    return None


def succeeds(*command: object, cwd: Path) -> bool:
    return call(*command, cwd=cwd).returncode == 0


def run(*command: object, cwd: Path) -> str:
    done = call(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def call(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_"))}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=inherited,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.mark.parametrize("minor", OTHERS)
def test_whole_job(minor: int, tmp_path: Path) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} with ensurepip on this machine")
    run(python, "-m", "venv", "env", cwd=tmp_path)
    pip = [tmp_path / "env" / BIN / "python", "-m", "pip"]
    if not succeeds(*pip, "download", "-q", "--no-deps", "-d", "x", "hatchling", cwd=tmp_path):
        pytest.skip("no access to PyPI")
    run(*pip, "install", "-q", REPOSITORY, cwd=tmp_path)
    copy_tiny(tmp_path / "tiny")
    job = [tmp_path / "env" / BIN / "python", "-W", "error::SyntaxWarning", "-I", "-m"]
    job += ["west_dfu_ble"]
    told = run(*job, "-d", "tiny/build-swap", "--link", "virtual", "--speed", "max", cwd=tmp_path)
    assert told.splitlines()[-1].startswith("the device runs 1.2.0")
