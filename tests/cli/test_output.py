# SPDX-License-Identifier: Apache-2.0
"""Output that breaks must not break the work: pipes that close, full disks, closed streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and /dev of POSIX systems")
RUN = [sys.executable, "-m", "west_dfu_ble"]
UPDATE = ["--link", "virtual", "--speed", "max"]


def shell(script: str, tiny: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "RUN": " ".join(RUN), "B": str(tiny)}
    return subprocess.run(
        ["sh", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_update_goes_on_when_nobody_reads_its_progress(tiny: Path) -> None:
    update = " ".join(UPDATE)
    done = shell(f"{{ $RUN -d $B/build-swap {update}; echo $? >&3; }} 3>$B/s 2>&1 | head -3", tiny)

    assert done.stdout.startswith("check ")
    assert (tiny / "s").read_text() == "0\n"
    assert done.stderr == ""


@pytest.mark.parametrize(("closed", "status"), [(">&-", 0), ("2>&-", 0)])
def test_a_closed_stream_is_no_reason_to_fail(tiny: Path, closed: str, status: int) -> None:
    done = shell(f"$RUN check -d $B/build-swap {closed}", tiny)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("action", "status"), [(["check"], 4), (UPDATE, 0)], ids=["check", "update"]
)
def test_a_full_disk_is_said(tiny: Path, action: list[str], status: int) -> None:
    done = shell(f"$RUN {' '.join(action)} -d $B/build-swap >/dev/full", tiny)
    # What was done to the device stays done; a check has no other result than what it writes.
    assert done.returncode == status, done.stderr
    assert "standard output can't be written: No space left on device" in done.stderr
