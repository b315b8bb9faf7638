# SPDX-License-Identifier: Apache-2.0
"""Several devices on a terminal: a line each, in which the name is always to be read."""

from __future__ import annotations

import io

import pytest

from west_dfu_ble.diagnostics import ExitStatus
from west_dfu_ble.report.devices_progress import DeviceBars
from west_dfu_ble.update import DeviceResult, Phase, PhaseStarted, Remark, UploadProgress


def test_a_long_text_does_not_push_the_names_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.StringIO()
    with DeviceBars(stream, ["Door [1]", "Window"], colour=False) as progress:
        door = progress.listener("Door [1]")
        door(PhaseStarted(Phase.UPLOAD, "update.bin"))
        door(UploadProgress("update.bin", 500, 1000, 1.0))
        progress.listener("Window")(Remark("the link was lost; " * 20))
        progress.finished(DeviceResult("Door [1]", ExitStatus.NO_LINK))
        progress.finished(DeviceResult("Window", ExitStatus.INTERRUPTED, has_begun=False))
    last = [line for line in stream.getvalue().splitlines() if line.strip()][-2:]
    assert last[0].lstrip("\r").startswith("Door [1] failed")
    assert last[1].lstrip("\r").startswith("Window   not begun")
    assert "the state of the device is" in last[0]
    assert all(len(line.strip()) <= 80 for line in last)


def test_what_the_erasing_took_is_not_in_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.StringIO()
    with DeviceBars(stream, ["Door"], colour=False) as progress:
        door = progress.listener("Door")
        for start in (20.0, 5.0):  # two files, and each is erased for
            door(PhaseStarted(Phase.UPLOAD, "update.bin"))
            door(UploadProgress("update.bin", 1000, 9000, start))
            door(UploadProgress("update.bin", 5000, 9000, start + 2))
    assert "5.0 of 9.0 kB, 2.0 kB/s, 2 s left" in stream.getvalue()
