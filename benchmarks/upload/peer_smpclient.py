# SPDX-License-Identifier: Apache-2.0
"""Upload a file with smpclient 7.3.0 through its own Bumble transport; runs in its environment.

Arguments: HCI transport, address or name of the device, file, preferred MTU.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

# Installed in another environment than this project's.
from smpclient import SMPClient  # type: ignore[import-not-found]
from smpclient.transport.bumble import SMPBumbleTransport  # type: ignore[import-not-found]


async def main(transport: str, device: str, file: str, mtu: str) -> None:
    """Upload and wait for the last answer."""
    link = SMPBumbleTransport(hci=transport, preferred_mtu=int(mtu))
    client = SMPClient(link, device)
    await client.connect(20.0)
    async for _ in client.upload(Path(file).read_bytes()):
        pass
    await client.disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
