# SPDX-License-Identifier: Apache-2.0
"""Run a command to its end, and tell what it took. Needs a POSIX system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# getrusage: bytes there, kB elsewhere.
_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Taken:
    """Wall time and processor time in seconds, peak memory in bytes, and the exit status."""

    seconds: float
    processor: float
    memory: int
    status: int


def run(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Taken:
    """Run `command`; nothing of what it writes is kept."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    processor = usage.ru_utime + usage.ru_stime
    return Taken(seconds, processor, usage.ru_maxrss * _UNIT, process.returncode)
