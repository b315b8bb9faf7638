# SPDX-License-Identifier: Apache-2.0
"""Measure `dfu-ble check --all` on many build directories of real size in one call.

Run it as `python benchmarks/measure_many.py [--builds N]`. Checks an eighth, a quarter, half and
all of N (200) builds, once for people and once with a report of each format for machines: the
time a build must not grow with their number, nor the peak memory. Needs a POSIX system for the
memory. Ends with status 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import measured
from measured import Taken
from real_size_build import make_build, make_more

# What the most builds may take more than the fewest: of time a build, and of memory in bytes.
SLOWER, LARGER = 1.25, 10e6
MEMORY = 100e6
FORMATS = ("json", "sarif", "junit", "github")


def make_builds(folder: Path, count: int) -> list[Path]:
    """Make `count` build directories in `folder`, the large files of all but the first linked."""
    first = make_build(folder)
    return [first, *(make_more(first, number) for number in range(2, count + 1))]


def run(builds: list[Path], reports: Path | None) -> Taken:
    """Check them in one call."""
    command = [sys.executable, "-m", "west_dfu_ble", "check"]
    for build in builds:
        command += ["-d", str(build)]
    if reports is not None:
        for name in FORMATS:
            command += ["--report", f"{name}:{reports / name}"]
    taken = measured.run(command)
    if taken.status:
        raise SystemExit(f"the check ended with {taken.status}")
    return taken


def measure(builds: list[Path], reports: Path | None) -> list[str]:
    """Measure and print one table; return which limits were passed."""
    times, peaks = [], []
    run(builds[:1], None)  # fills the caches: of the disk and of compiled modules
    for count in (len(builds) // 8, len(builds) // 4, len(builds) // 2, len(builds)):
        taken = run(builds[:count], reports)
        times.append(taken.processor / count)
        peaks.append(taken.memory)
        print(
            f"{count:>6} {taken.seconds:>9.1f} {taken.seconds / count * 1000:>12.0f} "
            f"{taken.processor / count * 1000:>12.0f} {taken.memory / 1e6:>9.1f}"
        )
    passed = []
    if times[-1] > SLOWER * times[0]:
        passed.append(f"a build takes {times[-1] / times[0]:.2f} times as long (at most {SLOWER})")
    if peaks[-1] - peaks[0] > LARGER:
        passed.append(f"memory grows by {(peaks[-1] - peaks[0]) / 1e6:.1f} MB")
    if peaks[-1] > MEMORY:
        passed.append(f"memory is {peaks[-1] / 1e6:.1f} MB (below {MEMORY / 1e6:.0f})")
    return passed


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--builds", type=int, default=200, help="how many (default: 200)")
    count = max(8, parser.parse_args().builds)
    passed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        builds = make_builds(folder, count)
        for title, reports in (("for people", None), (f"with {', '.join(FORMATS)}", folder)):
            print(f"{title}\nbuilds   seconds  ms a build   processor ms   peak MB")
            passed += [f"{title}: {one}" for one in measure(builds, reports)]
    if passed:
        raise SystemExit("a limit is passed: " + "; ".join(passed))


if __name__ == "__main__":
    main()
