# SPDX-License-Identifier: Apache-2.0
"""Whatever a file holds, its reader answers: a value or one diagnostic, in time, nothing written.

The short run is part of the ordinary tests. The long one is
``DFU_BLE_INPUTS=100000 pytest -q -s -m slow tests/fuzz``, which shares them out among the readers;
``DFU_BLE_SEED`` chooses others. A failure names reader, seed and number; the spoilt file stays in
the test's folder.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from damage import damaged, mutated
from fuzz_readers import READERS, Reader
from watched import nothing_done
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus

SHORT = 1_200
LONG = int(os.environ.get("DFU_BLE_INPUTS", "15000"))
SEED = int(os.environ.get("DFU_BLE_SEED", "1"))
# Seconds of processor time an input; wall time would judge the machine's other work.
LIMIT = 1.0
# One input in five is hypothesis's, the others are plain mutations, which are quicker.
BY_HYPOTHESIS = 5
_BAD_INPUT = (ExitStatus.USAGE, ExitStatus.UNDECIDED, ExitStatus.SIGNING)


class Trial:
    """Have one reader read one input after another, and keep what came of it."""

    def __init__(self, reader: Reader, folder: Path) -> None:
        self.reader = reader
        self.path, self.read = reader.prepare(folder)
        self.inputs = 0
        self.refused = 0
        self.slowest = 0.0

    def __call__(self, data: bytes) -> None:
        self.inputs += 1
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self.reader.wrap(data))
        started = time.process_time()
        try:
            with nothing_done():
                self.read()
        except DfuBleError as error:
            self.refused += 1
            assert error.status in _BAD_INPUT, error  # noqa: PT017 - either outcome is right
            assert error.diagnostic.message.isprintable(), error  # noqa: PT017
            assert len(error.diagnostic.message) <= 400, error  # noqa: PT017
        seconds = time.process_time() - started
        self.slowest = max(self.slowest, seconds)
        assert seconds < LIMIT


def run(name: str, folder: Path, total: int, seed: int) -> Trial:
    """Give a reader its share of `total` inputs."""
    reader: Reader = READERS[name]
    count = max(BY_HYPOTHESIS, total * reader.share // 200)
    trial = Trial(reader, folder)
    trial(reader.originals[0])  # imports what it needs
    chance = Random(f"{name} {seed}")
    for number in range(count - count // BY_HYPOTHESIS):
        data = mutated(chance.choice(reader.originals), chance)
        try:
            trial(data)
        except Exception as error:
            raise AssertionError(f"{name}, seed {seed}, input {number}") from error
    _by_hypothesis(reader, trial, count // BY_HYPOTHESIS)
    assert trial.refused > 0 or name.startswith("check ") or name in _PASSED_OVER
    return trial


# Where nothing is refused: a file that only adds to what others say is passed over if damaged.
_PASSED_OVER = (
    "zephyr/.config-trace.json",
    "build_info.yml",
    "zephyr/snippets_generated.cmake",
    "../prj.conf",
)


def _by_hypothesis(reader: Reader, trial: Trial, count: int) -> None:
    inputs = [damaged(one) for one in reader.originals]
    noise = (st.binary(max_size=200), st.text(max_size=200).map(str.encode))

    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.one_of(*inputs, *inputs, *noise))
    def check(data: bytes) -> None:
        trial(data)

    check()


@pytest.mark.parametrize("name", READERS)
def test_spoilt_input_is_answered(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, SHORT, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", READERS)
def test_many_spoilt_inputs_are_answered(name: str, tmp_path: Path) -> None:
    trial = run(name, tmp_path, LONG, SEED)
    print(
        f"\n{trial.inputs:>6} inputs, {trial.refused:>6} refused with a diagnostic, "
        f"the slowest took {trial.slowest:.2f} s: {name}"
    )
    assert trial.inputs >= LONG * READERS[name].share // 200


def test_shares_make_a_whole() -> None:
    assert sum(reader.share for reader in READERS.values()) == 200
