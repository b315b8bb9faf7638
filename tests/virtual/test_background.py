# SPDX-License-Identifier: Apache-2.0
"""A device in a thread of its own, updated by clients that know nothing of it."""

from __future__ import annotations

import asyncio

import pytest

from boards import make_board, make_update
from link_talk import LinkTalk
from mcuboot_images import digest_of
from west_dfu_ble.link import open_link
from west_dfu_ble.virtual import BackgroundDevice, Fault, FaultKind


async def update(spec: str, name: str | None) -> list[str]:
    link = open_link(spec, name)
    new = make_update()
    await link.connect(10)
    try:
        talk = LinkTalk(link)
        await talk.upload(new, chunk=1000)
        await talk.ask(2, 1, 0, {"hash": digest_of(new)})
        await talk.ask(2, 0, 5, {})
    finally:
        await link.disconnect()
    await asyncio.sleep(0.6)
    await link.connect(10)
    try:
        return await LinkTalk(link).versions()
    finally:
        await link.disconnect()


@pytest.mark.parametrize("way", ["hci", "udp"])
def test_a_client_of_another_thread_updates_it(way: str) -> None:
    with BackgroundDevice(make_board().profile) as device:
        assert (device.running, device.boots, device.is_confirmed) == ("1.0.0+0", 1, True)
        if way == "hci":
            spec, name = f"hci:{device.hci_address}", device.name
            assert device.hci_address == spec.partition(":")[2]
        else:
            spec, name = "udp:{}:{}".format(*device.udp_address), None
        versions = asyncio.run(asyncio.wait_for(update(spec, name), 60))
        assert versions == ["2.0.0", "1.0.0"]
        assert (device.running, device.boots, device.is_confirmed) == ("2.0.0+0", 2, False)
        assert "Swap type: test" in "\n".join(device.log)
    # What it holds can still be looked at.
    assert device.running == "2.0.0+0"
    device.close()


def test_it_is_one_device_on_one_way_in() -> None:
    with BackgroundDevice(make_board().profile) as device:
        assert device.udp_address == device.udp_address
        with pytest.raises(RuntimeError, match="in another way"):
            _ = device.hci_address


def test_its_faults_are_those_of_the_device() -> None:
    fault = Fault(FaultKind.REQUEST_LOST, 1)
    with BackgroundDevice(make_board().profile, faults=[fault]) as device:

        async def ask() -> None:
            link = open_link("udp:{}:{}".format(*device.udp_address), None)
            await link.connect(5)
            try:
                talk = LinkTalk(link)
                assert await talk.echo("heard") == "heard"
                await talk.send(2, 0, 0, {"d": "lost"})
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(talk.frame(), 0.3)
                assert await talk.echo("heard again") == "heard again"
            finally:
                await link.disconnect()

        asyncio.run(asyncio.wait_for(ask(), 30))
        assert device.look(lambda board: board.struck) == {fault}
