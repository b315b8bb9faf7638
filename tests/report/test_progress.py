# SPDX-License-Identifier: Apache-2.0
"""What is said of an upload while it runs."""

from __future__ import annotations

import io

from west_dfu_ble.report.output import Output
from west_dfu_ble.report.progress import PlainProgress
from west_dfu_ble.update import Phase, PhaseStarted, UploadProgress


def test_what_is_left_does_not_count_the_time_of_the_erase() -> None:
    """20 s until the first answer, then 100 kB/s: 8 s are left, and not 180."""
    stream = io.StringIO()
    tell = PlainProgress(Output(stream))
    tell(PhaseStarted(Phase.UPLOAD, "a.bin to slot 1"))
    for offset, seconds in ((2_000, 20.0), (202_000, 22.0)):
        tell(UploadProgress("a.bin", offset, 1_002_000, seconds, 0))

    assert stream.getvalue().splitlines()[1:] == [
        "upload   a.bin 2.0 of 1002.0 kB",
        "upload   a.bin 202.0 of 1002.0 kB, 100.0 kB/s, 8 s left",
    ]
