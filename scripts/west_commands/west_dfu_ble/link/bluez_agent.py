# SPDX-License-Identifier: Apache-2.0
"""An answer to BlueZ's questions while a device pairs (org.bluez.Agent1).

BlueZ refuses every pairing for which nobody is registered to answer. Ours answers for the one
device that this program is connecting to and rejects all others, and is there only as long as the
connection is being made. Reference: BlueZ, `doc/org.bluez.Agent.rst`, `org.bluez.AgentManager.rst`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from dbus_fast.aio import MessageBus
from dbus_fast.constants import BusType, MessageType
from dbus_fast.message import Message

_PATH = "/west_dfu_ble/agent"
_INTERFACE = "org.bluez.Agent1"
_REJECTED = "org.bluez.Error.Rejected"

# "Just Works": neither side can show or type anything.
_CAPABILITY = "NoInputNoOutput"


@asynccontextmanager
async def pairing_agent(device_path: str) -> AsyncIterator[None]:
    """Answer for the device that BlueZ calls `device_path` until the block ends.

    Without a message bus, or where BlueZ does not take the agent, the block runs all the same:
    a device that needs no pairing must not suffer from it, and for one that does the refusal
    is reported where it happens.
    """
    bus: MessageBus | None = None
    try:
        with suppress(Exception):
            bus = await _register(device_path)
        yield
    finally:
        if bus is not None:
            with suppress(Exception):
                await _call(bus, "UnregisterAgent", "o", [_PATH])
            with suppress(Exception):
                bus.disconnect()


async def _register(device_path: str) -> MessageBus:
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await bus.connect()
        bus.add_message_handler(lambda message: _answer(message, device_path))
        await _call(bus, "RegisterAgent", "os", [_PATH, _CAPABILITY])
        # bleak asks for the pairing on a connection of its own: only the default agent hears it.
        await _call(bus, "RequestDefaultAgent", "o", [_PATH])
    except BaseException:
        bus.disconnect()
        raise
    return bus


async def _call(bus: MessageBus, member: str, signature: str, body: list[Any]) -> None:
    reply = await bus.call(
        Message(
            destination="org.bluez",
            path="/org/bluez",
            interface="org.bluez.AgentManager1",
            member=member,
            signature=signature,
            body=body,
        )
    )
    if reply is None or reply.message_type is MessageType.ERROR:
        raise ConnectionError(f"{member} was refused")


def _answer(message: Message, device_path: str) -> Message | None:
    if message.interface != _INTERFACE or message.path != _PATH:
        return None
    if message.message_type is not MessageType.METHOD_CALL:
        return None
    if message.member in ("Release", "Cancel"):
        return Message.new_method_return(message)
    about = message.body[0] if message.body else None
    agreed = message.member in ("RequestAuthorization", "RequestConfirmation", "AuthorizeService")
    if about != device_path or not agreed:
        return Message.new_error(message, _REJECTED, "not the device that is being updated")
    return Message.new_method_return(message)
