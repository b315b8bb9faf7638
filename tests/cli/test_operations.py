# SPDX-License-Identifier: Apache-2.0
"""The single steps, on a virtual device made from the sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_lines import events_of
from running import RunDfuBle


def on_virtual(tiny: Path) -> tuple[object, ...]:
    return "-d", tiny / "build-swap", "--link", "virtual", "--speed", "max"


def test_status_as_table(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("status", *on_virtual(tiny))

    assert result.status == 0, result.err
    header, row = result.out.splitlines()[:2]
    assert header.split() == ["image", "slot", "version", "hash", "flags"]
    assert row.split()[:2] == ["0", "0"]
    assert row.endswith("active confirmed bootable")
    assert "mode        swap using move\n" in result.out
    assert "buffers     4 of 2475 bytes\n" in result.out
    assert result.last_line.startswith("the device runs ")


def test_status_as_json(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("status", *on_virtual(tiny), "--format", "json")

    state = json.loads(result.out)
    assert state["mode"] == "swap using move"
    assert state["mode_told_by_device"] is True
    assert [(i["slot"], i["active"], i["confirmed"]) for i in state["images"]] == [(0, True, True)]
    assert (state["buffer_size"], state["buffer_count"]) == (2475, 4)


def test_echo(dfu_ble: RunDfuBle, tiny: Path) -> None:
    assert dfu_ble("echo", *on_virtual(tiny), "good morning").out == "good morning\n"


@pytest.mark.parametrize("action", ["confirm", "erase", "reset"])
def test_steps_that_change_nothing_here(dfu_ble: RunDfuBle, tiny: Path, action: str) -> None:
    result = dfu_ble(action, *on_virtual(tiny))
    assert result.status == 0, result.err
    assert "will run it again after a reset" in result.last_line


def test_there_is_nothing_to_test(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("test", *on_virtual(tiny))
    assert result.status == 7
    assert result.err.count("error[DV507]") == 1
    assert "holds no image besides the one that runs" in result.err


def test_a_hash_that_is_none(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("test", *on_virtual(tiny), "xyz")
    assert result.status == 2
    assert "'xyz' is not the beginning of a hash" in result.err


def test_dry_run_writes_nothing_to_the_device(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble(*on_virtual(tiny), "--dry-run")

    assert result.status == 0, result.err
    assert "would upload app_update.bin (1.2.0+0) to image 0 slot 1" in result.out
    assert "frames of up to 2475 bytes, 2 in flight" in result.out
    assert "runs 1.2.0" not in result.last_line


def test_the_plan_of_a_dry_run_as_json(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble(*on_virtual(tiny), "--dry-run", "--format", "json")
    plan, verdict = events_of(result.out)[-2:]
    assert (plan["event"], verdict["event"]) == ("plan", "verdict")
    assert (plan["frame"], plan["in_flight"], plan["warnings"]) == (2475, 2, [])
    (image,) = plan["images"]
    assert (image["file"], image["slot"], image["upload"]) == ("app_update.bin", 1, True)


def test_the_virtual_device_is_on_an_air_of_its_own(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("scan", *on_virtual(tiny), "--timeout", "0.5", "--format", "json")
    (seen,) = json.loads(result.out)
    assert (seen["name"], seen["address"]) == ("Tiny swap", "C0:FF:EE:00:00:01")
    nobody = dfu_ble("scan", "--link", "virtual")
    assert nobody.status == 2
    assert "a virtual device needs to know which image it runs" in nobody.err


def test_nothing_to_scan_over_a_cable(dfu_ble: RunDfuBle) -> None:
    result = dfu_ble("scan", "--link", "udp:127.0.0.1:9")
    assert result.status == 2
    assert "error[LK408]" in result.err
