# SPDX-License-Identifier: Apache-2.0
"""Upload a file with smpclient 7.3.0; runs in its environment.

Arguments: `hci TRANSPORT NAME FILE MTU` (its own Bumble transport, which is asked for that MTU) or
`serial URL FILE`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

# Installed in another environment than this project's.
from smpclient import SMPClient  # type: ignore[import-not-found]


def over_hci(transport: str, device: str, file: str, mtu: str) -> tuple[Any, str, str]:
    """Return the client's transport, the device's name there, and the file."""
    from smpclient.transport.bumble import SMPBumbleTransport  # type: ignore[import-not-found]

    return SMPBumbleTransport(hci=transport, preferred_mtu=int(mtu)), device, file


def over_serial(url: str, file: str) -> tuple[Any, str, str]:
    """Return the same for an emulator's serial line behind a socket."""
    import serial
    from smpclient.transport.serial import SMPSerialTransport  # type: ignore[import-not-found]

    link = SMPSerialTransport()

    async def connect(address: str, timeout_s: float) -> None:
        # Its own way to open a port knows devices only; its own tests put a socket there like this.
        port = serial.serial_for_url(address, timeout=0, write_timeout=0)
        port.out_waiting = 0
        link._conn = port

    link.connect = connect
    return link, url, file


async def main(kind: str, *arguments: str) -> None:
    """Upload and wait for the last answer."""
    link, device, file = {"hci": over_hci, "serial": over_serial}[kind](*arguments)
    client = SMPClient(link, device)
    await client.connect(20.0)
    async for _ in client.upload(Path(file).read_bytes()):
        pass
    await client.disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
