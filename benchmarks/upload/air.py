# SPDX-License-Identifier: Apache-2.0
"""Uploads over a timed air: each side in a process of its own, through the same HCI over TCP.

The device takes the time, from the first request with data to the last answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from west_dfu_ble import builddir, image

from . import peers
from .figures import Figure, Result, take_turns
from .peers import REPOSITORY, CannotMeasure
from .rows import AirRow

NAME, ADDRESS = "Bench", "C0:FF:EE:00:00:02"
TIMEOUT = 120.0
_LAST_WORDS = 60
_CLIENT = Path(__file__).with_name("peer_smpclient.py")


@dataclass(frozen=True)
class Images:
    """The image that the device runs, and the one that is uploaded."""

    running: Path
    update: Path

    @property
    def size(self) -> int:
        """Bytes of the one that is uploaded."""
        return self.update.stat().st_size


def make_images(folder: Path) -> Images:
    """Sign the sample's program in two versions."""
    build = builddir.load(REPOSITORY / "samples" / "tiny" / "build-swap")
    payload = image.binary_for(build, 0).data
    paths = []
    for version in ("1.0.0+0", "2.0.0+0"):
        path = folder / f"{version}.bin"
        path.write_bytes(image.sign_payload(payload, build, 0, version))
        paths.append(path)
    return Images(*paths)


def settings_for(row: AirRow, images: Images) -> dict[str, Any]:
    """Return what `device` makes the row's device from."""
    return {
        "running": str(images.running),
        "server": dict(row.server),
        "timing": row.timing,
        "mtu": row.mtu,
        "write_time": row.write_time,
        "name": NAME,
        "address": ADDRESS,
    }


def measure(row: AirRow, images: Images, rounds: int) -> Result:
    """Measure a row of the table."""

    def ours(buffers: int | None = None) -> Figure:
        with _device(row, images, buffers) as (hci, reports):
            command = [sys.executable, "-m", "west_dfu_ble", "upload", "--link", f"hci:{hci}"]
            command += ["--device", NAME, "--image", str(images.update), "--no-activate"]
            return _upload(command, reports, images.size)

    def theirs() -> Figure:
        python = peers.client(peers.SMPCLIENT)
        with _device(row, images) as (hci, reports):
            words = ["hci", hci, NAME, str(images.update), str(row.smpclient_mtu)]
            return _upload([python, str(_CLIENT), *words], reports, images.size)

    # With three buffers the window is one.
    other = (lambda: ours(3)) if row.against_ourselves else theirs
    mine, others, failure = take_turns(rounds, ours, other)
    note = "ours, one in flight" if row.against_ourselves else ""
    return Result(row.title, mine, others, row.limits, row.capacity, note, failure)


@contextmanager
def _device(
    row: AirRow, images: Images, buffers: int | None = None
) -> Iterator[tuple[str, IO[str]]]:
    """Serve a device; gives its HCI transport and what it reports on."""
    settings = settings_for(row, images)
    if buffers is not None:
        settings["server"]["buf_count"] = buffers
    command = [sys.executable, "-m", "benchmarks.upload.device", json.dumps(settings)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield f"tcp-client:127.0.0.1:{process.stdout.readline().strip()}", process.stdout
        finally:
            process.stdin.close()
            process.wait(10)


def _upload(command: list[str], reports: IO[str], size: int) -> Figure:
    """Run a client and return what the device measured."""
    run(command)
    told = json.loads(reports.readline())
    return Figure(size / told["seconds"], told["dropped"])


def run(command: list[str]) -> None:
    """Run a client to its end. Raises `CannotMeasure` if that is not a good one."""
    try:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            env=peers.environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise CannotMeasure(f"does not end in {TIMEOUT:.0f} s") from error
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2][:_LAST_WORDS]
        raise CannotMeasure(f"ended with {done.returncode}: {last}")
