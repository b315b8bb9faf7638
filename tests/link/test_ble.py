# SPDX-License-Identifier: Apache-2.0
"""The link `ble` over a bleak backend without a radio; bleak's own code is the real one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bleak.exc import (
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)

from ble_cases import SECONDS, echo, failure, make_fast, run
from fake_bleak import Air, Peripheral
from smp_echo import echo_request
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import LinkLost, LinkTraits
from west_dfu_ble.link.ble import BleLink
from west_dfu_ble.link.gatt import SMP_CHARACTERISTIC, SMP_SERVICE


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    make_fast(monkeypatch)


def test_frames_go_out_in_writes_of_the_negotiated_size_and_answers_come_back() -> None:
    async def test() -> None:
        device = Peripheral(sizes=[20, 20, 244])  # as Windows says while it still negotiates
        air = Air([device])
        link = BleLink("Tiny", air.stack())
        await link.connect(SECONDS)
        assert link.is_connected
        assert link.traits == LinkTraits(
            *("ble", "Tiny", 244),
            splits_frames=True,
            address="C0:FF:EE:00:00:01",
            drops_on_reset=True,
        )
        await echo(link, "x" * 600)
        await echo(link, "y")
        assert [len(w) for w in device.writes] == [244, 244, 126, 13]
        assert air.agents == [device.address]
        await link.disconnect()
        await link.disconnect()
        assert device.log == ["connect", "subscribe", "disconnect"]

    run(test)


@pytest.mark.parametrize("remembered", [20, 495])
def test_what_bluez_says_counts_and_not_what_bleak_remembers(remembered: int) -> None:
    async def test() -> None:
        # A device that BlueZ has known before: bleak has no MTU of it, or the former firmware's.
        device = Peripheral(sizes=[remembered], mtus=[23, 247])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        assert link.traits.max_write == 244
        await echo(link, "x" * 600)
        assert [len(w) for w in device.writes] == [244, 244, 126]
        await link.disconnect()

    run(test)


def test_an_mtu_of_23_stays_one() -> None:
    async def test() -> None:
        device = Peripheral(sizes=[20])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        assert link.traits.max_write == 20
        await echo(link, "z" * 100)
        await link.disconnect()

    run(test)


def test_a_connection_that_fails_at_first_is_tried_again() -> None:
    async def test() -> None:
        aborted = BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"])
        gone = BleakDeviceNotFoundError("C0:FF:EE:00:00:01", "removed from BlueZ")
        device = Peripheral(connect_errors=[aborted, gone, asyncio.TimeoutError()])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(5)
        await echo(link, "at last")
        await link.disconnect()

    run(test)


@pytest.mark.parametrize(
    ("error", "message", "note"),
    [
        (TimeoutError(), "Tiny did not accept the connection within 15 s", None),
        (
            BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]),
            "the connection to Tiny failed",
            "the system says: [org.bluez.Error.Failed] le-connection-abort-by-local",
        ),
        (
            BleakError("failed to discover services, device disconnected"),
            "the connection to Tiny failed",
            "the system says: failed to discover services, device disconnected",
        ),
        (
            OSError(22, "The semaphore timeout period has expired"),
            "the connection to Tiny failed",
            "the system says: [Errno 22] The semaphore timeout period has expired",
        ),
    ],
)
def test_a_connection_that_keeps_failing_is_lk403(
    error: Exception, message: str, note: str | None
) -> None:
    device = Peripheral(connect_errors=[error] * 50)
    diagnostic = failure(Air([device]), seconds=5).diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK403", message)
    assert [n.text for n in diagnostic.notes] == ([note] if note else [])
    assert device.log.count("connect") == 4


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ({"0000180f-0000-1000-8000-00805f9b34fb": {}}, "Tiny has no SMP service"),
        ({}, "Tiny has no SMP service"),
        ({SMP_SERVICE: {}}, "Tiny has an SMP service without the SMP characteristic"),
        (
            {SMP_SERVICE: {SMP_CHARACTERISTIC: ["read", "write"]}},
            "the SMP characteristic of Tiny lacks notify and write-without-response",
        ),
    ],
)
def test_a_device_without_smp_is_lk404_at_once(services: dict[str, Any], message: str) -> None:
    device = Peripheral(services=services)
    diagnostic = failure(Air([device])).diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK404", message)
    assert device.log == ["connect", "disconnect"]


def test_what_arrived_before_the_loss_is_handed_out_first() -> None:
    async def test() -> None:
        device = Peripheral()
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        device.notify(b"last words")
        device.drop()
        assert not link.is_connected
        assert await link.receive() == b"last words"
        with pytest.raises(LinkLost, match="the device disconnected"):
            await link.receive()
        with pytest.raises(LinkLost, match="the device disconnected"):
            await link.send(echo_request("x"))
        await link.disconnect()

    run(test)


def test_whoever_waits_learns_of_the_loss() -> None:
    async def test() -> None:
        device = Peripheral()
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        waiting = asyncio.ensure_future(link.receive())
        await asyncio.sleep(0)
        device.drop()
        with pytest.raises(LinkLost, match="the device disconnected"):
            await waiting

    run(test)


def test_a_failing_write_is_a_lost_link() -> None:
    async def test() -> None:
        device = Peripheral(
            write_errors=[BleakDBusError("org.bluez.Error.Failed", ["Not connected"])]
        )
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        with pytest.raises(LinkLost, match="Not connected"):
            await link.send(echo_request("x"))
        await link.disconnect()

    run(test)


def test_a_request_given_up_half_way_leaves_no_half_frame_behind() -> None:
    async def test() -> None:
        device = Peripheral(write_delay=0.01, sizes=[50])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(link.send(echo_request("a" * 300)), 0.02)
        device.write_delay = 0
        await link.send(echo_request("b"))
        assert device.server.frames == [echo_request("a" * 300), echo_request("b")]
        await link.disconnect()

    run(test)


def test_frames_sent_at_once_do_not_mix() -> None:
    async def test() -> None:
        device = Peripheral(write_delay=0.001, sizes=[50])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        frames = [echo_request(letter * 200, number) for number, letter in enumerate("abcd")]
        await asyncio.gather(*map(link.send, frames))
        assert device.server.frames == frames
        await link.disconnect()

    run(test)


@pytest.mark.parametrize(
    "back_as",
    [
        {"name": "Tiny v2"},
        {"address": "C0:FF:EE:00:00:99"},
        {"address": "C0:FF:EE:00:00:99", "advertised_services": ()},
    ],
)
@pytest.mark.parametrize("asked", ["Tiny", "C0:FF:EE:00:00:01", None])
def test_a_device_is_found_again_under_another_name_or_address(
    asked: str | None, back_as: dict[str, Any]
) -> None:
    async def test() -> None:
        device = Peripheral()
        air = Air([device])
        link = BleLink(asked, air.stack())
        await link.connect(SECONDS)
        device.drop()
        air.peripherals = [Peripheral(**back_as)]
        await link.connect(5)
        await echo(link, "back")
        await link.disconnect()

    run(test)


def test_another_device_of_the_same_name_is_not_taken_for_the_one_that_reboots() -> None:
    async def test() -> None:
        device = Peripheral()
        sibling = Peripheral(address="C0:FF:EE:00:00:02")
        air = Air([sibling, device])
        link = BleLink(device.address, air.stack())
        await link.connect(SECONDS)
        await link.disconnect()
        device.silent = True
        with pytest.raises(DfuBleError, match="LK402"):
            await link.connect(SECONDS)
        device.silent = False
        await link.connect(SECONDS)
        assert sibling.log == []
        await link.disconnect()

    run(test)


def test_using_a_link_that_is_not_connected_is_a_lost_link() -> None:
    async def test() -> None:
        link = BleLink("Tiny", Air([]).stack())
        with pytest.raises(LinkLost, match="not connected"):
            await link.send(b"")
        with pytest.raises(LinkLost, match="not connected"):
            await link.receive()
        await link.disconnect()

    run(test)
