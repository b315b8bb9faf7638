# SPDX-License-Identifier: Apache-2.0
"""Other people's SMP clients, each in a virtual environment of its own.

They pin other versions of the libraries that this project uses, so they can't share its
environment. Each is made once in the cache folder of `source_archives`, of wheels whose hashes
stand in `clients/*.txt`; where that can't be done (offline, no pip, no wheel for this machine) the
test is skipped with the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from source_archives import cache_folder

_FOLDER = Path(__file__).parent / "clients"
SMPCLIENT = _FOLDER / "smpclient.txt"
MCUMGR_TOOLKIT = _FOLDER / "mcumgr_toolkit.txt"


def run_client(requirements: Path, script: str, *arguments: object) -> dict[str, Any]:
    """Run one of the scripts in `clients` in its environment; return what it reports.

    Fails the test with what the script wrote, if it does not end well within a minute.
    """
    command = [str(client_python(requirements)), str(_FOLDER / script), *map(str, arguments)]
    # Without this project's own path, which would shadow what the environment holds.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"{script} does not end; so far it wrote {error.stderr!r}")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def client_python(requirements: Path) -> Path:
    """Return the interpreter of an environment with these packages, or skip the test."""
    pinned = requirements.read_bytes()
    digest = hashlib.sha256(pinned).hexdigest()[:8]
    cache = cache_folder()
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folder = cache / f"{requirements.stem}-{digest}-{version}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    made = folder / "made"  # written last: an environment can't be renamed into its place
    with FileLock(cache / f"{folder.name}.lock", timeout=300):
        if not (made.is_file() and python.is_file()):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                venv.create(folder, with_pip=True)
                _install(python, requirements)
            except (OSError, subprocess.SubprocessError) as error:
                reason = getattr(error, "stderr", None) or str(error)
                if sys.platform == "linux" and "DO NOT MATCH THE HASHES" in str(reason):
                    pytest.fail(str(reason))
                last = str(reason).strip().rpartition("\n")[2]
                pytest.skip(f"no environment for {requirements.stem}: {last}")
            made.write_bytes(pinned)
    return python


def _install(python: Path, requirements: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--retries", "1"]
    command += ["--timeout", "20", "-r", str(requirements)]
    subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
