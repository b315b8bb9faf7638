# SPDX-License-Identifier: Apache-2.0
"""The ATT MTU of a connection, asked of BlueZ itself.

BlueZ keeps a device's characteristics as D-Bus objects beyond the connection, and says nothing when
their `MTU` changes. What bleak remembers of it is therefore missing (it says 23 then) or that of an
earlier connection whenever the device was known before: at every reconnection, and at every run
within half a minute of the last. Reading the property tells the truth.
Reference: BlueZ, `doc/org.bluez.GattCharacteristic.rst` (`MTU`, since 5.62).
"""

from __future__ import annotations

from dbus_fast.aio import MessageBus
from dbus_fast.constants import BusType, MessageType
from dbus_fast.message import Message


async def negotiated_mtu(path: str) -> int | None:
    """Return the MTU in bytes for the characteristic that BlueZ calls `path`.

    `None` where BlueZ does not tell. Raises whatever the message bus does.
    """
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await bus.connect()
        reply = await bus.call(
            Message(
                destination="org.bluez",
                path=path,
                interface="org.freedesktop.DBus.Properties",
                member="Get",
                signature="ss",
                body=["org.bluez.GattCharacteristic1", "MTU"],
            )
        )
    finally:
        bus.disconnect()
    if reply is None or reply.message_type is not MessageType.METHOD_RETURN:
        return None
    mtu = reply.body[0].value
    return mtu if isinstance(mtu, int) else None
