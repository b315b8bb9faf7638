# SPDX-License-Identifier: Apache-2.0
"""Our own wheel and those that it needs, for the virtual machine's Python.

`requirements.txt` pins what comes from PyPI by version and SHA-256. It leaves out Bumble and smp,
which only other links need (and what nothing but those need): that `--link ble` works without them
is part of what is tested.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .release import Release

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_REPOSITORY = Path(__file__).resolve().parents[3]
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_PIP = (sys.executable, "-m", "pip")
_TIME = 300
# What pip says when it is offline or missing; anything else is a failure.
_UNREACHABLE = ("No module named pip", "Could not find a version that", "No matching distribution")


def install_dependencies(release: Release, folder: Path) -> None:
    """Install what `requirements.txt` lists into `folder`, or skip the test."""
    _install(release, folder, "--require-hashes", "-r", str(REQUIREMENTS))


def install_ours(release: Release, folder: Path, scratch: Path) -> None:
    """Build our wheel and install it, with its console script, into `folder`."""
    quiet = ["--quiet", "--disable-pip-version-check"]
    _run([*_PIP, "wheel", *quiet, "--no-deps", "--wheel-dir", str(scratch), str(_REPOSITORY)])
    (wheel,) = scratch.glob("west_dfu_ble-*.whl")
    _install(release, folder, "--no-index", str(wheel))


def _install(release: Release, folder: Path, *what: str) -> None:
    command = [*_PIP, "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(folder), "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", release.python, "--implementation", "cp"]
    for platform in _PLATFORMS:
        command += ["--platform", platform]
    _run([*command, *what])


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIME,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"pip took longer than {_TIME} s")
    if done.returncode == 0:
        return
    for line in done.stderr.splitlines():
        if any(phrase in line for phrase in _UNREACHABLE):
            pytest.skip(f"the wheels can't be had: {line}")
    pytest.fail(f"pip failed: {done.stderr[-2000:]}")
