# SPDX-License-Identifier: Apache-2.0
"""What the upload window makes of lost frames and of a slow device: little time, no data twice."""

from __future__ import annotations

import random

import pytest

from west_dfu_ble.smp import Failure, WindowState
from window_play import CHUNK, IMAGE, Loss, ServerModel, make_window, run


@pytest.mark.parametrize("nth", range(2, 40, 3))
@pytest.mark.parametrize("way", ["request", "answer"])
def test_one_lost_frame_costs_no_data_sent_blindly(way: str, nth: int) -> None:
    seen = 0

    def loses(kind: str, _order: int) -> bool:
        nonlocal seen
        seen += kind == way
        return kind == way and seen == nth

    window, server = make_window(), ServerModel()
    run(window, server, loses=loses)
    assert bytes(server.stored) == IMAGE
    assert window.state is WindowState.DONE
    # What a lost request cost is that request, the one behind it, and perhaps a question.
    clean = make_window()
    run(clean, ServerModel())
    assert window.counts.requests - clean.counts.requests <= 3


def loses_nth(nth: int) -> Loss:
    """Lose one request, the one that is sent as number `nth`."""
    sent = 0

    def loses(way: str, _order: int) -> bool:
        nonlocal sent
        sent += way == "request"
        return way == "request" and sent == nth

    return loses


@pytest.mark.parametrize(("width", "timeouts", "cost"), [(1, 1, 0.4), (2, 0, 0.15)])
def test_one_lost_request_costs_a_moment_and_none_if_another_is_behind_it(
    width: int, timeouts: int, cost: float
) -> None:
    clean = run(make_window(most_in_flight=width), ServerModel())
    window = make_window(most_in_flight=width)
    # What is behind it goes narrower for a while, so it is lost near the end.
    seconds = run(window, ServerModel(), loses=loses_nth(len(IMAGE) // CHUNK - 4))
    assert (window.counts.timeouts, window.counts.lost_requests) == (timeouts, 1)
    assert seconds - clean < cost


def test_the_first_chunk_is_missed_as_soon_as_the_opening_was_fast() -> None:
    window = make_window(most_in_flight=1)
    clean = run(make_window(most_in_flight=1), ServerModel())
    assert run(window, ServerModel(), loses=loses_nth(2)) - clean < 0.4


@pytest.mark.parametrize(("page", "erase"), [(4096, 0.085), (4096, 0.4), (16_384, 2.0)])
def test_a_device_that_erases_page_by_page_gets_no_data_twice(page: int, erase: float) -> None:
    erased = -1

    def work(offset: int) -> float:
        nonlocal erased
        needs, erased = offset // page > erased, max(erased, offset // page)
        return 0.004 + erase * needs

    clean, window, server = make_window(), make_window(), ServerModel()
    without = run(clean, ServerModel())
    seconds = run(window, server, work=work)
    assert bytes(server.stored) == IMAGE
    assert server.vanished == window.counts.lost_requests == 0
    assert window.width == 2
    # Nothing was sent besides but a question for each wait that was too short.
    assert window.counts.requests - clean.counts.requests <= window.counts.timeouts
    pages = len(IMAGE) // page + 1
    assert seconds < pages * erase + 1.2 * without


def test_a_device_that_falls_silent_has_most_of_a_minute() -> None:
    window = make_window()
    seconds = run(window, ServerModel(), loses=lambda _way, order: order > 40)
    assert window.failure is Failure.STALLED
    assert 30 < seconds < 60


def test_frames_that_get_lost_alone_shrink_to_what_every_device_receives() -> None:
    window = make_window(frame_size=380, sure_frame_size=176)
    # Longer frames get lost, every fifth of them, as a console with too few line buffers does it.
    sizes: list[int] = []

    def loses(way: str, _order: int) -> bool:
        if way == "request":
            sizes.append(window.frame_size)
        return way == "request" and window.frame_size > 176 and len(sizes) % 5 == 4

    server = ServerModel()
    run(window, server, loses=loses)
    assert bytes(server.stored) == IMAGE
    assert sorted(set(sizes), reverse=True) == [380, 190, 176]
    assert window.counts.lost_requests <= 4
    window.reopen(380)
    assert window.frame_size == 176


@pytest.mark.parametrize("seed", range(60))
def test_any_losses_end_in_the_whole_image_or_in_a_verdict(seed: int) -> None:
    rng = random.Random(seed)
    rate = rng.choice([0.01, 0.05, 0.2])
    window = make_window(rng.choice([None, 2, 4, 8]), rng.choice([128, 495, 2475]))
    server = ServerModel(buffers=rng.choice([2, 3, 4, 8]))
    run(window, server, loses=lambda _way, _n: rng.random() < rate)
    if window.state is WindowState.FAILED:
        assert window.failure is Failure.STALLED
        assert rate == 0.2
    else:
        assert bytes(server.stored) == IMAGE
