# SPDX-License-Identifier: Apache-2.0
"""Every build of a twister run can be updated over Bluetooth LE: checked, and rehearsed.

west twister --build-only -T samples/caf_smp
pytest path/to/west-dfu-ble/samples/twister --twister-out twister-out --junitxml updates.xml
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def dfu_ble(*arguments: object) -> None:
    """Run `dfu-ble`, or `west dfu-ble` where only that is installed; the test fails as it does."""
    own = shutil.which("dfu-ble")
    command = [own] if own else [sys.executable, "-m", "west", "dfu-ble"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"status {done.returncode}\n{done.stderr}\n{done.stdout}", pytrace=False)


def test_the_build_can_be_updated(build: Path) -> None:
    """Every rule: a build that could not be updated in the field fails here."""
    dfu_ble("check", "--build-dir", build)


def test_it_updates_a_device(build: Path) -> None:
    """The whole update, from a lower version to this build, on a virtual device."""
    dfu_ble("rehearse", "--build-dir", build, "--speed", "max")
