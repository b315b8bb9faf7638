# SPDX-License-Identifier: Apache-2.0
"""Measure the upload on timed links, ours and smpclient's in turns: `python -m benchmarks.upload`.

Both reach the same virtual device through the same HCI over TCP, each from a process of its own;
the device takes the time from the first request with data to the last answer. Makes an environment
for smpclient (it pins its own Bumble) unless `--smpclient PYTHON` names one that has it. Ends with
status 1 if a figure of `rows.py` is not reached.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from west_dfu_ble import builddir, image

from .rows import ROWS, Row

REPOSITORY = Path(__file__).resolve().parents[2]
PEER = "smpclient[bumble]==7.3.0"
NAME, ADDRESS = "Bench", "C0:FF:EE:00:00:02"
_TIMEOUT = 120.0


@dataclass(frozen=True)
class Figure:
    """One upload: kB/s, and writes that found no buffer."""

    rate: float
    dropped: int


@dataclass(frozen=True)
class Images:
    """The image that the device runs, and the one that is uploaded."""

    running: Path
    update: Path


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


def smpclient_python(folder: Path) -> str:
    """Make an environment with the peer and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
    return str(python)


@contextmanager
def device(
    row: Row, images: Images, *, buffers: int | None = None
) -> Iterator[tuple[str, IO[str]]]:
    """Serve a device; gives its HCI transport and what it reports on."""
    server = dict(row.server)
    if buffers is not None:
        server["buf_count"] = buffers
    settings = {
        "running": str(images.running),
        "server": server,
        "timing": row.timing,
        "mtu": row.mtu,
        "write_time": row.write_time,
        "name": NAME,
        "address": ADDRESS,
    }
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


def upload(command: list[str], reports: IO[str], size: int) -> Figure:
    """Run a client and return what the device measured."""
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    told = json.loads(reports.readline())
    return Figure(size / told["seconds"] / 1000, told["dropped"])


def ours(row: Row, images: Images, *, buffers: int | None = None) -> Figure:
    """Upload with this project's own command line."""
    with device(row, images, buffers=buffers) as (hci, reports):
        command = [sys.executable, "-m", "west_dfu_ble", "upload", "--link", f"hci:{hci}"]
        command += ["--device", NAME, "--image", str(images.update), "--no-activate"]
        return upload(command, reports, images.update.stat().st_size)


def theirs(row: Row, images: Images, python: str) -> Figure:
    """Upload with smpclient."""
    with device(row, images) as (hci, reports):
        peer = str(Path(__file__).with_name("peer_smpclient.py"))
        command = [python, peer, hci, NAME, str(images.update), str(row.smpclient_mtu)]
        return upload(command, reports, images.update.stat().st_size)


@dataclass(frozen=True)
class Result:
    """The medians of a row and whether they reach what they must."""

    row: Row
    ours: Figure
    other: Figure

    @property
    def ratio(self) -> float:
        """How many times as fast ours is."""
        return self.ours.rate / self.other.rate

    @property
    def share(self) -> float:
        """Our part of what the air can carry."""
        return self.ours.rate * 1000 / self.row.capacity

    @property
    def is_reached(self) -> bool:
        """Whether ratio and share are what they must be, with nothing lost."""
        enough = self.row.share is None or self.share >= self.row.share
        return enough and self.ratio >= self.row.ratio and not self.ours.dropped

    def cells(self) -> list[str]:
        """The row of the table."""
        must = "" if self.row.share is None else f" (≥ {self.row.share})"
        return [
            self.row.title,
            f"{self.other.rate:.1f}" + (", one in flight" if self.row.against_ourselves else ""),
            f"{self.ours.rate:.1f}",
            f"{self.ratio:.2f} (≥ {self.row.ratio})",
            f"{self.share:.3f}{must}",
            str(self.ours.dropped),
        ]


def measure(row: Row, images: Images, python: str, rounds: int) -> Result:
    """Take turns, so that a busy machine slows both, and return the medians."""
    mine, other = [], []
    for _ in range(rounds):
        mine.append(ours(row, images))
        # With three buffers the window is one.
        other.append(
            ours(row, images, buffers=3) if row.against_ourselves else theirs(row, images, python)
        )
    return Result(row, _median(mine), _median(other))


def _median(figures: list[Figure]) -> Figure:
    return Figure(statistics.median(f.rate for f in figures), sum(f.dropped for f in figures))


HEADER = ["link", "smpclient 7.3.0, kB/s", "ours, kB/s", "ratio", "share of capacity", "lost"]


def main() -> int:
    """Print the table as Markdown; 1 if anything falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--smpclient", help=f"a Python that has {PEER}")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = args.smpclient or smpclient_python(folder / "smpclient")
        images = make_images(folder)
        print(f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}", flush=True)
        results = []
        for row in ROWS:
            results.append(measure(row, images, python, args.rounds))
            print(f"| {' | '.join(results[-1].cells())} |", flush=True)
    if args.json:
        rows = [
            {"link": r.row.title, "ours": r.ours.rate, "other": r.other.rate,
             "capacity": r.row.capacity / 1000}
            for r in results
        ]  # fmt: skip
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0 if all(result.is_reached for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
