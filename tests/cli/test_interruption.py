# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the moments that are hardest to hit: while Python loads, and when all is done."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from running import RunDfuBle
from west_dfu_ble.update import Outcome, Update

EARLY = """
import signal, sys
class AtImport:
    def find_spec(self, name, path=None, target=None):
        if name == "west_dfu_ble.cli":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, AtImport())
"""
LATE = """
import atexit, signal
atexit.register(signal.raise_signal, signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("moment", "status", "err"),
    [(EARLY, 130, "interrupted\n"), (LATE, 0, "")],
    ids=["early", "late"],
)
def test_before_and_behind_everything_there_is_no_traceback(
    moment: str, status: int, err: str
) -> None:
    # Started in the background of a shell, the tests have Ctrl-C ignored, and so would the program.
    listen = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{listen}\n{moment}\nfrom west_dfu_ble.__main__ import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", program, "explain", "KC150"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, err)


def test_a_rehearsal_that_is_broken_off_says_nothing_of_the_build(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Update.run

    async def interrupted(self: Update) -> Outcome:
        signal.raise_signal(signal.SIGINT)
        return await run(self)

    monkeypatch.setattr(Update, "run", interrupted)
    done = dfu_ble("rehearse", "-d", tiny / "build-swap")
    assert done.status == 130
    assert done.last_line.startswith("the rehearsal was interrupted")


def test_an_update_that_is_done_is_told(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Update.sentence

    def interrupted(self: Update) -> str:
        signal.raise_signal(signal.SIGINT)
        return told(self)

    monkeypatch.setattr(Update, "sentence", interrupted)
    before = signal.getsignal(signal.SIGINT)
    done = dfu_ble("-d", tiny / "build-swap", "--link", "virtual", "--speed", "max")
    assert done.status == 0, done.err
    assert done.last_line.startswith("the device runs 1.2.0")
    assert signal.getsignal(signal.SIGINT) is before
