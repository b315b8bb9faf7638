# SPDX-License-Identifier: Apache-2.0
"""What signing costs, with west and imgtool measured beside it in the same run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "measure_sign.py"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_variants_cost_little_more_than_one_imgtool() -> None:
    """`west dfu-ble sign` of both variants: at most `west topdir` and 1.5 `imgtool sign`."""
    done = subprocess.run([sys.executable, BENCHMARK], capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
