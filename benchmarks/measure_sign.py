# SPDX-License-Identifier: Apache-2.0
"""Measure `west dfu-ble sign` of two variants against west itself and one `imgtool sign`.

Run it as `python benchmarks/measure_sign.py [--rounds N]`. It signs the direct-xip sample (two
images of 197 kB, RSA-2048, and their package) with `--force`, in turns with `west topdir`, which is
what west itself takes, and with imgtool's own command for one of the images. Needs west in the same
environment. Ends with status 1 if the limit is passed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]

from measure_check import environment, west  # noqa: E402 - the path above is needed first

from west_workspace import Workspace  # noqa: E402

SAMPLES = HERE.parent / "samples" / "tiny"
IMGTOOL_RUNS = 1.5


def imgtool_command(sample: Path, target: Path) -> list[str]:
    """Return imgtool's command line that signs the primary slot's image as the build would."""
    (key,) = (sample / "keys").glob("*rsa*.pem")
    options = ("--align", "4", "--header-size", "0x200", "--version", "1.2.0+0", "--pad-header")
    place = ("--rom-fixed", "0x8000", "--slot-size", "0x7a000")
    source = sample / "build-direct-xip" / "zephyr" / "app_to_sign.bin"
    words = (*("-m", "imgtool.main", "sign", "--key", str(key)), *options, *place)
    return [sys.executable, *words, str(source), str(target)]


def seconds(command: list[str], workspace: Workspace) -> float:
    """Run `command` and return its wall time in seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=workspace.root, env=environment(workspace), capture_output=True, text=True
    )
    took = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return took


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11, help="runs of each (default: 11)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        workspace = Workspace.make(root / "workspace")
        sample = root / "tiny"
        shutil.copytree(SAMPLES, sample, ignore=shutil.ignore_patterns("*_update.bin", "*.zip*"))
        build = str(sample / "build-direct-xip")
        commands = {
            "west topdir": west(workspace, "topdir"),
            "imgtool sign, one image": imgtool_command(sample, root / "image.bin"),
            "west dfu-ble sign, two images": west(
                workspace, "dfu-ble", "sign", "--force", "-d", build
            ),
        }
        for command in commands.values():  # fills the caches: of the disk and of compiled modules
            seconds(command, workspace)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command, workspace))
    topdir, one, two = (statistics.median(taken) for taken in times.values())
    # What else runs on the machine only ever adds to a time: the best of each tells most.
    best_topdir, best_one, best_two = (min(taken) for taken in times.values())
    for name, taken in times.items():
        median, best = 1000 * statistics.median(taken), 1000 * min(taken)
        print(f"{name:30} {median:7.0f} ms (median of {rounds}), best {best:.0f} ms")
    print(f"{'imgtool runs beside west':30} {(two - topdir) / one:7.2f}    (medians)")
    runs = (best_two - best_topdir) / best_one
    print(f"{'':30} {runs:7.2f}    (best of each; at most {IMGTOOL_RUNS})")
    if runs > IMGTOOL_RUNS:
        raise SystemExit("the limit is passed")


if __name__ == "__main__":
    main()
