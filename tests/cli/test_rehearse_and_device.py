# SPDX-License-Identifier: Apache-2.0
"""`rehearse` and `device`: the virtual device as a product of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from running import RunDfuBle
from west_dfu_ble.virtual import FaultKind


def test_rehearsal_shows_the_devices_own_log(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--speed", "max")

    assert result.status == 0, result.err
    assert result.out.count("*** Booting MCUboot ***") == 2
    assert "Swap type: test" in result.out
    assert result.last_line == "this build updates the device that runs now"


def test_rehearsal_from_the_image_in_the_field(dfu_ble: RunDfuBle, tiny: Path) -> None:
    build = tiny / "build-direct-xip"
    assert dfu_ble("sign", "-d", build, "--image-version", "9.0.0").status == 0
    package = tiny / "field.zip"
    (build / "zephyr/dfu_application.zip").replace(package)

    result = dfu_ble("rehearse", "-d", build, "--from", package, "--force")

    # Direct-xip runs the higher version, and that is already there.
    assert result.status == 7
    assert "error[DV503]" in result.err
    assert "does not update" in result.last_line


@contextmanager
def served(*arguments: object) -> Iterator[str]:
    """Run `dfu-ble device`; gives the link that leads to it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "west_dfu_ble", "device", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        assert process.stdout is not None
        assert "C0:FF:EE" in process.stdout.readline()
        yield process.stdout.readline().partition(",")[0]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert "the device runs 1.2.0" in out
        assert "Traceback" not in err
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child process")
@pytest.mark.parametrize("place", [("--udp", "127.0.0.1:0"), ("--hci", "tcp-server:127.0.0.1:0")])
def test_another_process_updates_a_served_device(
    dfu_ble: RunDfuBle, tiny: Path, place: tuple[str, str]
) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build).status == 0

    with served("-d", build, *place) as link:
        # The sample's firmware asks for a passkey; the virtual device always shows the same.
        paired = ("--device", "Tiny swap", "--passkey", "271828")
        device = paired if link.startswith("hci") else ()
        result = dfu_ble("upload", "-d", build, "--link", link, *device)
        assert result.status == 0, result.err
        assert "runs 1.2.0" in result.last_line


def test_a_place_that_is_taken(dfu_ble: RunDfuBle, tiny: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        result = dfu_ble("device", "-d", tiny / "build-swap", "--hci", place)
    assert result.status == 2
    assert "error[EN008]" in result.err


@pytest.mark.parametrize("sample", ["build-swap", "build-direct-xip"])
def test_every_fault_in_every_phase(dfu_ble: RunDfuBle, tiny: Path, sample: str) -> None:
    result = dfu_ble("rehearse", "-d", tiny / sample, "--faults", "--format", "json")

    assert result.status == 0, result.err
    trials = json.loads(result.out)
    assert {t["fault"] for t in trials} == {kind.value for kind in FaultKind}
    assert all(t["as_reported"] for t in trials)
    # Not everything can be survived: a reboot on trial is a revert, a flash error is the device's.
    ended = {(t["fault"], t["phase"]): t["error"] for t in trials}
    assert ended["request-lost", "upload"] is None
    assert ended["flash-write-error", "upload"] == "DV501"
    if sample == "build-swap":
        assert ended["reboot", "confirm"] == "DV506"
    slow = next(t for t in trials if t["fault"] == "slow-erase")
    assert slow["seconds"] == pytest.approx(20, abs=1)


def test_the_fault_matrix_as_a_table(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--faults")
    header, *rows = result.out.splitlines()
    assert header.split() == [
        "fault",
        "inspect",
        "upload",
        "activate",
        "reset",
        "verify",
        "confirm",
    ]
    assert len(rows) == len(FaultKind) + 3
    assert result.last_line == "after each the device booted a valid image, and it was as reported"
