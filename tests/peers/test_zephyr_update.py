# SPDX-License-Identifier: Apache-2.0
"""The whole update against a real MCUboot (swap using offset) and Zephyr 4.4's own SMP server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest

from reversioned import reversioned
from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import Link, LinkLost, LinkTraits, open_link
from west_dfu_ble.smp import Header, decode_header, os_group
from west_dfu_ble.update import (
    ActivateMode,
    Candidate,
    Knowledge,
    Outcome,
    Update,
    UpdateOptions,
    operations,
)
from zephyr_qemu import ZephyrServer

pytestmark = pytest.mark.peer
Start = Callable[..., ZephyrServer]
OPTIONS = UpdateOptions(timeout=15, reboot_timeout=120)


def with_version(path: Path, major: int, *, spoil: bool = False) -> Candidate:
    """Offer a real signed image as another version."""
    data = reversioned(path, major, spoil=spoil)
    return Candidate(path, image.parse(data, path), None)


class Reboots:
    """A link that has the device reboot instead of sending one request, and goes down with it.

    QEMU's own reset would load the first firmware into flash again; and its nRF51 UART never
    recovers from bytes that arrive before the firmware has enabled it, so nothing is sent then.
    """

    def __init__(self, link: Link, instead_of: Callable[[Header, dict[str, Any]], bool]) -> None:
        self._link = link
        self._instead_of = instead_of
        self.reboots = 0
        self.connect, self.disconnect = link.connect, link.disconnect
        self.receive = link.receive

    @property
    def traits(self) -> LinkTraits:
        return self._link.traits

    @property
    def is_connected(self) -> bool:
        return self._link.is_connected

    async def send(self, frame: bytes) -> None:
        header = decode_header(frame)
        if not self.reboots and self._instead_of(header, cbor2.loads(frame[8:])):
            self.reboots += 1
            await self._link.send(os_group.reset().encode(header.sequence, 1))
            await asyncio.sleep(3)
            raise LinkLost("the device rebooted")
        await self._link.send(frame)


def play(
    server: ZephyrServer,
    candidate: Candidate,
    activate: ActivateMode = ActivateMode.CONFIRM,
    reboot_instead_of: Callable[[Header, dict[str, Any]], bool] = lambda _header, _body: False,
) -> Outcome:
    async def main() -> Outcome:
        link = Reboots(open_link(server.link, None), reboot_instead_of)
        options = replace(OPTIONS, activate=activate)
        return await Update(link, [candidate], Knowledge(), options, lambda _event: None).run()

    return asyncio.run(main())


def refused(server: ZephyrServer, candidate: Candidate, **more: Any) -> str:
    with pytest.raises(DfuBleError) as caught:
        play(server, candidate, **more)
    return caught.value.diagnostic.code


def status(server: ZephyrServer) -> str:
    link = open_link(server.link, None)
    state = asyncio.run(operations.read_status(link, Knowledge(), OPTIONS, lambda _event: None))
    return state.sentence()


def reset(server: ZephyrServer) -> str:
    link = open_link(server.link, None)
    state = asyncio.run(operations.reset_device(link, Knowledge(), OPTIONS, lambda _event: None))
    return state.sentence()


@pytest.mark.timeout(300)
def test_an_update_confirmed_and_two_that_are_taken_back(zephyr_qemu: Start) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    second, third = (with_version(server.signed_image, version) for version in (2, 3))

    outcome = play(server, second)
    counts = outcome.windows[0]
    # Two of the frames whose length an echo tried, five lines each; `zephyr_qemu` sees to it that
    # the console's two line buffers do for them.
    assert (counts.widest, counts.lost_requests, counts.lost_answers) == (2, 0, 0)
    assert "runs 2.0.0" in outcome.state.sentence()
    assert reset(server) == outcome.state.sentence()
    assert play(server, second).plan.is_reached

    outcome = play(server, third, ActivateMode.TEST)
    assert "runs 3.0.0" in outcome.state.sentence()
    assert "will go back to 2.0.0" in outcome.state.sentence()
    # On trial nothing can be uploaded, by our own word and not only by the server's.
    assert refused(server, with_version(server.signed_image, 4)) == "DV505"
    assert "runs 2.0.0" in reset(server)

    def confirms(header: Header, body: dict[str, Any]) -> bool:
        return (header.operation, header.group, header.command) == (2, 1, 0) and "hash" not in body

    # The image is in its slot already; the device reboots just when it is to be confirmed.
    assert refused(server, third, reboot_instead_of=confirms) == "DV506"
    assert "runs 2.0.0" in status(server)
    assert "run it again" in status(server)


@pytest.mark.timeout(300)
def test_an_image_that_the_bootloader_refuses(zephyr_qemu: Start) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    assert refused(server, with_version(server.signed_image, 2, spoil=True)) == "DV507"
    assert "runs 0.0.0" in status(server)
    # And nothing is in the way of a good one afterwards.
    assert "runs 2.0.0" in play(server, with_version(server.signed_image, 2)).state.sentence()


@pytest.mark.timeout(300)
def test_a_reboot_in_the_middle_of_the_upload(zephyr_qemu: Start) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")

    def halfway(_header: Header, body: dict[str, Any]) -> bool:
        return bool(20_000 < body.get("off", 0) < 30_000 and body["data"])

    outcome = play(server, with_version(server.signed_image, 2), reboot_instead_of=halfway)
    assert outcome.reconnects == 1
    assert "runs 2.0.0" in outcome.state.sentence()
