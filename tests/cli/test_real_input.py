# SPDX-License-Identifier: Apache-2.0
"""The command line on what others built: real SDK builds, and real signed firmware."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from running import RunDfuBle
from smpclient_sdist import smpclient_sdist

BUILDS = Path(__file__).resolve().parents[3] / "shared" / "builds"


def real_build(name: str) -> Path:
    folder = BUILDS / name
    if not folder.is_dir():
        pytest.skip(f"no real build directories beside this checkout ({BUILDS})")
    return folder


def check(dfu_ble: RunDfuBle, name: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = dfu_ble("check", "-d", real_build(name), "--format", "json", *arguments)
    return result.status, json.loads(result.out)


@pytest.mark.parametrize("name", ["ncs-2.5.0-child-image-direct-xip", "ncs-2.5.0-child-image-swap"])
def test_real_caf_builds_have_what_the_update_needs(dfu_ble: RunDfuBle, name: str) -> None:
    status, report = check(dfu_ble, name)

    assert status == 0
    failed = [o for o in report["outcomes"] if o["status"] == "fail"]
    assert not [o for o in failed if o["diagnostic"]["severity"] == "error"]
    caf = [o for o in report["outcomes"] if "CAF_BLE_SMP" in json.dumps(o)]
    assert caf
    assert all(o["status"] == "pass" for o in caf)


def test_real_build_without_caf_says_so(dfu_ble: RunDfuBle) -> None:
    name = "zephyr-3.5.0-sysbuild-swap"
    status, report = check(dfu_ble, name)
    assert status == 0
    reasons = {o["reason"] for o in report["outcomes"] if o["status"] == "not-applicable"}
    assert any("CAF" in reason for reason in reasons)

    status, report = check(dfu_ble, name, "--profile", "caf")
    assert status == 3
    errors = [
        o["diagnostic"]
        for o in report["outcomes"]
        if o["status"] == "fail" and o["diagnostic"]["severity"] == "error"
    ]
    assert len(errors) == 1
    assert "CAF" in errors[0]["message"]


@pytest.mark.parametrize(
    ("board", "folder"),
    [("nrf52840dk", "nrf52840dk_nrf52840/ble"), ("nrf52dk", "nrf52dk_nrf52832/ble")],
)
@pytest.mark.peer
def test_real_firmware_is_updated_and_proven(dfu_ble: RunDfuBle, board: str, folder: str) -> None:
    firmware = smpclient_sdist() / "examples" / "duts" / folder
    before, after = firmware / "a_smp_dut.bin", firmware / "b_smp_dut.bin"

    result = dfu_ble(
        "upload",
        "--link",
        "virtual",
        "--speed",
        "max",
        "--from",
        before,
        "--image",
        after,
        "--format",
        "json",
    )

    assert result.status == 0, result.err
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [e for e in events if e["event"] == "progress"][-1]["offset"] == after.stat().st_size
    from west_dfu_ble import image

    digest = image.read(after).digest.hex()
    assert digest[:8] in events[-1]["device"], f"{board}: {events[-1]}"
