# SPDX-License-Identifier: Apache-2.0
"""A rehearsal from start-up to verdict: `python benchmarks/measure_rehearsal.py`.

Runs `dfu-ble rehearse --speed max` on copies of both samples (197 kB images, two Bluetooth stacks)
in processes of its own. Ends with status 1 if a run takes longer than 5 seconds or its memory
reaches 120 MB. Linux and macOS.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import measured
from measured import Taken

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "tiny"
MOST_SECONDS, MOST_MEGABYTES = 5.0, 120.0
RUNS = 3


def measure(build: Path) -> Taken:
    """Rehearse once."""
    command = [sys.executable, "-m", "west_dfu_ble", "rehearse", "-d", str(build), "--speed", "max"]
    taken = measured.run(command)
    if taken.status:
        raise SystemExit(f"{' '.join(command)}: status {taken.status}")
    return taken


def main() -> int:
    """Measure, print, and judge."""
    is_busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    kept = True
    with tempfile.TemporaryDirectory() as folder:
        for name in ("build-swap", "build-direct-xip"):
            tiny = Path(folder, name)
            made = shutil.ignore_patterns("*_update.bin", "dfu_application.zip*")
            shutil.copytree(SAMPLES, tiny, ignore=made)
            runs = [measure(tiny / name) for _ in range(RUNS)]
            wall = statistics.median(run.seconds for run in runs)
            processor = statistics.median(run.processor for run in runs)
            size = statistics.median(run.memory for run in runs) / 1e6
            print(f"{name}: {wall:.1f} s, {processor:.1f} s of the processor, {size:.0f} MB")
            kept &= (processor if is_busy else wall) <= MOST_SECONDS and size < MOST_MEGABYTES
    judged = "seconds of the processor, since the machine is busy" if is_busy else "seconds"
    verdict = "kept" if kept else "NOT kept"
    print(f"at most {MOST_SECONDS:.0f} {judged}, and {MOST_MEGABYTES:.0f} MB: {verdict}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
