# SPDX-License-Identifier: Apache-2.0
"""From the command line to the first request with data: ours, and smpmgr, over UDP in turns.

smpmgr reaches no virtual controller, so that both update the virtual device over UDP on this
computer. Ours asks the device for its state and parameters before; smpmgr for its parameters.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass

from west_dfu_ble.virtual.udp_server import UdpServer

from . import peers
from .air import TIMEOUT, Images, settings_for
from .device import Measured, make_device
from .peers import REPOSITORY, CannotMeasure
from .rows import AIR_ROWS

# The one port that smpmgr knows.
_HOST, _PORT = "127.0.0.1", 1337


@dataclass(frozen=True)
class StartUp:
    """Seconds until the first request with data, medians."""

    ours: float
    smpmgr: float

    @property
    def is_reached(self) -> bool:
        """Whether ours begins at most as late."""
        return self.ours <= self.smpmgr


def measure(images: Images, rounds: int) -> StartUp:
    """Start each `rounds` times. Raises `CannotMeasure`."""
    file = str(images.update)
    ours = [sys.executable, "-m", "west_dfu_ble", "upload", "--no-activate", "--image", file]
    ours += ["--link", f"udp:{_HOST}:{_PORT}"]
    smpmgr = [peers.client(peers.SMPMGR), "-m", "smpmgr", "--ip", _HOST, "image", "upload", file]
    taken: dict[str, list[float]] = {"ours": [], "smpmgr": []}
    # One more, whose times do not count: it compiles what was never imported.
    for number in range(rounds + 1):
        for who, command in (("ours", ours), ("smpmgr", smpmgr)):
            seconds = asyncio.run(_start(command, images))
            if number:
                taken[who].append(seconds)
    return StartUp(*(statistics.median(times) for times in taken.values()))


async def _start(command: list[str], images: Images) -> float:
    """Run one upload; return the seconds until the device saw data."""
    device: Measured = make_device(settings_for(AIR_ROWS[0], images))
    server = UdpServer(device)
    try:
        await server.start(_HOST, _PORT)
    except OSError as error:
        raise CannotMeasure(f"UDP port {_PORT} is taken: {error}") from error
    try:
        began = time.monotonic()
        nobody = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command, stdout=nobody, stderr=nobody, cwd=REPOSITORY, env=peers.environment()
        )
        status = await asyncio.wait_for(process.wait(), TIMEOUT)
    finally:
        await server.close()
        await asyncio.sleep(0.05)  # the socket is closed in one of the loop's next rounds
    if status or device.began is None:
        raise CannotMeasure(f"{command[2]} ended with {status}")
    return device.began - began
