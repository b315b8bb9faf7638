# SPDX-License-Identifier: Apache-2.0
"""The main job, end to end: a build directory goes in, an updated device comes out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from event_lines import events_of
from running import RunDfuBle


@pytest.mark.parametrize(
    ("sample", "files"),
    [
        ("build-swap", {"app_update.bin"}),
        ("build-direct-xip", {"app_update.bin", "mcuboot_secondary_app_update.bin"}),
    ],
)
def test_sample_is_signed_uploaded_and_proven(
    dfu_ble: RunDfuBle, tiny: Path, sample: str, files: set[str]
) -> None:
    result = dfu_ble("-d", tiny / sample, "--link", "virtual")

    assert result.status == 0, result.err
    assert {p.name for p in (tiny / sample / "zephyr").glob("*_update.bin")} == files
    lines = [line.split()[0] for line in result.err.splitlines() if line.strip()]
    steps = [word for index, word in enumerate(lines) if word not in lines[:index]]
    expected = ["check", "sign", "connect", "inspect", "upload", "reset", "verify"]
    assert [word for word in steps if word in expected] == expected
    # In plain direct-xip the bootloader runs the higher version: there is nothing to activate
    # and nothing to confirm.
    assert ("confirm" in steps) == (sample == "build-swap")
    assert "runs 1.2.0" in result.last_line
    assert "will run it again" in result.last_line


def test_events_as_json_lines(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble(
        "-d", tiny / "build-swap", "--link", "virtual", "--speed", "max", "--format", "json"
    )

    events = events_of(result.out)
    assert result.status == 0
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["offset"] == progress[-1]["total"]
    assert progress[-1]["total"] == (tiny / "build-swap/zephyr/app_update.bin").stat().st_size
    verdict = events[-1]
    assert (verdict["event"], verdict["status"], verdict["verdict"]) == ("verdict", 0, "done")
    assert verdict["running"]["version"] == "1.2.0"
    assert verdict["running"]["hash"] == verdict["next"]["hash"]
    assert (verdict["on_trial"], verdict["current"]) == (False, True)
    assert [one["version"] for one in verdict["images"]] == ["1.2.0", "1.1.0"]


@pytest.mark.parametrize("sample", ["build-swap", "build-direct-xip"])
@pytest.mark.parametrize("action", [[], ["upload"], ["upload", "--no-activate"]])
def test_what_the_device_runs_already_is_a_success(
    dfu_ble: RunDfuBle, tiny: Path, sample: str, action: list[str]
) -> None:
    build = tiny / sample
    assert dfu_ble("sign", "-d", build).status == 0
    field = tiny / "field.bin"
    field.write_bytes((build / "zephyr" / "app_update.bin").read_bytes())
    again = dfu_ble(*action, "-d", build, "--link", "virtual", "--speed", "max", "--from", field)
    assert again.status == 0, again.err
    assert again.last_line.startswith("the device already runs 1.2.0")
    assert again.last_line.endswith("; nothing was uploaded")
    rehearsed = dfu_ble("rehearse", "-d", build, "--from", field)
    assert rehearsed.status == 7
    assert "error[DV504]" in rehearsed.err


def test_a_downgrade_is_done_and_said(dfu_ble: RunDfuBle, tiny: Path) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build, "--image-version", "9.0.0").status == 0
    field = tiny / "field.bin"
    (build / "zephyr" / "app_update.bin").replace(field)
    done = dfu_ble("-d", build, "--link", "virtual", "--speed", "max", "--from", field)
    assert done.status == 0, done.err
    assert "warning: this is a downgrade: app_update.bin is 1.2.0" in done.err


def test_second_run_keeps_the_update_image(dfu_ble: RunDfuBle, tiny: Path) -> None:
    assert dfu_ble("sign", "-d", tiny / "build-swap").status == 0
    update = tiny / "build-swap/zephyr/app_update.bin"
    before = update.read_bytes(), update.stat().st_mtime_ns

    result = dfu_ble("sign", "-d", tiny / "build-swap")

    assert result.status == 0
    assert "kept" in result.out
    assert (update.read_bytes(), update.stat().st_mtime_ns) == before


def test_upload_without_confirm_leaves_the_image_on_trial(dfu_ble: RunDfuBle, tiny: Path) -> None:
    assert dfu_ble("sign", "-d", tiny / "build-swap").status == 0

    result = dfu_ble(
        *("upload", "-d", tiny / "build-swap", "--link", "virtual", "--speed", "max"),
        *("--no-confirm", "--format", "json"),
    )

    assert result.status == 0, result.err
    events = events_of(result.out)
    assert "confirm" not in [event.get("phase") for event in events]
    verdict = events[-1]
    assert (verdict["running"]["version"], verdict["next"]["version"]) == ("1.2.0", "1.1.0")
    assert verdict["on_trial"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for one child process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_an_end_in_the_middle_of_an_upload_tells_the_state(
    tiny: Path, number: signal.Signals
) -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    arguments = ("-d", tiny / "build-swap", "--link", "virtual", "--format", "json")
    process = subprocess.Popen(
        [sys.executable, "-m", "west_dfu_ble", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("event") == "progress":
            break
    process.send_signal(number)
    started = time.monotonic()
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130, err
    assert "interrupted" in err
    verdict = events_of(out)[-1]
    assert (verdict["event"], verdict["status"]) == ("verdict", 130)
    # The old image still runs, and would run after a reset: nothing was activated.
    assert "1.2.0" not in verdict["device"]
    assert verdict["running"] == verdict["next"]
    assert time.monotonic() - started < 15
    assert "Traceback" not in err
