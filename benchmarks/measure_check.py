# SPDX-License-Identifier: Apache-2.0
"""Measure `west dfu-ble check` on a build directory of real size.

Run it as `python benchmarks/measure_check.py [--rounds N]`. Compares the whole command's wall time
with that of `west topdir`, which is what west itself takes, in turns on the same machine; tells its
peak memory, and which heavy modules it imported (there should be none). Needs west in the same
environment, and a POSIX system for the memory. Ends with status 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]

import measured  # noqa: E402 - the path above is needed first
from measured import Taken  # noqa: E402
from real_size_build import make_build  # noqa: E402

from west_workspace import Workspace  # noqa: E402

RATIO, MEMORY = 2.5, 100e6
# `check` must not load any of these: Bluetooth, signing, cryptography.
HEAVY = ("asyncio", "bleak", "bumble", "cryptography", "imgtool", "rich", "serial", "smp")
_IMPORT = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s*([\w.]+)$", re.MULTILINE)


def west(workspace: Workspace, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    """Return the command line that runs the workspace's west."""
    return [sys.executable, *options, "-m", "west", *arguments]


def environment(workspace: Workspace) -> dict[str, str]:
    """Return the environment of every run: nothing of the user's own configuration."""
    dropped = ("PYTHON", "WEST_", "ZEPHYR_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    nothing = str(workspace.root / "no-configuration")
    return {**kept, "WEST_CONFIG_SYSTEM": nothing, "WEST_CONFIG_GLOBAL": nothing, "NO_COLOR": "1"}


def run(command: list[str], workspace: Workspace) -> Taken:
    """Run `command` in the workspace."""
    return measured.run(command, environment=environment(workspace), cwd=workspace.root)


def heavy_imports(command: list[str], workspace: Workspace) -> list[str]:
    """Return which of the heavy modules `command` (run with ``-X importtime``) imported."""
    done = subprocess.run(
        command, cwd=workspace.root, env=environment(workspace), capture_output=True, text=True
    )
    imported = {name.partition(".")[0] for name in _IMPORT.findall(done.stderr)}
    if "west" not in imported:
        raise SystemExit(f"west was not even imported: {done.stderr[-2000:]}")
    return sorted(imported.intersection(HEAVY))


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11, help="runs of each (default: 11)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.make(Path(folder).resolve() / "workspace")
        build = make_build(Path(folder).resolve() / "application")
        topdir = west(workspace, "topdir")
        check = west(workspace, "dfu-ble", "check", "-d", str(build))
        for command in (topdir, check):  # fills the caches: of the disk and of compiled modules
            run(command, workspace)
        times: dict[str, list[float]] = {"topdir": [], "check": []}
        memory = 0
        status = 0
        for _ in range(rounds):
            times["topdir"].append(run(topdir, workspace).seconds)
            taken = run(check, workspace)
            times["check"].append(taken.seconds)
            memory, status = max(memory, taken.memory), taken.status
        plain, whole = (statistics.median(times[name]) for name in ("topdir", "check"))
        print(f"west topdir         {plain * 1000:7.0f} ms (median of {rounds})")
        print(f"west dfu-ble check  {whole * 1000:7.0f} ms, exit status {status}")
        print(f"ratio               {whole / plain:7.2f}    (at most {RATIO})")
        print(f"peak memory         {memory / 1e6:7.1f} MB (below {MEMORY / 1e6:.0f})")
        traced = west(workspace, *check[3:], options=("-X", "importtime"))
        heavy = heavy_imports(traced, workspace)
        print(f"heavy imports       {', '.join(heavy) or 'none'}")
        if status or whole > RATIO * plain or memory > MEMORY or heavy:
            raise SystemExit("a limit is passed")


if __name__ == "__main__":
    main()
