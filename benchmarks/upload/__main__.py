# SPDX-License-Identifier: Apache-2.0
"""Measure the upload, ours and smpclient's in turns: `python -m benchmarks.upload`.

Three parts: a virtual device on timed airs, real Zephyr servers in QEMU over a serial line, and the
time from the command line to the first data against smpmgr. The other tools are installed into
environments of their own, in this user's cache folder. `--write` puts the table and the picture
into the documentation. Ends with status 1 if a figure of `rows.py` is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from . import air, plot, serial_line, startup
from .figures import HEADER, Result
from .peers import REPOSITORY, CannotMeasure
from .rows import AIR_ROWS, SERVER_ROWS

PAGE = REPOSITORY / "docs" / "benchmarks.md"
PICTURE = REPOSITORY / "docs" / "pictures" / "upload.svg"
_BEGIN, _END = "<!-- upload: written by the command above -->", "<!-- /upload -->"


def main() -> int:
    """Print the table as Markdown; 1 if anything falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose title contains it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--write", action="store_true", help="update docs/benchmarks.md")
    args = parser.parse_args()
    if args.write and args.only:
        parser.error("--write needs all rows")
    conditions = _conditions(args.rounds)
    lines = [f"| {' | '.join(HEADER)} |", f"|{' --- |' * len(HEADER)}"]
    print("\n".join(lines), flush=True)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = air.make_images(folder)
        for row in AIR_ROWS:
            if args.only in row.title:
                results.append(air.measure(row, images, args.rounds))
                lines.append(_show(results[-1]))
        for server in SERVER_ROWS:
            if args.only in server.title:
                results.append(serial_line.measure(server, folder, min(args.rounds, 3)))
                lines.append(_show(results[-1]))
        reached = all(result.is_reached for result in results)
        if args.only in "start-up":
            try:
                start = startup.measure(images, args.rounds)
                reached &= start.is_reached
                verdict = "reached" if start.is_reached else "**missed**"
                text = (
                    f"From the command line to the first data, over UDP: ours {start.ours:.2f} s, "
                    f"smpmgr 0.19.1 {start.smpmgr:.2f} s (at most as late: {verdict})."
                )
            except CannotMeasure as error:
                reached = False
                text = f"From the command line to the first data: **not measured**: {error}"
            lines += ["", text]
            print(f"\n{text}")
    print(f"\n{conditions}\n{'all reached' if reached else 'NOT all reached'}")
    if args.json:
        args.json.write_text(json.dumps([asdict(r) for r in results], indent=2), encoding="utf-8")
    if args.write:
        _write("\n".join([*lines, "", conditions]), results)
    return 0 if reached else 1


def _show(result: Result) -> str:
    line = f"| {' | '.join(result.cells())} |"
    print(line, flush=True)
    return line


def _conditions(rounds: int) -> str:
    """Say what the figures were measured on; warn of a machine that is busy."""
    load = ""
    if hasattr(os, "getloadavg"):
        busy = os.getloadavg()[0]
        load = f", load average {busy:.1f} at the start"
        if busy > 0.5 * (os.cpu_count() or 1):
            print("this machine is busy: every event that a client is late for is lost to it")
    return (
        f"Medians of {rounds} runs (3 of real servers), Python {platform.python_version()} on "
        f"{platform.system()}, {os.cpu_count()} cores{load}."
    )


def _write(table: str, results: list[Result]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    new = f"{_BEGIN}\n{table}\n{_END}"
    pattern = f"{re.escape(_BEGIN)}.*{re.escape(_END)}"
    PAGE.write_text(re.sub(pattern, lambda _: new, text, flags=re.DOTALL), encoding="utf-8")
    PICTURE.write_text(plot.draw(results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
