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
from west_dfu_ble.link.console_framing import SURE_FRAME
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


Which = Callable[[Header, dict[str, Any]], bool]


class Instead:
    """A link that does something else instead of sending one request, the first that `which` is."""

    def __init__(self, link: Link, which: Which, frame_limit: int | None = None) -> None:
        self._link = link
        self._which = which
        self._frame_limit = frame_limit
        self._done = False
        self.offsets: list[int] = []  # of what was sent with data
        self.connect, self.disconnect = link.connect, link.disconnect
        self.receive = link.receive

    @property
    def traits(self) -> LinkTraits:
        traits = self._link.traits
        return replace(traits, frame_limit=self._frame_limit or traits.frame_limit)

    @property
    def is_connected(self) -> bool:
        return self._link.is_connected

    async def send(self, frame: bytes) -> None:
        header, body = decode_header(frame), cbor2.loads(frame[8:])
        if not self._done and self._which(header, body):
            self._done = True
            await self.instead(header)
            return
        if body.get("data"):
            self.offsets.append(body["off"])
        await self._link.send(frame)

    async def instead(self, header: Header) -> None:
        """Lose it."""


class Reboots(Instead):
    """Has the device reboot, and goes down with it.

    QEMU's own reset would load the first firmware into flash again; and its nRF51 UART never
    recovers from bytes that arrive before the firmware has enabled it, so nothing is sent then.
    """

    async def instead(self, header: Header) -> None:
        await self._link.send(os_group.reset().encode(header.sequence, 1))
        await asyncio.sleep(3)
        raise LinkLost("the device rebooted")


def never(_header: Header, _body: dict[str, Any]) -> bool:
    return False


def halfway(_header: Header, body: dict[str, Any]) -> bool:
    return bool(20_000 < body.get("off", 0) < 30_000 and body["data"])


def play(
    server: ZephyrServer,
    candidate: Candidate,
    activate: ActivateMode = ActivateMode.CONFIRM,
    reboot_instead_of: Which = never,
) -> Outcome:
    return play_over(Reboots(open_link(server.link, None), reboot_instead_of), candidate, activate)


def play_over(link: Link, candidate: Candidate, activate: ActivateMode) -> Outcome:
    async def main() -> Outcome:
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
    # Two of the frames whose length an echo tried, five lines each. The console has two line
    # buffers, which is enough for all but one in 2000 of them (see `zephyr_qemu`): what that one
    # costs is the business of the test below.
    assert (counts.widest, counts.lost_answers) == (2, 0)
    assert counts.lost_requests <= 1
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
    outcome = play(server, with_version(server.signed_image, 2), reboot_instead_of=halfway)
    assert outcome.reconnects == 1
    assert "runs 2.0.0" in outcome.state.sentence()


@pytest.mark.parametrize(
    ("frame_limit", "widest", "timeouts"), [(None, 2, 0), (SURE_FRAME, 1, 1)], ids=["two", "one"]
)
def test_one_lost_request_is_sent_again_and_what_was_behind_it(
    frame_limit: int | None, widest: int, timeouts: int, zephyr_qemu: Start
) -> None:
    # Not the Cortex-M0: it may lose another one by itself.
    server = zephyr_qemu("mps2_an385", "serial_recovery_buf400")
    link = Instead(open_link(server.link, None), halfway, frame_limit)
    candidate = with_version(server.signed_image, 2)
    counts = play_over(link, candidate, ActivateMode.UPLOAD_ONLY).windows[0]
    assert (counts.widest, counts.lost_requests, counts.lost_answers) == (widest, 1, 0)
    # The answer to the one behind it tells at once; where there is none, a question does. (A busy
    # machine asks once more.)
    assert counts.timeouts >= timeouts
    # The one behind it came too early for the device; no other was sent twice.
    assert len(link.offsets) - len(set(link.offsets)) == widest - 1
