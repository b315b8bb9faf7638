# SPDX-License-Identifier: Apache-2.0
"""smpclient updates a device through its own Bumble transport, and reports what it saw as JSON.

Runs in an environment of its own. Arguments: HCI transport, name of the device, image.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from smpclient import SMPClient  # type: ignore[import-not-found]
from smpclient.generics import error, success  # type: ignore[import-not-found]
from smpclient.requests.image_management import (  # type: ignore[import-not-found]
    ImageErase,
    ImageStatesRead,
    ImageStatesWrite,
)
from smpclient.requests.os_management import (  # type: ignore[import-not-found]
    EchoWrite,
    MCUMgrParametersRead,
    ResetWrite,
)
from smpclient.transport.bumble import SMPBumbleTransport  # type: ignore[import-not-found]


async def ask(client: Any, request: Any) -> Any:
    """Send a request and return the answer to a success."""
    answer = await client.request(request)
    if not success(answer):
        raise SystemExit(f"{request} is answered with {answer}")
    return answer


def slots(answer: Any) -> list[dict[str, Any]]:
    """Return what an image state holds."""
    return [
        {
            "slot": image.slot,
            "version": image.version,
            "hash": image.hash.hex(),
            "flags": sorted(
                name
                for name in ("active", "bootable", "confirmed", "pending", "permanent")
                if getattr(image, name)
            ),
        }
        for image in answer.images
    ]


async def main(hci: str, name: str, file: str) -> None:
    """Upload, test, reset, confirm, erase."""
    seen: dict[str, Any] = {}
    data = Path(file).read_bytes()

    client = SMPClient(SMPBumbleTransport(hci=hci), name)
    await client.connect(20.0)
    seen["echo"] = (await ask(client, EchoWrite(d="hello"))).r
    parameters = await ask(client, MCUMgrParametersRead())
    seen["parameters"] = [parameters.buf_size, parameters.buf_count]
    seen["factory"] = slots(await ask(client, ImageStatesRead()))
    seen["offset"] = [offset async for offset in client.upload(data)][-1]
    uploaded = slots(await ask(client, ImageStatesRead()))
    seen["uploaded"] = uploaded
    refusal = await client.request(ImageStatesWrite(hash=bytes(32)))
    assert error(refusal)
    seen["unknown hash"] = [int(refusal.err.group), int(refusal.err.rc)]
    update = next(slot for slot in uploaded if slot["slot"] == 1)
    digest = bytes.fromhex(update["hash"])
    seen["to be tested"] = slots(await ask(client, ImageStatesWrite(hash=digest)))
    await ask(client, ResetWrite())
    await client.disconnect()
    await asyncio.sleep(1)  # the device answers first and resets then, as Zephyr's does

    client = SMPClient(SMPBumbleTransport(hci=hci), name)
    await client.connect(20.0)
    seen["on trial"] = slots(await ask(client, ImageStatesRead()))
    seen["confirmed"] = slots(await ask(client, ImageStatesWrite(confirm=True)))
    await ask(client, ImageErase(slot=1))
    seen["erased"] = slots(await ask(client, ImageStatesRead()))
    await client.disconnect()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
