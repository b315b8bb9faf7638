# SPDX-License-Identifier: Apache-2.0
"""Several links of one run over one adapter: one scan, turns to connect, no device twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from crowd import address_of, make_crowd, served
from fake_bleak import Air, Peripheral
from link_talk import LinkTalk
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.link import Link, open_links, search
from west_dfu_ble.link.ble import open_links as open_ble_links
from west_dfu_ble.link.hci import HciLink
from west_dfu_ble.link.sharing import Claims, SharedScan, Tell


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SETTLE_NAME", "_SETTLE_SERVICE", "_SETTLE_RETURN"):
        monkeypatch.setattr(search, name, 0.1)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


async def close(links: list[Link]) -> None:
    for link in links:
        await link.disconnect()


def test_links_to_several_devices_share_one_controller() -> None:
    async def test() -> None:
        boards = make_crowd(["One", "Two", "Three"])
        async with served(boards) as spec:
            links = open_links(spec, {"One": None, address_of(2): None, "Three": None})
            try:
                await asyncio.gather(*(link.connect(5) for link in links))
                assert [link.traits.peer for link in links] == ["One", "Two", "Three"]
                talks = [LinkTalk(link) for link in links]
                said = await asyncio.gather(*(t.echo(str(n)) for n, t in enumerate(talks)))
                assert said == ["0", "1", "2"]
                # One that goes does not take the controller from the others, and may come back.
                await links[0].disconnect()
                assert await talks[1].echo("still here") == "still here"
                await links[0].connect(5)
                assert await LinkTalk(links[0]).echo("back") == "back"
            finally:
                await close(links)

    run(test())


def test_the_failure_of_one_leaves_the_others_alone() -> None:
    async def test() -> None:
        async with served(make_crowd(["One", "Two"])) as spec:
            links = open_links(spec, {"One": None, "Nobody": None, "Two": None})
            try:
                ends = await asyncio.gather(
                    *(link.connect(1) for link in links), return_exceptions=True
                )
                assert ends[0] is ends[2] is None
                assert isinstance(ends[1], DfuBleError)
                assert ends[1].diagnostic.message == "no device 'Nobody' was seen in 1 s"
                assert await LinkTalk(links[2]).echo("here") == "here"
            finally:
                await close(links)

    run(test())


@pytest.mark.parametrize("other", ["One", "c0-ff-ee-00-01-01"])
def test_a_device_that_was_named_twice_is_not_connected_twice(other: str) -> None:
    async def test() -> None:
        async with served(make_crowd(["One"])) as spec:
            first, second = links = open_links(spec, {address_of(1): None, other: None})
            try:
                await first.connect(5)
                with pytest.raises(DfuBleError) as caught:
                    await second.connect(0.5)
                assert caught.value.diagnostic.code == "LK410"
                assert caught.value.diagnostic.message == (
                    f"{other!r} is a device that this run updates already"
                )
            finally:
                await close(links)

    run(test())


def test_devices_of_one_name_are_told_apart_by_their_addresses() -> None:
    async def test() -> None:
        boards = make_crowd(["Sensor", "Sensor"])
        async with served(boards) as spec:
            first, second = links = open_links(spec, {address_of(1): None, address_of(2): None})
            try:
                await asyncio.gather(*(link.connect(5) for link in links))
                # While the first boots, the second of the same name must not pass for it.
                await second.disconnect()
                with suppress(Exception):
                    await LinkTalk(first).ask(2, 0, 5, {})
                await first.connect(10)
                assert first.traits.address == address_of(1)
            finally:
                await close(links)

    run(test())


def test_a_controller_that_went_away_is_opened_anew_by_whoever_needs_it_first() -> None:
    async def test() -> None:
        async with served(make_crowd(["One", "Two"])) as spec:
            first, second = links = open_links(spec, {"One": None, "Two": None})
            try:
                await asyncio.gather(*(link.connect(5) for link in links))
                assert isinstance(first, HciLink)
                device = await first._controller.open(first)
                device.host.emit("flush")  # as for a transport that is lost
                assert not first.is_connected
                assert not second.is_connected
                await first.connect(5)  # the second has not let go of the old one
                await second.connect(5)
                assert await LinkTalk(first).echo("anew") == "anew"
                assert await LinkTalk(second).echo("anew") == "anew"
            finally:
                await close(links)

    run(test())


async def unknown(_characteristic: object) -> None:
    return None


def test_over_the_systems_stack_too() -> None:
    async def test() -> None:
        air = Air([Peripheral(name=f"B{n}", address=f"C0:00:00:00:00:0{n}") for n in (1, 2, 3)])
        # The stack of this test knows of one connection's MTU; bleak knows it of each.
        stack = replace(air.stack(), mtu=unknown)
        links = open_ble_links("", {"B1": None, "B2": None, "B3": None}, stack)
        await asyncio.gather(*(link.connect(2) for link in links))
        assert [link.traits.peer for link in links] == ["B1", "B2", "B3"]
        assert len(air.agents) == 3
        assert air.agents_at_once == 1  # BlueZ asks only the agent that came last
        await close(links)

    run(test())


@pytest.mark.parametrize("spec", ["serial:COM3", "udp:192.0.2.1:1337"])
def test_a_link_that_leads_to_one_device_is_a_usage_error(spec: str) -> None:
    with pytest.raises(DfuBleError) as caught:
        open_links(spec, {"One": None, "Two": None})
    assert caught.value.status is ExitStatus.USAGE
    assert caught.value.diagnostic.message == f"the link {spec!r} leads to one device, not to 2"


class Radio:
    """Counts what a scan does; no two may be on at once."""

    def __init__(self) -> None:
        self.tell: Tell | None = None
        self.history = ""

    @asynccontextmanager
    async def scan(self, tell: Tell) -> AsyncIterator[None]:
        assert self.tell is None
        self.tell = tell
        self.history += "+"
        await asyncio.sleep(0)
        try:
            yield
        finally:
            await asyncio.sleep(0)
            self.tell = None
            self.history += "-"


def test_one_scan_serves_all_and_is_off_while_somebody_connects() -> None:
    async def test() -> None:
        radio = Radio()
        scan = SharedScan(radio.scan)
        heard: list[str] = []
        async with scan.listening(lambda what: heard.append(f"first {what}")):
            async with scan.listening(lambda what: heard.append(f"second {what}")):
                assert radio.tell is not None
                radio.tell("x")
            async with scan.quiet():
                assert radio.tell is None
                await asyncio.sleep(0.05)
            assert scan.silence >= 0.05
            assert radio.tell is not None
        assert heard == ["first x", "second x"]
        assert radio.history == "+-+-"

    run(test())


def test_a_listener_that_is_cancelled_leaves_the_scan_to_the_others() -> None:
    async def test() -> None:
        radio = Radio()
        scan = SharedScan(radio.scan)

        async def listen() -> None:
            async with scan.listening(lambda what: None):
                await asyncio.sleep(9)

        tasks = [asyncio.ensure_future(listen()) for _ in range(3)]
        await asyncio.sleep(0.01)
        for left, task in zip((2, 1, 0), tasks, strict=True):
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()  # insisting must not stop the tidying up
            await asyncio.wait({task})
            await asyncio.sleep(0.01)
            assert (radio.tell is not None) is bool(left)
        assert radio.history == "+-"

    run(test())


def test_turns_to_connect_are_taken_one_after_the_other() -> None:
    async def test() -> None:
        scan = SharedScan(Radio().scan)
        connecting = 0

        async def connect() -> None:
            nonlocal connecting
            async with scan.quiet():
                connecting += 1
                assert connecting == 1
                await asyncio.sleep(0.01)
                connecting -= 1

        await asyncio.gather(*(connect() for _ in range(4)))

    run(test())


def test_the_time_in_which_nothing_can_be_heard_does_not_count() -> None:
    async def test() -> None:
        scan = SharedScan(Radio().scan)
        loop = asyncio.get_running_loop()

        async def listen() -> float:
            async with scan.listening(lambda what: None):
                began = loop.time()
                await search.collect(
                    0.1, lambda heard: None, {}, asyncio.Event(), lambda: scan.silence
                )
                return loop.time() - began

        task = asyncio.ensure_future(listen())
        await asyncio.sleep(0.01)
        async with scan.quiet():
            await asyncio.sleep(0.3)
        assert await task >= 0.39

    run(test())


def test_a_claim_holds_until_its_owner_has_another() -> None:
    claims = Claims()
    claims.ask("a", "C0:FF:EE:00:00:01")
    claims.ask("b", "c0ffee000001")
    assert not claims.is_taken("a", "C0:FF:EE:00:00:01")
    assert claims.is_taken("b", "c0ffee000001")
    assert not claims.is_taken("a", "C0:FF:EE:00:00:01")
    claims.take("a", None, "C0:FF:EE:00:00:02")
    assert not claims.is_taken("b", "C0:FF:EE:00:00:01")
    assert claims.is_taken("b", "C0-FF-EE-00-00-02")
