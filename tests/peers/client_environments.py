# SPDX-License-Identifier: Apache-2.0
"""Other people's SMP clients, each in a virtual environment of its own.

They pin other versions of the libraries that this project uses, so they can't share its
environment. Each is made once in the cache folder of `source_archives`; where that can't be done
(offline, no pip, no wheel for this machine) the test is skipped with the reason.
"""

from __future__ import annotations

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

SMPCLIENT = ("smpclient[bumble]==7.3.0", "smp==4.2.0", "bumble==0.0.228")
MCUMGR_TOOLKIT = ("mcumgr-toolkit==0.20.0",)
_SCRIPTS = Path(__file__).parent / "clients"


def run_client(requirements: tuple[str, ...], script: str, *arguments: object) -> dict[str, Any]:
    """Run one of the scripts in `clients` in its environment; return what it reports.

    Fails the test with what the script wrote, if it does not end well within a minute.
    """
    command = [str(client_python(requirements)), str(_SCRIPTS / script), *map(str, arguments)]
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


def client_python(requirements: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment with these packages, or skip the test."""
    what = requirements[0]
    name = what.replace("[bumble]", "").replace("==", "-")
    cache = cache_folder()
    folder = cache / f"{name}-python{sys.version_info[0]}.{sys.version_info[1]}"
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
                last = str(reason).strip().rpartition("\n")[2]
                pytest.skip(f"no environment for {what}: {last}")
            made.write_text("\n".join(requirements), encoding="utf-8")
    return python


def _install(python: Path, requirements: tuple[str, ...]) -> None:
    # Only wheels, so that no compiler is needed; but smp needs crcmod, which has none (its own
    # compiled part is optional).
    command = [str(python), "-m", "pip", "install", "--quiet"]
    command += ["--only-binary", ":all:", "--no-binary", "crcmod"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "20", *requirements]
    subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
