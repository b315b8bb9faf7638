# SPDX-License-Identifier: Apache-2.0
"""The pairing agent over a real message bus, asked by a stand-in for BlueZ at its other end."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("BlueZ and its message bus are Linux's", allow_module_level=True)

from dbus_fast import BusType, Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from west_dfu_ble.link.bluez_agent import pairing_agent
from west_dfu_ble.link.bluez_mtu import negotiated_mtu

DEVICE = "/org/bluez/hci0/dev_C0_FF_EE_00_00_01"
STRANGER = "/org/bluez/hci0/dev_C0_FF_EE_00_00_02"
REJECTED = "org.bluez.Error.Rejected"
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""


class BlueZ:
    """Takes agents as `org.bluez` does, and lets a test ask them."""

    def __init__(self, bus: MessageBus, *, refuses: bool) -> None:
        self._bus = bus
        self._refuses = refuses
        self.calls: list[tuple[str | None, list[Any]]] = []
        self.agent: tuple[str, str] | None = None

    def handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.interface == "org.freedesktop.DBus.Properties":
            if message.path == DEVICE + "/service0010/char0011":
                return Message.new_method_return(message, "v", [Variant("q", 498)])
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "none")
        if message.interface != "org.bluez.AgentManager1":
            return None
        self.calls.append((message.member, list(message.body)))
        if self._refuses:
            return Message.new_error(message, "org.bluez.Error.NotPermitted", "not permitted")
        assert message.sender is not None
        if message.member == "RegisterAgent":
            self.agent = (message.sender, message.body[0])
        if message.member == "UnregisterAgent":
            self.agent = None
        return Message.new_method_return(message)

    async def ask(self, member: str, signature: str, *body: object) -> Message:
        assert self.agent is not None
        destination, path = self.agent
        reply = await self._bus.call(
            Message(
                destination, path, "org.bluez.Agent1", member, signature=signature, body=[*body]
            )
        )
        assert reply is not None
        return reply


@pytest.fixture
def bus_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        pytest.skip("dbus-daemon is not installed")
    configuration = tmp_path / "bus.conf"
    configuration.write_text(CONFIGURATION.format(path=tmp_path / "socket"))
    process = subprocess.Popen(
        [daemon, f"--config-file={configuration}", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    yield address
    process.kill()
    process.wait()
    process.stdout.close()


@asynccontextmanager
async def bluez(*, refuses: bool = False) -> AsyncIterator[BlueZ]:
    bus = MessageBus(bus_type=BusType.SYSTEM)
    await bus.connect()
    assert await bus.request_name("org.bluez") is RequestNameReply.PRIMARY_OWNER
    service = BlueZ(bus, refuses=refuses)
    bus.add_message_handler(service.handle)
    try:
        yield service
    finally:
        bus.disconnect()


def tells(passkey: int | None) -> Callable[[], Awaitable[int | None]]:
    async def ask() -> int | None:
        return passkey

    return ask


@pytest.mark.usefixtures("bus_address")
def test_without_a_keyboard_the_agent_lets_its_own_device_just_work() -> None:
    async def test() -> None:
        async with bluez() as service:
            async with pairing_agent(DEVICE, None):
                path = "/west_dfu_ble/agent"
                assert service.calls == [
                    ("RegisterAgent", [path, "NoInputNoOutput"]),
                    ("RequestDefaultAgent", [path]),
                ]
                for member, signature, body in (
                    ("RequestAuthorization", "o", [DEVICE]),
                    ("RequestConfirmation", "ou", [DEVICE, 123456]),
                    ("AuthorizeService", "os", [DEVICE, "8d53dc1d"]),
                    ("Cancel", "", []),
                    ("Release", "", []),
                ):
                    reply = await service.ask(member, signature, *body)
                    assert reply.message_type is MessageType.METHOD_RETURN, member
                for member, device in (
                    ("RequestAuthorization", STRANGER),
                    ("RequestPasskey", DEVICE),
                    ("RequestPinCode", DEVICE),
                ):
                    reply = await service.ask(member, "o", device)
                    assert reply.error_name == REJECTED, member
            assert service.agent is None

    asyncio.run(test())


@pytest.mark.usefixtures("bus_address")
def test_with_a_keyboard_the_agent_types_in_what_it_is_told() -> None:
    async def test() -> None:
        async with bluez() as service:
            async with pairing_agent(DEVICE, tells(123456)):
                assert service.calls[0][1][1] == "KeyboardOnly"
                reply = await service.ask("RequestPasskey", "o", DEVICE)
                assert (reply.signature, reply.body) == ("u", [123456])
                reply = await service.ask("RequestPasskey", "o", STRANGER)
                assert reply.error_name == REJECTED
            async with pairing_agent(DEVICE, tells(None)):
                reply = await service.ask("RequestPasskey", "o", DEVICE)
                assert reply.error_name == REJECTED

    asyncio.run(test())


@pytest.mark.usefixtures("bus_address")
def test_whoever_is_asked_is_left_alone_when_the_device_gives_up() -> None:
    async def test() -> None:
        given_up = asyncio.Event()

        async def nobody_answers() -> int | None:
            try:
                await asyncio.sleep(60)
            finally:
                given_up.set()
            return None

        async with bluez() as service, pairing_agent(DEVICE, nobody_answers):
            asked = asyncio.ensure_future(service.ask("RequestPasskey", "o", DEVICE))
            await asyncio.sleep(0.1)
            await service.ask("Cancel", "")
            await asyncio.wait_for(given_up.wait(), 5)
            asked.cancel()

    asyncio.run(test())


@pytest.mark.usefixtures("bus_address")
def test_a_refused_agent_and_a_missing_bluez_keep_nobody_from_connecting() -> None:
    async def test() -> None:
        async with bluez(refuses=True) as service, pairing_agent(DEVICE, None):
            assert service.agent is None
        async with pairing_agent(DEVICE, None):
            pass

    asyncio.run(test())


def test_a_missing_bus_keeps_nobody_from_connecting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")

    async def test() -> None:
        async with pairing_agent(DEVICE, None):
            pass

    asyncio.run(test())


@pytest.mark.usefixtures("bus_address")
def test_the_mtu_is_what_bluez_says_now() -> None:
    async def test() -> None:
        async with bluez():
            assert await negotiated_mtu(DEVICE + "/service0010/char0011") == 498
            assert await negotiated_mtu(DEVICE + "/service0010/char9999") is None

    asyncio.run(test())
