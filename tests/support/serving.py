# SPDX-License-Identifier: Apache-2.0
"""`dfu-ble device` in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "scripts" / "west_commands"


@dataclass
class Served:
    """What is served: the device's name, the link that leads to it, and, at the end, what it said.

    `log` is what was written to standard error.
    """

    name: str
    link: str
    out: str = ""
    log: str = ""


@contextmanager
def serving(*arguments: object) -> Iterator[Served]:
    """Run `device` with `arguments`, and end it with Ctrl-C; fails the test if it ends badly."""
    with subprocess.Popen(
        [sys.executable, "-m", "west_dfu_ble", "device", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(PACKAGE)},
    ) as process:
        try:
            assert process.stdout is not None
            name, bracket, _ = process.stdout.readline().partition(" (C0:FF:EE")
            assert bracket, process.communicate()[1]
            served = Served(name, process.stdout.readline().partition(",")[0])
            yield served
            process.send_signal(signal.SIGINT)
            served.out, served.log = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, served.log
    assert "Traceback" not in served.log
