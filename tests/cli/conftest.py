# SPDX-License-Identifier: Apache-2.0
"""Run the command line as a user does, on copies of the samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from running import Result, RunDfuBle
from sample_builds import copy_tiny
from west_dfu_ble import cli

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def dfu_ble(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunDfuBle:
    """`dfu_ble("check", "-d", folder)`: the real command line, in this process."""
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as error:  # argparse's own: usage errors and --help
            status = int(error.code or 0)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return run


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A copy of `samples/tiny`, without anything that a run left there."""
    return copy_tiny(tmp_path / "tiny")
