# SPDX-License-Identifier: Apache-2.0
"""When an answer is overdue."""

from __future__ import annotations

import pytest

from west_dfu_ble.smp import Patience
from west_dfu_ble.smp.round_trip import RoundTrip

PATIENCE = Patience(least=0.25, most=10.0, times=6.0)


@pytest.mark.parametrize(
    ("opening", "seen", "wait"),
    [
        (None, [], 10.0),
        (0.1, [], 0.6),
        (30.0, [], 10.0),  # an erase
        (30.0, [0.1], 0.6),  # is forgotten once there is better knowledge
        (0.1, [0.010] * 50, 0.25),
        (0.1, [0.010, 0.5], 3.0),  # a long one counts at once
        (0.1, [0.010, 0.5, *[0.010] * 10], 1.08),  # and fades
        (0.1, [4.0], 10.0),
    ],
)
def test_the_wait_follows_the_longest_round_trip_seen_lately(
    opening: float | None, seen: list[float], wait: float
) -> None:
    trip = RoundTrip(PATIENCE)
    if opening is not None:
        trip.open(opening)
    for seconds in seen:
        trip.learn(seconds)
    assert trip.wait == pytest.approx(wait, rel=0.02)
