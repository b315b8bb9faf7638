# SPDX-License-Identifier: Apache-2.0
"""Make the pictures of the documentation from real runs: `python docs/make_pictures.py`.

Runs each command in a pseudo-terminal, lets a terminal emulator (pyte) draw what a person would
see, and writes that screen as SVG (rich). Needs `pip install pyte` and a POSIX system.
"""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import struct
import sys
import tempfile
import termios
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURES = REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT = 104, 60

# Picture -> (sample, what is typed as the command, its arguments behind `dfu-ble`).
RUNS = {
    "run": ("build-swap", ["-d", "build-swap", "--link", "virtual"]),
    "run-direct-xip": ("build-direct-xip", ["-d", "build-direct-xip", "--link", "virtual"]),
}


def screen_of(arguments: list[str], cwd: Path) -> pyte.Screen:
    """Run `dfu-ble` with `arguments` in a terminal and return its last screen."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    # The pseudo-terminal gives CR LF itself.
    stream = pyte.ByteStream(screen)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(cwd)
        os.environ.update(TERM="xterm-256color", COLUMNS=str(WIDTH), LINES=str(HEIGHT))
        os.environ.pop("NO_COLOR", None)
        os.execv(sys.executable, [sys.executable, "-m", "west_dfu_ble", *arguments])  # noqa: S606 - no shell is wanted
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux says so when the child has closed its side
            break
        if not data:
            break
        stream.feed(data)
    _, status = os.waitpid(process, 0)
    if status:
        raise SystemExit(f"dfu-ble {' '.join(arguments)} ended with {status >> 8}")
    return screen


def as_text(screen: pyte.Screen) -> list[Text]:
    """Return the screen's lines down to the last one with anything on it."""
    lines = []
    for row in range(screen.lines):
        line = Text()
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            colour = None if cell.fg == "default" else cell.fg
            if colour and len(colour) == 6 and all(c in "0123456789abcdef" for c in colour):
                colour = f"#{colour}"
            line.append(cell.data, Style(color=_NAMES.get(colour or "", colour), bold=cell.bold))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


# pyte's names of the bright colours -> rich's
_NAMES = {"brown": "yellow", "brightblack": "bright_black", "brightbrown": "bright_yellow"}


def main() -> None:
    """Draw every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for picture, (sample, arguments) in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            # A copy: the run writes its update images into the build directory.
            tiny = Path(folder) / "tiny"
            shutil.copytree(REPOSITORY / "samples" / "tiny", tiny)
            for made in (tiny / sample / "zephyr").glob("*update.bin"):
                made.unlink()
            screen = screen_of(arguments, tiny)
        with Path(os.devnull).open("w") as nowhere:
            console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
            console.print(Text(f"$ west dfu-ble {' '.join(arguments)}", style="bold"))
            for line in as_text(screen):
                console.print(line, soft_wrap=True)
            console.save_svg(str(PICTURES / f"{picture}.svg"), title="west dfu-ble")


if __name__ == "__main__":
    main()
