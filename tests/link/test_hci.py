# SPDX-License-Identifier: Apache-2.0
"""The link through a controller of our own: real Bumble stacks on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from boards import make_board, make_update, on_air
from link_talk import LinkTalk
from mcuboot_images import digest_of
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import AskPasskey, LinkLost, LinkTraits, open_link, scan, search
from west_dfu_ble.link import hci as hci_link
from west_dfu_ble.link.hci import HciLink
from west_dfu_ble.link.virtual import VirtualLink
from west_dfu_ble.virtual import Access, VirtualDevice
from west_dfu_ble.virtual.hci_server import HciServer


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SETTLE_NAME", "_SETTLE_SERVICE", "_SETTLE_RETURN"):
        monkeypatch.setattr(search, name, 0.1)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


@asynccontextmanager
async def connected(board: VirtualDevice, device: str | None = None) -> AsyncIterator[HciLink]:
    link = VirtualLink(board, device)
    try:
        await link.connect(2)
        yield link
    finally:
        await link.disconnect()


def failure(board: VirtualDevice, device: str | None = None) -> DfuBleError:
    async def connect() -> None:
        async with connected(board, device):
            pass

    with pytest.raises(DfuBleError) as caught:
        run(connect())
    return caught.value


def test_an_update_over_two_real_stacks() -> None:
    async def update() -> None:
        board, image = make_board(), make_update(size=60_000)
        async with connected(board) as link:
            assert link.is_connected
            assert link.traits == LinkTraits(
                *("virtual", "Virtual SMP", 495),
                splits_frames=True,
                address="C0:FF:EE:00:00:01",
                drops_on_reset=True,
                in_process=True,
            )
            talk = LinkTalk(link)
            assert await talk.versions() == ["1.0.0"]
            await talk.upload(image)
            await talk.ask(2, 1, 0, {"hash": digest_of(image)})
            assert await talk.ask(2, 0, 5, {}) == {}
            with pytest.raises(LinkLost, match="the device is not heard any more"):
                await link.receive()
            assert not link.is_connected
            with pytest.raises(LinkLost):
                await link.send(b"\x02\x00\x00\x00\x00\x00\x00\x00")
            await link.connect(5)
            assert await LinkTalk(link).versions() == ["2.0.0", "1.0.0"]

    run(update())


@pytest.mark.parametrize("device", [None, "C0:FF:EE:00:00:01", "c0ffee000001"])
def test_a_device_is_found_by_service_or_address(device: str | None) -> None:
    async def find() -> None:
        board = on_air(advertise_service=True)
        radio = board.on_air()
        link = HciLink("hci", "test", radio.open, device)
        try:
            await link.connect(2)
            assert await LinkTalk(link).echo("here") == "here"
        finally:
            await link.disconnect()
            await radio.close()

    run(find())


def test_a_device_is_found_by_its_name_alone() -> None:
    async def find() -> None:
        async with connected(on_air(name="Tiny"), "Tiny") as link:
            assert link.traits.peer == "Tiny"

    run(find())


def test_a_device_that_is_not_there_is_told_with_those_that_are() -> None:
    diagnostic = failure(on_air(name="Tiny"), "Huge").diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK402", "no device 'Huge' was seen in 2 s")
    assert diagnostic.notes[0].text == "seen: Tiny at C0:FF:EE:00:00:01, -50 dBm"


def test_a_device_without_the_smp_service_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from bumble.gatt import Service

    from west_dfu_ble.virtual.peripheral import VirtualPeripheral

    monkeypatch.setattr(VirtualPeripheral, "_service", lambda self: Service("180F", []))
    diagnostic = failure(make_board()).diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK404", "Virtual SMP has no SMP service")


@pytest.mark.parametrize("access", [Access.ENCRYPTED, Access.AUTHENTICATED])
def test_a_protected_characteristic_is_paired_for_once(access: Access) -> None:
    async def pair() -> None:
        board = on_air(access=access)
        link = VirtualLink(board)

        async def keys() -> list[bytes]:
            assert board.bonds is not None
            return [key.ltk.value for _, key in await board.bonds.get_all() if key.ltk]

        try:
            await link.connect(5)
            assert await LinkTalk(link).echo("secret") == "secret"
            first, board.shown_passkey = await keys(), None
            assert len(first) == 1
            await link.disconnect()
            await link.connect(5)  # with the keys of the first time
            assert await LinkTalk(link).ask(2, 0, 5, {}) == {}
            with pytest.raises(LinkLost):
                await link.receive()
            await link.connect(5)  # also after a reset
            assert await LinkTalk(link).echo("again") == "again"
            assert (await keys(), board.shown_passkey) == (first, None)
            # The device forgets: so does the link, and pairs anew.
            await link.disconnect()
            assert board.bonds is not None
            await board.bonds.delete_all()
            await link.connect(5)
            assert await LinkTalk(link).echo("anew") == "anew"
            assert await keys() != first
        finally:
            await link.disconnect()

    run(pair())


def test_a_device_that_shows_a_passkey_gets_it() -> None:
    async def pair() -> None:
        board = on_air(access=Access.AUTHENTICATED, passkey=4711)
        async with connected(board) as link:
            assert await LinkTalk(link).echo("secret") == "secret"
            assert board.shown_passkey == 4711

    run(pair())


async def _nobody() -> None:
    return None


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (None, "Virtual SMP refuses the paired connection: it was made without a passkey"),
        (
            _nobody,
            "Virtual SMP takes commands only over a paired connection, and pairing failed",
        ),
    ],
)
def test_a_passkey_that_nobody_knows_is_told(ask: AskPasskey | None, message: str) -> None:
    async def pair() -> None:
        radio = on_air(access=Access.AUTHENTICATED).on_air()
        link = HciLink("hci", "test", radio.open, "Virtual SMP", ask=ask)
        try:
            await link.connect(2)
        finally:
            await link.disconnect()
            await radio.close()

    with pytest.raises(DfuBleError) as caught:
        run(pair())
    assert (caught.value.diagnostic.code, caught.value.diagnostic.message) == ("LK405", message)


def test_a_small_mtu_only_makes_small_pieces() -> None:
    async def update() -> None:
        image = make_update(size=3_000)
        async with connected(on_air(mtu=23)) as link:
            assert link.traits.max_write == 20
            talk = LinkTalk(link)
            await talk.upload(image, chunk=500)
            assert await talk.versions() == ["1.0.0", "2.0.0"]

    run(update())


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ("telepathy:0", "LK408", "there is no kind of Bluetooth controller 'telepathy:0'"),
        (
            "tcp-client:127.0.0.1:1",
            "LK401",
            "the Bluetooth controller tcp-client:127.0.0.1:1 can't be used",
        ),
        (
            "serial:/dev/there-is-none",
            "LK401",
            "the Bluetooth controller serial:/dev/there-is-none can't be used",
        ),
    ],
)
def test_a_controller_that_is_none_is_told(spec: str, code: str, message: str) -> None:
    async def connect() -> None:
        link = open_link(f"hci:{spec}", "Tiny")
        try:
            await link.connect(1)
        finally:
            await link.disconnect()

    with pytest.raises(DfuBleError) as caught:
        run(connect())
    assert (caught.value.diagnostic.code, caught.value.diagnostic.message) == (code, message)


def test_a_silent_controller_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("west_dfu_ble.link.hci_controller._OPEN_TIME", 0.2)

    async def connect(port: int) -> None:
        link = open_link(f"hci:tcp-client:127.0.0.1:{port}", "Tiny")
        try:
            await link.connect(1)
        finally:
            await link.disconnect()

    async def test() -> None:
        writers = []
        server = await asyncio.start_server(
            lambda _, writer: writers.append(writer), "127.0.0.1", 0
        )
        try:
            with pytest.raises(DfuBleError) as caught:
                await connect(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for writer in writers:
                writer.close()
            await server.wait_closed()
        assert caught.value.diagnostic.code == "LK401"
        assert "does not answer" in caught.value.diagnostic.message

    run(test())


def test_a_controller_over_tcp_scans_and_updates() -> None:
    async def test() -> None:
        board, image = on_air(name="Far"), make_update()
        radio = board.on_air()
        await radio.switch_on()
        server = HciServer(radio)
        spec = f"hci:tcp-client:127.0.0.1:{await server.start('127.0.0.1', 0)}"
        try:
            seen = await scan(spec, 0.2)
            assert [(one.name, one.address) for one in seen] == [("Far", "C0:FF:EE:00:00:01")]
            link = open_link(spec, "Far")
            try:
                await link.connect(3)
                talk = LinkTalk(link)
                await talk.upload(image)
                assert await talk.versions() == ["1.0.0", "2.0.0"]
                await server.close()
                with pytest.raises(LinkLost):
                    await link.receive()
            finally:
                await link.disconnect()
        finally:
            await server.close()
            await radio.close()

    run(test())


def test_a_controller_that_is_pulled_out_while_connecting_is_no_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bumble cancels the attempt then, which must not pass for Ctrl-C."""
    connect = hci_link._connect

    async def test() -> None:
        radio = on_air(name="Far").on_air()
        await radio.switch_on()
        server = HciServer(radio)
        port = await server.start("127.0.0.1", 0)

        async def pulled_out(*arguments: Any) -> Any:
            attempt = asyncio.ensure_future(connect(*arguments))
            while not arguments[0].is_le_connecting and not attempt.done():
                await asyncio.sleep(0)
            await server.close()
            return await attempt

        monkeypatch.setattr(hci_link, "_connect", pulled_out)
        link = open_link(f"hci:tcp-client:127.0.0.1:{port}", "Far")
        try:
            with pytest.raises(DfuBleError, match=r"LK40[13]"):
                await link.connect(3)
        finally:
            await link.disconnect()
            await radio.close()

    run(test())


def test_a_virtual_link_leads_somewhere_or_is_refused() -> None:
    with pytest.raises(DfuBleError) as caught:
        open_link("virtual", None)
    assert caught.value.diagnostic.code == "LK408"


def test_breaking_off_leaves_nothing_behind(recwarn: pytest.WarningsRecorder) -> None:
    async def stop(at: Callable[[], float]) -> None:
        link = VirtualLink(make_board())
        task = asyncio.ensure_future(link.connect(5))
        await asyncio.sleep(at())
        task.cancel()  # at the end of the range the connection is there already
        with suppress(asyncio.CancelledError):
            await task
        await link.disconnect()
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) <= 2  # this one and the one that limits its time

    for hundredths in range(0, 10, 2):
        run(stop(lambda: hundredths / 100))  # noqa: B023 - called before the loop goes on
    assert recwarn.list == []
