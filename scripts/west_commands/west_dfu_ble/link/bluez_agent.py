# SPDX-License-Identifier: Apache-2.0
"""An answer to BlueZ's questions while a device pairs (org.bluez.Agent1).

BlueZ refuses every pairing for which nobody is registered to answer. Ours answers for the one
device that this program is connecting to and rejects all others, and is there only as long as the
connection is being made. Reference: BlueZ, `doc/org.bluez.Agent.rst`, `org.bluez.AgentManager.rst`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from dbus_fast.aio import MessageBus
from dbus_fast.constants import BusType, MessageType
from dbus_fast.message import Message

from .model import AskPasskey

_PATH = "/west_dfu_ble/agent"
_INTERFACE = "org.bluez.Agent1"
_REJECTED = "org.bluez.Error.Rejected"
_AGREED = ("RequestAuthorization", "RequestConfirmation", "AuthorizeService")


@asynccontextmanager
async def pairing_agent(device_path: str, ask: AskPasskey | None) -> AsyncIterator[None]:
    """Answer for the device that BlueZ calls `device_path` until the block ends.

    With `ask` there is a keyboard to type in what the device shows; without, nothing is typed and
    nothing compared ("Just Works"), and the device may find that too little.

    Without a message bus, or where BlueZ does not take the agent, the block runs all the same:
    a device that needs no pairing must not suffer from it, and for one that does the refusal
    is reported where it happens.
    """
    agent = _Agent(device_path, ask)
    try:
        with suppress(Exception):
            await agent.register()
        yield
    finally:
        await agent.unregister()


class _Agent:
    def __init__(self, device_path: str, ask: AskPasskey | None) -> None:
        self.bus = MessageBus(bus_type=BusType.SYSTEM)
        self._device_path = device_path
        self._ask = ask
        self._asking: asyncio.Task[None] | None = None

    async def register(self) -> None:
        await self.bus.connect()
        self.bus.add_message_handler(self._handle)
        capability = "NoInputNoOutput" if self._ask is None else "KeyboardOnly"
        await self._call("RegisterAgent", "os", [_PATH, capability])
        # bleak asks for the pairing on a connection of its own: only the default agent hears it.
        await self._call("RequestDefaultAgent", "o", [_PATH])

    async def unregister(self) -> None:
        self._stop_asking()
        with suppress(Exception):
            if self.bus.connected:
                await self._call("UnregisterAgent", "o", [_PATH])
        with suppress(Exception):
            self.bus.disconnect()

    async def _call(self, member: str, signature: str, body: list[Any]) -> None:
        reply = await self.bus.call(
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

    def _handle(self, message: Message) -> Message | bool | None:
        if message.interface != _INTERFACE or message.path != _PATH:
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.member in ("Release", "Cancel"):
            self._stop_asking()
            return Message.new_method_return(message)
        if not message.body or message.body[0] != self._device_path:
            return Message.new_error(message, _REJECTED, "not the device that is being updated")
        if message.member in _AGREED:
            return Message.new_method_return(message)
        if message.member == "RequestPasskey" and self._ask is not None:
            self._stop_asking()
            self._asking = asyncio.ensure_future(self._tell_passkey(message, self._ask))
            return True
        return Message.new_error(message, _REJECTED, "there is nobody to ask")

    async def _tell_passkey(self, message: Message, ask: AskPasskey) -> None:
        passkey = await ask()
        if passkey is None:
            reply = Message.new_error(message, _REJECTED, "nobody told the passkey")
        else:
            reply = Message.new_method_return(message, "u", [passkey])
        await self.bus.send(reply)

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
