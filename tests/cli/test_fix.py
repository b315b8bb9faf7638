# SPDX-License-Identifier: Apache-2.0
"""`check --fix` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from running import RunDfuBle

FRAGMENT = "# KC171 reboot-disabled\nCONFIG_REBOOT=y\n"


@pytest.fixture
def build(tiny: Path) -> Path:
    """A build that has a symbol off, which none of its sources assigns."""
    config = tiny / "build-swap/zephyr/.config"
    text = config.read_text()
    assert "CONFIG_REBOOT=y\n" in text
    config.write_text(text.replace("CONFIG_REBOOT=y", "# CONFIG_REBOOT is not set"))
    for source in tiny.glob("prj*.conf"):
        source.write_text(source.read_text().replace("CONFIG_REBOOT=y\n", ""))
    return tiny / "build-swap"


def test_default_is_the_folder_of_the_application(dfu_ble: RunDfuBle, build: Path) -> None:
    result = dfu_ble("check", "-d", build, "--select", "KC171", "--format", "json", "--fix")
    # Standard output is the report alone.
    assert json.loads(result.out)["summary"]["warnings"] == 1
    assert result.status == 0
    assert (build.parent / "dfu-ble.conf").read_text().endswith(FRAGMENT)
    assert "fix     wrote " in result.err
    assert " -- -DEXTRA_CONF_FILE=dfu-ble.conf" in result.err


def test_folder_may_be_given(dfu_ble: RunDfuBle, build: Path, tmp_path: Path) -> None:
    result = dfu_ble("check", "--fix", tmp_path, "-d", build, "--select", "KC171")
    assert result.status == 0
    assert (tmp_path / "dfu-ble.conf").read_text().endswith(FRAGMENT)
    assert not (build.parent / "dfu-ble.conf").exists()


def test_without_it_nothing_is_written(dfu_ble: RunDfuBle, build: Path) -> None:
    before = sorted(build.parent.rglob("*"))
    assert dfu_ble("check", "-d", build).status == 0
    assert sorted(build.parent.rglob("*")) == before


def test_file_of_somebody_else_ends_it(dfu_ble: RunDfuBle, build: Path) -> None:
    path = build.parent / "dfu-ble.conf"
    path.write_text("CONFIG_BT=y\n")
    result = dfu_ble("check", "-d", build, "--fix")
    assert result.status == 2
    assert "error[EN008]" in result.err
    assert "`dfu-ble.conf` exists, and --fix did not write it" in result.err
    assert path.read_text() == "CONFIG_BT=y\n"


def test_several_builds_are_refused(dfu_ble: RunDfuBle, build: Path) -> None:
    result = dfu_ble("check", "-d", build, "-d", build.parent / "build-direct-xip", "--fix")
    assert result.status == 2
    assert "--fix was given with several builds" in result.err
    assert not list(build.parent.glob("dfu-ble*.conf"))
