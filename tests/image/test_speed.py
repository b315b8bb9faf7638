# SPDX-License-Identifier: Apache-2.0
"""What signing costs, with west and imgtool measured beside it in the same run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from west_workspace import Workspace

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "tiny"
ROUNDS = 9
CACHES = {"PYTHONDONTWRITEBYTECODE": ""}  # as for a user: byte code is kept


@pytest.mark.slow
def test_two_variants_cost_little_more_than_one_imgtool(tmp_path: Path) -> None:
    """`west dfu-ble sign` of both variants: at most `west topdir` and 1.5 `imgtool sign`."""
    tiny = tmp_path / "tiny"
    shutil.copytree(SAMPLES, tiny, ignore=shutil.ignore_patterns("*_update.bin", "*.zip*"))
    build = tiny / "build-direct-xip"
    workspace = Workspace.make(tmp_path / "workspace")
    (key,) = (tiny / "keys").glob("*rsa*.pem")
    command = [sys.executable, "-m", "imgtool.main", "sign", "--key", str(key), "--align", "4"]
    command += ["--header-size", "0x200", "--version", "1.2.0+0", "--pad-header"]
    command += ["--rom-fixed", "0x8000", "--slot-size", "0x7a000"]
    command += [str(build / "zephyr/app_to_sign.bin"), str(tmp_path / "image.bin")]

    def topdir() -> None:
        assert workspace.west("topdir", environment=CACHES).status == 0

    def imgtool() -> None:
        subprocess.run(command, check=True, capture_output=True)

    def sign() -> None:
        result = workspace.west("dfu-ble", "sign", "--force", "-d", build, environment=CACHES)
        assert result.status == 0, result.err

    # The best of each: what else runs on the machine only ever adds to a time.
    best = dict.fromkeys((topdir, imgtool, sign), 1e9)
    for _ in range(ROUNDS):
        for work in best:
            start = time.perf_counter()
            work()
            best[work] = min(best[work], time.perf_counter() - start)

    for work, seconds in best.items():
        print(f"{work.__name__}: {1000 * seconds:.0f} ms")
    assert best[sign] <= best[topdir] + 1.5 * best[imgtool]
