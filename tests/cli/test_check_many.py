# SPDX-License-Identifier: Apache-2.0
"""`check` on several build directories: each a line, one verdict, and no build stops the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from running import RunDfuBle


def test_every_build_below_a_folder(dfu_ble: RunDfuBle, tiny: Path) -> None:
    bad = tiny / "deep" / "er" / "bad"
    shutil.copytree(tiny / "build-swap", bad)
    config = bad / "zephyr/.config"
    config.write_text(
        config.read_text().replace("CONFIG_CAF_BLE_SMP=y", "# CONFIG_CAF_BLE_SMP is not set")
    )
    cut = tiny / "deep" / "cut"
    shutil.copytree(tiny / "build-swap", cut)
    (cut / "zephyr/.config").write_bytes(b"")

    result = dfu_ble("check", "--all", tiny)

    assert result.status == 3
    assert result.err.count("error[EN003]") == 1
    assert result.out.count("error[KC150]") == 1
    table = result.out.splitlines()[-5:]
    assert [line.split()[1] for line in table[:4]] == ["passed", "passed", "undecided", "failed"]
    assert table[4] == "4 builds: 2 passed, 1 failed, 1 undecided"
    assert "[4/4]" in result.err


def test_several_named_builds_as_json(dfu_ble: RunDfuBle, tiny: Path) -> None:
    cut = tiny / "cut"
    shutil.copytree(tiny / "build-swap", cut)
    (cut / "zephyr/.config").write_bytes(b"")

    result = dfu_ble("check", "-d", tiny / "build-swap", "-d", cut, "--format", "json")

    assert result.status == 4
    first, second = json.loads(result.out)
    assert first["summary"]["errors"] == 0
    assert second["build"] == {"path": str(cut)}
    assert second["error"]["code"] == "EN003"


def test_nothing_below(dfu_ble: RunDfuBle, tmp_path: Path) -> None:
    result = dfu_ble("check", "--all", tmp_path)
    assert result.status == 4
    assert "error[EN001]" in result.err


def test_exit_zero_forgives_findings_only(dfu_ble: RunDfuBle, tiny: Path) -> None:
    config = tiny / "build-swap/zephyr/.config"
    config.write_text(
        config.read_text().replace("CONFIG_CAF_BLE_SMP=y", "# CONFIG_CAF_BLE_SMP is not set")
    )
    assert dfu_ble("check", "-d", tiny / "build-swap").status == 3
    assert dfu_ble("check", "-d", tiny / "build-swap", "--exit-zero").status == 0
    config.write_bytes(b"")
    assert dfu_ble("check", "-d", tiny / "build-swap", "--exit-zero").status == 4
