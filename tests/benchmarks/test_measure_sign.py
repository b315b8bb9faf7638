# SPDX-License-Identifier: Apache-2.0
"""The benchmark of signing still measures; what it says of speed is for an idle machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "measure_sign.py"


@pytest.mark.slow
def test_it_times_west_imgtool_and_both_variants() -> None:
    command = [sys.executable, str(BENCHMARK), "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert len(re.findall(r"^\S.+ \d+ ms \(median of 1\)", done.stdout, re.M)) == 3, done.stderr
    assert "imgtool runs beside west" in done.stdout
    assert done.stderr in ("", "the limit is passed\n")
