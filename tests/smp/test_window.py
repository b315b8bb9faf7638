# SPDX-License-Identifier: Apache-2.0
"""The upload window against a model of the server: its buffers, its offsets and its errors."""

from __future__ import annotations

import random

import pytest

from west_dfu_ble import smp
from west_dfu_ble.smp import Failure, Patience, SmpError, UploadAnswer, UploadWindow, WindowState
from window_play import CHUNK, IMAGE, ServerModel, make_window, run


@pytest.mark.parametrize(
    ("buffers", "start", "limit"),
    [(None, 1, 2), (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 2, 2), (5, 2, 3), (8, 2, 6), (99, 2, 6)],
)
def test_the_width_leaves_two_buffers_free(buffers: int | None, start: int, limit: int) -> None:
    assert (smp.first_width(buffers), smp.width_limit(buffers)) == (start, limit)


@pytest.mark.parametrize("buffers", [4, 5, 6, 8])
def test_no_request_is_lost_on_a_clean_link(buffers: int) -> None:
    server, window = ServerModel(buffers=buffers), make_window(buffer_count=buffers)
    run(window, server)
    assert window.state is WindowState.DONE
    assert bytes(server.stored) == IMAGE
    assert server.vanished == window.counts.rewinds == window.counts.timeouts == 0
    assert window.counts.widest == smp.width_limit(buffers)


def test_a_medium_that_carries_one_at_a_time_is_never_tried_with_two() -> None:
    window = make_window(buffer_count=8, most_in_flight=1)
    run(window, ServerModel(buffers=8))
    assert (window.state, window.counts.widest) == (WindowState.DONE, 1)


def test_two_in_flight_are_nearly_twice_as_fast_as_one() -> None:
    one, two = make_window(most_in_flight=1), make_window()
    assert run(one, ServerModel()) / run(two, ServerModel()) > 1.8


def test_the_first_request_goes_alone_and_has_time_for_an_erase() -> None:
    window = make_window()
    window.patience = Patience()
    first = window.next_request(0, 100.0)
    assert first is not None
    assert set(first.payload) == {"image", "len", "off", "sha", "data"}
    assert window.next_request(1, 100.0) is None
    assert window.wake_at == 140.0
    window.tick(139.9)
    assert window.state is WindowState.OPENING
    window.answer(0, UploadAnswer(len(bytes(first.payload["data"]))), 139.9)  # type: ignore[call-overload]  # the value is bytes
    assert [window.next_request(n, 139.9) is not None for n in (1, 2, 3)] == [True, True, False]


def test_unknown_buffers_begin_with_one_and_widen_on_evidence() -> None:
    window = make_window(buffer_count=None)
    assert window.width == 1
    run(window, ServerModel(buffers=4))
    assert (window.width, window.counts.lost_requests) == (2, 0)


def test_a_server_with_few_buffers_makes_it_narrow_again_and_stay_there() -> None:
    window, server = make_window(buffer_count=None), ServerModel(buffers=2)
    run(window, server)
    assert window.state is WindowState.DONE
    assert window.width == 1
    assert window.counts.timeouts <= 3


def flowing() -> tuple[UploadWindow, int]:
    """Open a window and put two chunks in flight, as numbers 1 and 2."""
    window = make_window()
    window.next_request(0, 0.0)
    window.answer(0, UploadAnswer(408), 0.1)
    assert window.resumed_at == 408
    window.next_request(1, 0.1)
    window.next_request(2, 0.1)
    return window, 408


def test_resume_goes_on_from_where_the_device_is() -> None:
    window = make_window()
    window.next_request(0, 0.0)
    window.answer(0, UploadAnswer(22_016), 0.1)
    assert window.resumed_at == 22_016
    request = window.next_request(1, 0.1)
    assert request is not None
    assert request.payload["off"] == 22_016


def test_a_lower_offset_rewinds_to_it_and_narrows() -> None:
    window, begin = flowing()
    window.answer(2, UploadAnswer(begin), 0.2)
    assert window.counts.lost_requests == 1
    assert window.width == 1
    request = window.next_request(3, 0.2)
    assert request is not None
    assert request.payload["off"] == begin


def test_an_overdue_answer_is_asked_for_without_data_and_a_late_one_counts() -> None:
    window, begin = flowing()
    window.tick(100.0)
    assert window.state is WindowState.ASKING
    query = window.next_request(3, 100.0)
    assert query is not None
    assert query.payload == {"off": len(IMAGE), "data": b""}
    window.answer(1, UploadAnswer(begin + CHUNK), 100.1)
    assert (window.counts.late, window.offset) == (1, begin + CHUNK)
    window.answer(1, UploadAnswer(begin + CHUNK), 100.1)
    assert window.counts.duplicates == 1
    window.answer(2, UploadAnswer(begin + 2 * CHUNK), 100.2)
    window.answer(3, UploadAnswer(begin + 2 * CHUNK), 100.2)
    # It was slow, and nothing was lost: no reason to be narrower.
    assert (window.state, window.width) == (WindowState.FLOWING, 2)
    assert window.counts.lost_requests == 0


@pytest.mark.parametrize("offset", [100, 50_000])
def test_an_offset_that_can_not_be_ours_is_a_foreign_upload(offset: int) -> None:
    window, _ = flowing()
    window.answer(1, UploadAnswer(offset), 0.2)
    assert (window.state, window.failure) == (WindowState.FAILED, Failure.FOREIGN)


def test_an_offset_beyond_the_image_is_no_crash() -> None:
    window, _ = flowing()
    window.answer(1, UploadAnswer(1 << 31), 0.2)
    assert window.failure is Failure.BEYOND
    window = make_window()
    window.next_request(0, 0.0)
    window.answer(0, UploadAnswer(len(IMAGE) + 1), 0.1)
    assert window.failure is Failure.BEYOND


def test_offset_zero_means_that_the_device_lost_track() -> None:
    window, _ = flowing()
    window.answer(1, UploadAnswer(0), 0.2)
    assert window.state is WindowState.LOST_TRACK
    window.reopen(frame_size=252)
    request = window.next_request(4, 0.3)
    assert request is not None
    assert request.payload["off"] == 0
    assert len(request.encode(4, 1)) in (251, 252)


def test_short_of_memory_pauses_and_narrows_and_other_errors_end() -> None:
    window, begin = flowing()
    window.refuse(1, SmpError(2), 0.2)
    assert window.next_request(3, 0.2) is None
    window.answer(2, UploadAnswer(begin), 0.25)
    assert window.wake_at is not None
    request = window.next_request(3, window.wake_at)
    assert request is not None
    assert (request.payload["off"], window.width) == (begin, 1)
    window.refuse(3, SmpError(9, 1), 1.0)
    assert window.failure is Failure.REFUSED
    assert window.error == SmpError(9, 1)


def test_a_device_that_takes_nothing_stalls() -> None:
    window, begin = flowing()
    now = 0.2
    sequence = 3
    window.answer(1, UploadAnswer(begin), now)
    window.answer(2, UploadAnswer(begin), now)
    while not window.is_over:
        now = max(now, window.wake_at or now)
        if window.next_request(sequence, now):
            window.answer(sequence, UploadAnswer(begin), now)
        sequence += 1
        assert sequence < 50
    assert window.failure is Failure.STALLED


def test_a_silent_device_stalls_in_bounded_time() -> None:
    window, _ = flowing()
    now = 0.0
    while not window.is_over:
        window.next_request(9, now)
        assert window.wake_at is not None
        now = window.wake_at
        window.tick(now)
    assert window.failure is Failure.STALLED
    assert now < 75


def test_chunks_are_aligned_but_for_the_last() -> None:
    window, server = make_window(alignment=16), ServerModel()
    sizes: list[int] = []
    original = server.take

    def take(request: smp.Request) -> UploadAnswer:
        data = request.payload["data"]
        assert isinstance(data, bytes)
        sizes.append(len(data))
        return original(request)

    server.take = take  # type: ignore[method-assign]  # it only listens in
    run(window, server)
    assert bytes(server.stored) == IMAGE
    assert all(size % 16 == 0 for size in sizes[:-1])


def test_fuzzed_answers_never_crash_and_always_end() -> None:
    for seed in range(400):
        rng = random.Random(seed)
        window = make_window(rng.choice([None, 4, 8]))
        now = 0.0
        for step in range(3000):
            if window.is_over:
                break
            window.next_request(step & 0xFF, now)
            if rng.random() < 0.7:
                offset = rng.choice([0, 408, window.offset, window.offset + 470, 1 << 31])
                if rng.random() < 0.9:
                    offset = window.offset + rng.choice([0, 470, 940])
                number = (step - rng.randrange(4)) & 0xFF
                window.answer(number, UploadAnswer(offset, rng.choice([None, True])), now)
            elif rng.random() < 0.1:
                window.refuse(step & 0xFF, SmpError(rng.randrange(40), rng.choice([None, 1])), now)
            now += rng.random()
            window.tick(now)
        assert window.is_over or window.offset > 0
