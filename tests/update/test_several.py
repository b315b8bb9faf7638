# SPDX-License-Identifier: Apache-2.0
"""Several updates at once: each ends by itself, and its end is told as the device shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tiny_device import TinyDevice, TinyLink, make_image, offer
from west_dfu_ble.diagnostics import ExitStatus
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.update import (
    DeviceResult,
    Knowledge,
    SeveralUpdates,
    Update,
    UpdateOptions,
    worst,
)
from west_dfu_ble.virtual.warped_time import run_warped

OLD, NEW = make_image("1.0.0"), make_image("2.0.0")
OPTIONS = UpdateOptions(timeout=10, request_timeout=1, retries=2)


def update_of(link: TinyLink) -> Update:
    knowledge = Knowledge(mode=BootloaderMode.SWAP_USING_MOVE)
    return Update(link, [offer(NEW)], knowledge, OPTIONS, lambda _event: None)


def play(
    links: Mapping[str, TinyLink], jobs: int = 8, *, stop_after: float | None = None
) -> tuple[dict[str, DeviceResult], list[str]]:
    """Update all; gives the results by device, and the order in which they came."""
    order: list[str] = []

    async def run() -> list[DeviceResult]:
        updates = {name: update_of(link) for name, link in links.items()}
        several = SeveralUpdates(updates, jobs, lambda result: order.append(result.device))
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, several.cancel)
        return await several.run()

    results = run_warped(run())
    assert [result.device for result in results] == list(links)
    return {result.device: result for result in results}, order


def fresh(faults: str = "", first: int = 1) -> TinyLink:
    """A link to a device that runs the old image; `faults` hits every request from `first` on."""
    return TinyLink(
        TinyDevice(OLD, NEW), faults=lambda count, _header: faults if count >= first else ""
    )


def test_the_failure_of_one_does_not_stop_the_others() -> None:
    links = {"one": fresh(), "two": fresh("drop", first=12), "three": fresh()}
    results, order = play(links)

    assert [results[name].status for name in links] == [0, 7, 0]
    assert sorted(order) == sorted(links)
    assert links["one"].device.slots[0] is links["three"].device.slots[0] is NEW
    assert links["two"].device.slots[0] is OLD
    error = results["two"].error
    assert error is not None
    assert error.code == "LK407"
    assert results["two"].sentence.startswith("when last seen, the device runs 1.0.0")
    assert "runs 2.0.0" in results["three"].sentence
    assert worst(results.values()) is ExitStatus.DEVICE


def test_a_device_that_never_answers_is_one_that_was_never_reached() -> None:
    results, _ = play({"one": fresh("drop"), "two": fresh()})
    assert results["one"].status is ExitStatus.NO_LINK
    assert results["one"].sentence == ("the state of the device is not known: it was never reached")
    assert results["two"].status is ExitStatus.DONE


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (2, 2), (9, 5)])
def test_no_more_than_jobs_are_updated_at_once(jobs: int, most: int) -> None:
    connected = peak = 0

    class Counted(TinyLink):
        async def connect(self, timeout: float) -> None:
            nonlocal connected, peak
            connected += not self.is_connected
            peak = max(peak, connected)
            await super().connect(timeout)

        async def disconnect(self) -> None:
            nonlocal connected
            connected -= self.is_connected
            await super().disconnect()

    class Steady(Update):
        async def _reboot(self) -> None:  # a link that drops is not counted
            return

    async def run() -> list[DeviceResult]:
        links = {str(n): Counted(TinyDevice(OLD, NEW)) for n in range(5)}
        updates = {
            name: Steady(link, [offer(NEW)], Knowledge(), OPTIONS, lambda _event: None)
            for name, link in links.items()
        }
        return await SeveralUpdates(updates, jobs, lambda _result: None).run()

    run_warped(run())
    assert peak == most


def test_a_cancelled_run_tells_the_state_of_each() -> None:
    links = {"one": fresh(), "two": fresh("lose", first=12), "three": fresh()}
    results, _ = play(links, jobs=2, stop_after=0.5)
    assert {result.status for result in results.values()} >= {ExitStatus.INTERRUPTED}
    assert results["two"].status is ExitStatus.INTERRUPTED
    assert results["two"].state is not None
    assert worst(results.values()) is ExitStatus.INTERRUPTED
    assert not any(link.is_connected for link in links.values())


def test_one_whose_turn_never_came_was_not_touched() -> None:
    links = {"one": fresh("lose", first=12), "two": fresh()}
    results, _ = play(links, jobs=1, stop_after=0.5)
    assert results["one"].has_begun
    assert not results["two"].has_begun
    assert links["two"].requests == []


def test_a_bug_in_one_update_is_kept_for_the_end() -> None:
    class Broken(TinyLink):
        async def connect(self, timeout: float) -> None:
            raise ZeroDivisionError

    results, _ = play({"one": Broken(TinyDevice(OLD, NEW)), "two": fresh()})
    assert isinstance(results["one"].bug, ZeroDivisionError)
    assert results["one"].status is ExitStatus.UNDECIDED
    assert results["two"].status is ExitStatus.DONE


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [([], 0), ([0, 0], 0), ([0, 6], 6), ([6, 7, 0], 7), ([5, 6], 6), ([7, 130, 6], 130)],
)
def test_the_worst_status_is_that_of_the_run(statuses: list[int], expected: int) -> None:
    assert worst(DeviceResult("x", ExitStatus(status)) for status in statuses) == expected
