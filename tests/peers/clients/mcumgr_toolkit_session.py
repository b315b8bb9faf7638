# SPDX-License-Identifier: Apache-2.0
"""mcumgr-toolkit updates a device over UDP, and reports what it saw as JSON.

Runs in an environment of its own. Arguments: host and port, image.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from mcumgr_toolkit import MCUmgrClient  # type: ignore[import-not-found]


def slots(images: Any) -> list[dict[str, Any]]:
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
        for image in images
    ]


def main(place: str, file: str) -> None:
    """Upload, test, reset, confirm, erase."""
    seen: dict[str, Any] = {}
    data = Path(file).read_bytes()
    host, _, port = place.rpartition(":")

    client = MCUmgrClient.udp(host, int(port), 5000)
    client.check_connection()
    seen["echo"] = client.os_echo("hello")
    parameters = client.os_mcumgr_parameters()
    seen["parameters"] = [parameters.buf_size, parameters.buf_count]
    client.use_auto_frame_size()
    seen["bootloader"] = client.os_bootloader_info()
    info = client.image_slot_info()
    seen["slot sizes"] = [slot.size for image in info for slot in image.slots]
    seen["factory"] = slots(client.image_get_state())
    offsets: list[int] = []
    client.image_upload(data, progress=lambda offset, _total: offsets.append(offset))
    seen["offset"] = offsets[-1]
    uploaded = slots(client.image_get_state())
    seen["uploaded"] = uploaded
    try:
        client.image_set_state(bytes(32))
    except RuntimeError as error:
        seen["unknown hash"] = str(error)
    digest = bytes.fromhex(next(slot["hash"] for slot in uploaded if slot["slot"] == 1))
    seen["to be tested"] = slots(client.image_set_state(digest))
    client.os_system_reset()
    time.sleep(1)  # the device answers first and resets then, as Zephyr's does

    seen["on trial"] = slots(client.image_get_state())
    seen["confirmed"] = slots(client.image_set_state(confirm=True))
    client.image_erase(1)
    seen["erased"] = slots(client.image_get_state())
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
