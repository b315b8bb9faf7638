# SPDX-License-Identifier: Apache-2.0
"""The single steps over each kind of link that leads to a device elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boards import make_board, make_update
from running import Result, RunDfuBle
from served_device import PLACES, in_thread
from west_dfu_ble.virtual import RadioProfile
from west_dfu_ble.virtual.generations import ZEPHYR_4


@pytest.mark.parametrize("kind", PLACES)
def test_a_life_in_single_steps(
    dfu_ble: RunDfuBle, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path / "cache")
    image = tmp_path / "update.bin"
    image.write_bytes(make_update())
    board = make_board(server=ZEPHYR_4, radio=RadioProfile(advertise_service=True))
    with in_thread(PLACES[kind](board)) as link:

        def step(*arguments: object) -> Result:
            result = dfu_ble(*arguments, "--link", link)
            assert result.status == 0, result.err
            return result

        assert step("echo", "good morning").out == "good morning\n"
        if kind == "hci":
            assert "SMP Virtual" in step("scan", "--timeout", "2").out  # the name is cut short
        assert "slot        image 0 slot 1: 262144 bytes\n" in step("status").out
        told = json.loads(step("status", "--format", "json").out)
        assert [(s["slot"], s["size"]) for s in told["slots"]] == [(0, 1 << 18), (1, 1 << 18)]
        assert told["running"] == told["next"]

        upload = ("upload", "--image", image, "--no-activate")
        assert step(*upload).last_line.endswith("will run it again after a reset")
        assert step("test").last_line.endswith("on trial after the next reset")
        step("erase")
        step(*upload)
        # Zephyr 4.2 lets only what runs be confirmed.
        refused = dfu_ble("test", "--permanent", "--link", link)
        assert refused.status == 7
        assert "IMG_MGMT_ERR_IMAGE_CONFIRMATION_DENIED" in refused.err
        assert "= help: its firmware lets only what runs be confirmed" in refused.err
        step("test")
        assert "runs 2.0.0" in step("reset").last_line
        assert step("status").last_line.endswith("at the next reset unless it is confirmed")
        assert "runs 1.0.0" in step("reset").last_line
        step("test")
        step("reset")
        assert step("confirm").last_line.endswith("will run it again after a reset")
        running = board.running()
        assert running is not None
        assert running.version.major == 2
