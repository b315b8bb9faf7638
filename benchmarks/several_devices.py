# SPDX-License-Identifier: Apache-2.0
"""Several devices at once against one: `python -m benchmarks.several_devices`.

Virtual devices behind radios that take the time of real ones (15 ms interval, 2M PHY), all in this
process, each updated from first contact to confirmation. Two ways: each device on an air and a
controller of its own, and all on one air through one controller. Every connection has its own time
on the air: what devices lose to each other on a real radio is not in these figures. Ends with
status 1 if several take longer than `--limit` times as long as one.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from west_dfu_ble import builddir, image
from west_dfu_ble.commands.virtual import TimedDevice
from west_dfu_ble.diagnostics import ExitStatus
from west_dfu_ble.link import Link, open_links
from west_dfu_ble.link.virtual import VirtualLink
from west_dfu_ble.update import (
    ActivateMode,
    Candidate,
    Knowledge,
    SeveralUpdates,
    Update,
    UpdateOptions,
)
from west_dfu_ble.virtual import Access, Clock, LinkTiming, RadioProfile, VirtualDevice
from west_dfu_ble.virtual import profile_for_image as profile_for
from west_dfu_ble.virtual.hci_server import HciServer

REPOSITORY = Path(__file__).resolve().parents[1]
_TIMING = LinkTiming(supervision_timeout=2.0)


def make_devices(running: bytes, count: int) -> list[VirtualDevice]:
    """Make devices that run the image `running`, each with a name and an address of its own."""
    radios = (
        RadioProfile(
            name=f"Device {number}",
            advertise_service=True,
            access=Access.OPEN,
            address=f"C0:FF:EE:00:02:{number:02X}",
        )
        for number in range(1, count + 1)
    )
    return [VirtualDevice(replace(profile_for(running), radio=radio)) for radio in radios]


@asynccontextmanager
async def on_airs_of_their_own(
    devices: list[VirtualDevice], speed: float
) -> AsyncIterator[list[Link]]:
    """Give a link to each device through a controller of its own."""
    yield [VirtualLink(TimedDevice(device, speed)) for device in devices]


@asynccontextmanager
async def on_one_air(devices: list[VirtualDevice], speed: float) -> AsyncIterator[list[Link]]:
    """Give a link to each device, all through one controller that is reached over TCP."""
    radio = devices[0].on_air(Clock(speed), _TIMING)
    for device in devices[1:]:
        radio.add_device(device)
    await radio.switch_on()
    server = HciServer(radio)
    place = f"hci:tcp-client:127.0.0.1:{await server.start('127.0.0.1', 0)}"
    try:
        yield open_links(place, {device.address: None for device in devices})
    finally:
        await server.close()
        await radio.close()


Way = Callable[[list[VirtualDevice], float], AbstractAsyncContextManager[list[Link]]]
WAYS: dict[str, Way] = {
    "a controller and an air each": on_airs_of_their_own,
    "one controller, one air": on_one_air,
}


async def update(
    way: Way, devices: list[VirtualDevice], offer: Candidate, speed: float, mode: ActivateMode
) -> float:
    """Update all devices at once; return how many seconds of the devices' time it took."""
    async with way(devices, speed) as links:
        updates = {
            device.profile.radio.name: Update(
                link, [offer], Knowledge(), UpdateOptions(activate=mode), lambda _event: None
            )
            for device, link in zip(devices, links, strict=True)
        }
        several = SeveralUpdates(updates, len(devices), lambda _result: None)
        began = time.monotonic()
        results = await several.run()
        seconds = time.monotonic() - began
    for result in results:
        if result.status is not ExitStatus.DONE:
            raise SystemExit(f"{result.device}: {result.error or result.bug!r}")
    return seconds * speed


def make_images(folder: Path) -> tuple[bytes, Candidate]:
    """Sign the sample's program in two versions: the one that runs, and the update."""
    build = builddir.load(REPOSITORY / "samples" / "tiny" / "build-swap")
    payload = image.binary_for(build, 0).data
    running = image.sign_payload(payload, build, 0, "1.0.0+0")
    path = folder / "update.bin"
    path.write_bytes(image.sign_payload(payload, build, 0, "2.0.0+0"))
    return running, Candidate(path, image.read(path), None)


def main() -> int:
    """Print the table as Markdown; 1 if several take too long."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=8, help="how many (default: 8)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--limit", type=float, default=1.3, help="at most so many times one's time")
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="of the devices' time; below 1 for a computer that is too slow to play so many",
    )
    parser.add_argument(
        "--upload-only", action="store_true", help="without activation, reset and confirmation"
    )
    args = parser.parse_args()
    mode = ActivateMode.UPLOAD_ONLY if args.upload_only else ActivateMode.CONFIRM
    heads = ["way", "one, s", f"{args.devices} at once, s", f"ratio (≤ {args.limit})"]
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}", flush=True)
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        running, offer = make_images(Path(name))
        for title, way in WAYS.items():
            took: dict[int, list[float]] = {1: [], args.devices: []}
            for _ in range(args.rounds):
                for count, seconds in took.items():
                    devices = make_devices(running, count)
                    seconds.append(asyncio.run(update(way, devices, offer, args.speed, mode)))
            one, several = (statistics.median(seconds) for seconds in took.values())
            worst = max(worst, several / one)
            print(f"| {title} | {one:.2f} | {several:.2f} | {several / one:.2f} |", flush=True)
    return 0 if worst <= args.limit else 1


if __name__ == "__main__":
    sys.exit(main())
