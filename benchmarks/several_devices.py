# SPDX-License-Identifier: Apache-2.0
"""Several devices at once against one: `python -m benchmarks.several_devices`.

Virtual devices behind radios that take the time of real ones (15 ms interval, 2M PHY), all in one
process apart from the client's, each updated from first contact to confirmation. Two ways: each
device on an air and a controller of its own, and all on one air through one controller. Every
connection has its own time on the air: what devices lose to each other on a real radio is not in
these figures. Ends with status 1 if several take longer than `--limit` times as long as one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from west_dfu_ble import builddir, image
from west_dfu_ble.diagnostics import ExitStatus
from west_dfu_ble.link import Link, open_link, open_links
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
from west_dfu_ble.virtual.peripheral import VirtualRadio

REPOSITORY = Path(__file__).resolve().parents[1]
_TIMING = LinkTiming(supervision_timeout=2.0)


def _address(number: int) -> str:
    return f"C0:FF:EE:00:02:{number:02X}"


def make_devices(running: bytes, count: int) -> list[VirtualDevice]:
    """Make devices that run the image `running`, each with a name and an address of its own."""
    radios = (
        RadioProfile(
            name=f"Device {number}",
            advertise_service=True,
            access=Access.OPEN,
            address=_address(number),
        )
        for number in range(1, count + 1)
    )
    return [VirtualDevice(replace(profile_for(running), radio=radio)) for radio in radios]


async def serve(running: str, count: int, speed: float, shared: bool) -> None:
    """Serve devices until standard input ends; prints the ports of their controllers."""
    devices = make_devices(Path(running).read_bytes(), count)
    radios: list[VirtualRadio] = []
    for device in devices:
        if shared and radios:
            radios[0].add_device(device)
        else:
            radios.append(device.on_air(Clock(speed), _TIMING))
    servers = [HciServer(radio) for radio in radios]
    for radio in radios:
        await radio.switch_on()
    print(json.dumps([await server.start("127.0.0.1", 0) for server in servers]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server, radio in zip(servers, radios, strict=True):
        await server.close()
        await radio.close()


@contextmanager
def served(running: Path, count: int, speed: float, *, shared: bool) -> Iterator[list[Link]]:
    """Run `serve` in a process of its own, as devices are; gives a link to each."""
    words = json.dumps([str(running), count, speed, shared])
    command = [sys.executable, "-m", "benchmarks.several_devices", "--serve", words]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            ports = json.loads(process.stdout.readline())
            places = [f"hci:tcp-client:127.0.0.1:{port}" for port in ports]
            addresses = [_address(number) for number in range(1, count + 1)]
            if shared:
                yield open_links(places[0], dict.fromkeys(addresses))
            else:
                pairs = zip(places, addresses, strict=True)
                yield [open_link(place, address) for place, address in pairs]
        finally:
            process.stdin.close()
            process.wait(20)


WAYS = {"a controller and an air each": False, "one controller, one air": True}


async def update(links: list[Link], offer: Candidate, speed: float, mode: ActivateMode) -> float:
    """Update all devices at once; return how many seconds of the devices' time it took."""
    updates = {
        f"Device {number}": Update(
            link, [offer], Knowledge(), UpdateOptions(activate=mode), lambda _event: None
        )
        for number, link in enumerate(links, 1)
    }
    several = SeveralUpdates(updates, len(links), lambda _result: None)
    began = time.monotonic()
    results = await several.run()
    seconds = time.monotonic() - began
    for result in results:
        if result.status is not ExitStatus.DONE:
            raise SystemExit(f"{result.device}: {result.error or result.bug!r}")
    return seconds * speed


def make_images(folder: Path) -> tuple[Path, Candidate]:
    """Sign the sample's program in two versions: the one that runs, and the update."""
    build = builddir.load(REPOSITORY / "samples" / "tiny" / "build-swap")
    payload = image.binary_for(build, 0).data
    running = folder / "running.bin"
    running.write_bytes(image.sign_payload(payload, build, 0, "1.0.0+0"))
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
    parser.add_argument("--serve", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve(*args.serve))
        return 0
    mode = ActivateMode.UPLOAD_ONLY if args.upload_only else ActivateMode.CONFIRM
    heads = ["way", "one, s", f"{args.devices} at once, s", f"ratio (≤ {args.limit})"]
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}", flush=True)
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        running, offer = make_images(Path(name))
        for title, shared in WAYS.items():
            took: dict[int, list[float]] = {1: [], args.devices: []}
            for _ in range(args.rounds):
                for count, seconds in took.items():
                    with served(running, count, args.speed, shared=shared) as links:
                        seconds.append(asyncio.run(update(links, offer, args.speed, mode)))
            one, several = (statistics.median(seconds) for seconds in took.values())
            worst = max(worst, several / one)
            print(f"| {title} | {one:.2f} | {several:.2f} | {several / one:.2f} |", flush=True)
    return 0 if worst <= args.limit else 1


if __name__ == "__main__":
    sys.exit(main())
