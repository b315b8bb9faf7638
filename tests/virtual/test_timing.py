# SPDX-License-Identifier: Apache-2.0
"""The timed air: the model by hand, a saturated stream against it, an update at its speed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from boards import make_board, make_update
from link_talk import LinkTalk
from west_dfu_ble.link.hci import HciLink
from west_dfu_ble.virtual import Clock, LinkTiming, LoopClock, VirtualDevice, capacity
from west_dfu_ble.virtual.timed_air import TimedAir
from west_dfu_ble.virtual.timing import air_time, exchange_time, packets_in_event
from west_dfu_ble.virtual.warped_time import run_warped

WRITE = 495


def test_the_air_times_are_those_of_the_specification() -> None:
    assert air_time(0, phy_2m=False) == pytest.approx(80e-6)
    assert air_time(27, phy_2m=False) == pytest.approx(296e-6)
    assert air_time(251, phy_2m=False) == pytest.approx(2088e-6)
    assert air_time(0, phy_2m=True) == pytest.approx(44e-6)
    assert air_time(251, phy_2m=True) == pytest.approx(1048e-6)
    assert exchange_time(251, 0, phy_2m=True) == pytest.approx(1392e-6)


@pytest.mark.parametrize(
    ("timing", "packets", "kilobytes"),
    [
        # 10 packets are 5 writes of 495 bytes: 2475 bytes in each event.
        (LinkTiming(0.015), 10, 165.0),
        (LinkTiming(0.015, packets_per_event=4), 4, 66.0),
        (LinkTiming(0.030, packets_per_event=6), 6, 49.5),
        (LinkTiming(0.0075), 5, 165.0),
        (LinkTiming(0.050), 35, 173.25),
        (LinkTiming(0.050, phy_2m=False), 20, 99.0),
    ],
)
def test_the_capacity_can_be_computed_by_hand(
    timing: LinkTiming, packets: int, kilobytes: float
) -> None:
    assert packets_in_event(timing, 251, phy_2m=timing.phy_2m) == packets
    assert capacity(timing, WRITE) / 1000 == pytest.approx(kilobytes)


class Counting(VirtualDevice):
    """A device that only counts the bytes that arrived by the end of each connection event."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arrived = 0
        self.by_event: dict[int, int] = {}
        self.air: TimedAir | None = None

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        assert self.air is not None
        self.arrived += len(fragment)
        self.by_event[self.air.events] = self.arrived
        return True


@pytest.mark.parametrize(
    "timing",
    [
        LinkTiming(0.015),
        LinkTiming(0.015, packets_per_event=4),
        LinkTiming(0.0075),
        LinkTiming(0.050),
        LinkTiming(0.030, phy_2m=False),
        LinkTiming(0.030, data_length=123),
    ],
    ids=str,
)
def test_a_saturated_stream_has_the_computed_capacity(timing: LinkTiming) -> None:
    async def stream() -> None:
        board = Counting(make_board().profile)
        radio = board.on_air(Clock(speed=20), timing)
        link = HciLink("hci", "timed", radio.open, board.address)
        try:
            await link.connect(5)
            assert isinstance(radio.air, TimedAir)
            board.air = radio.air
            for _ in range(100):
                await link.send(bytes(WRITE * 5))
            while board.arrived < WRITE * 450:
                await asyncio.sleep(0.001)
            # Neither the first events, in which it began, nor the last one, which may go on.
            events = sorted(board.by_event)[2:-1]
            count = board.by_event[events[-1]] - board.by_event[events[0]]
            rate = count / ((events[-1] - events[0]) * timing.interval)
            assert rate == pytest.approx(capacity(timing, WRITE), rel=0.03)
        finally:
            await link.disconnect()
            await radio.close()

    asyncio.run(asyncio.wait_for(stream(), 60))


def test_an_update_takes_the_time_of_the_radio() -> None:
    async def upload() -> None:
        board, image = make_board(), make_update(size=60_000)
        timing = LinkTiming(0.015)
        radio = board.on_air(LoopClock(), timing)
        link = HciLink("hci", "timed", radio.open, board.address)
        now = asyncio.get_running_loop().time
        try:
            await link.connect(5)
            talk = LinkTalk(link)
            begin = now()
            await talk.upload(image, chunk=2400)
            seconds = now() - begin
            # Not faster than the air allows, and two in flight keep most of it busy.
            assert len(image) / seconds < capacity(timing, WRITE)
            assert len(image) / seconds > capacity(timing, WRITE) * 0.5
        finally:
            await link.disconnect()
            await radio.close()

    run_warped(upload())


def test_a_device_that_wants_a_shorter_interval_gets_it_with_the_first_request() -> None:
    async def test() -> None:
        profile = make_board().profile
        wanting = replace(profile.radio, wanted_interval=(0.0075, 0.01125))
        board = VirtualDevice(replace(profile, radio=wanting))
        radio = board.on_air(LoopClock(), LinkTiming(0.050))
        link = HciLink("hci", "timed", radio.open, board.address)
        now = asyncio.get_running_loop().time

        async def trip() -> float:
            begin = now()
            await LinkTalk(link).echo("there and back")
            return now() - begin

        try:
            for _ in range(2):  # each connection begins anew
                await link.connect(5)
                assert await trip() > 0.045
                await trip()
                assert await trip() < 0.025
                await link.disconnect()
        finally:
            await link.disconnect()
            await radio.close()

    run_warped(test())


def test_a_device_that_vanished_is_missed_after_the_supervision_timeout() -> None:
    async def test() -> None:
        board = make_board()
        radio = board.on_air(timing=LinkTiming(supervision_timeout=0.5))
        link = HciLink("hci", "timed", radio.open, board.address)
        try:
            await link.connect(5)
            assert await LinkTalk(link).ask(2, 0, 5, {}) == {}
            begin = time.monotonic()
            with pytest.raises(Exception, match="is not heard any more"):
                await link.receive()
            assert 0.6 < time.monotonic() - begin < 2
            await link.connect(5)
            assert await LinkTalk(link).echo("back") == "back"
        finally:
            await link.disconnect()
            await radio.close()

    asyncio.run(asyncio.wait_for(test(), 20))


def test_leaving_a_device_that_has_vanished_does_not_wait_for_it() -> None:
    async def test() -> None:
        radio = make_board().on_air(timing=LinkTiming(supervision_timeout=30))
        link = HciLink("hci", "timed", radio.open, "C0:FF:EE:00:00:01")
        try:
            await link.connect(5)
            assert await LinkTalk(link).ask(2, 0, 5, {}) == {}
            await asyncio.sleep(0.5)  # it resets, and the link does not know yet
            begin = time.monotonic()
            await link.disconnect()
            assert time.monotonic() - begin < 1
        finally:
            await link.disconnect()
            await radio.close()

    asyncio.run(asyncio.wait_for(test(), 20))
