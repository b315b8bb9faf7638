# SPDX-License-Identifier: Apache-2.0
"""`docs/json.md` names every key that a command writes, in the row of that command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import RunDfuBle

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "json.md").read_text(encoding="utf-8")


def documented(heading: str, row: str = "") -> set[str]:
    """The words in code style of a section, or of the row that has `row` in its first cell."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if not row or f"`{row}`" in line.split(" | ")[0]]
    assert lines
    return {word for line in lines for word in re.findall(r"`([^`]+)`", line)}


def keys(value: object) -> Iterator[str]:
    """Every key in a JSON value, however deep."""
    if isinstance(value, dict):
        yield from value
    for one in value.values() if isinstance(value, dict) else value:  # type: ignore[attr-defined]
        if isinstance(one, dict | list):
            yield from keys(one)


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("status", ["status", "--link", "virtual"]),
        ("echo", ["echo", "--link", "virtual"]),
        ("sign", ["sign", "--output", "out"]),
        ("rehearse --faults", ["rehearse", "--faults"]),
    ],
)
def test_every_key_of_a_single_step(
    dfu_ble: RunDfuBle,
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tiny)
    done = dfu_ble(*arguments, "-d", "build-swap", "--format", "json")
    assert done.status == 0, done.err
    found = set(keys(json.loads(done.out)))
    assert found
    assert found <= documented("Single steps", action)


def test_every_key_of_an_image(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny)
    assert dfu_ble("sign", "-d", "build-swap").status == 0
    file = tiny / "build-swap" / "zephyr" / "app_update.bin"
    found = set(keys(json.loads(dfu_ble("image", file, "--format", "json").out)))
    assert found <= documented("Single steps", "image")


def test_every_key_of_the_events(dfu_ble: RunDfuBle, tiny: Path) -> None:
    done = dfu_ble(
        *("-d", tiny / "build-swap", "--link", "virtual", "--speed", "max", "--format", "json")
    )
    assert done.status == 0, done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    assert {event["event"] for event in events} >= {"started", "done", "progress", "verdict"}
    state = documented("Single steps", "status")
    for event in events:
        assert set(event) - {"event"} <= documented("The update", event["event"])
        assert set(keys(event)) - {"event"} <= documented("The update", event["event"]) | state
    phases = {event["phase"] for event in events if "phase" in event}
    assert phases <= documented("The update", "started")


def test_every_key_of_a_check(dfu_ble: RunDfuBle, tiny: Path) -> None:
    config = tiny / "build-swap" / "zephyr" / ".config"
    text = config.read_text(encoding="utf-8").replace("CONFIG_CAF_BLE_SMP=y\n", "")
    config.write_text(text, encoding="utf-8")
    report = json.loads(dfu_ble("check", "-d", tiny / "build-swap", "--format", "json").out)
    words = documented("`check`")
    assert set(report) <= words
    failed = [one for one in report["outcomes"] if one["diagnostic"]]
    assert failed
    for outcome in failed:
        assert set(outcome) <= words
        assert set(outcome["diagnostic"]) <= words
        assert {key for one in outcome["diagnostic"]["helps"] for key in one} <= words
