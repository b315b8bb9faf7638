# SPDX-License-Identifier: Apache-2.0
"""Make the pictures of the terminal from real runs: ``python docs/drawings/terminal.py [NAME...]``.

Runs each command in a pseudo-terminal on a copy of the sample, lets a terminal emulator (pyte) draw
what a person would see, and writes that screen as SVG (rich). Needs the extra ``docs`` and a POSIX
system.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from west_dfu_ble.virtual import Access, RadioProfile, VirtualDevice, profile_for_image
from west_dfu_ble.virtual.hci_server import HciServer

REPOSITORY = Path(__file__).resolve().parents[2]
PICTURES = REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT = 118, 60
_PROGRAM = [sys.executable, "-m", "west_dfu_ble"]


@dataclass(frozen=True)
class Scene:
    """A picture: what is typed behind `dfu-ble`, and what the copy of the sample is before.

    `off` are symbols that are switched off in it, where a person would and in what the build made
    of that. `{link}` in the arguments leads to `doors` virtual devices of one air. `status` is what
    the command ends with.
    """

    title: str
    arguments: str
    status: int = 0
    off: tuple[str, ...] = ()
    doors: int = 0


SCENES = {
    "run": Scene("The whole job on the sample", "-d build-swap --link virtual"),
    "run-direct-xip": Scene("The whole job with direct-xip", "-d build-direct-xip --link virtual"),
    "check": Scene(
        "A check with findings",
        "check -d build-swap",
        status=3,
        off=("CONFIG_MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK", "CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY"),
    ),
    "faults": Scene("Every fault in every phase", "rehearse -d build-swap --faults"),
    "status": Scene("What a device holds", "status -d build-swap --link virtual"),
    "several": Scene(
        "Three devices at once",
        "-d build-swap --link {link} --all-named 'Door *'",
        doors=3,
    ),
    "explain": Scene("What a rule is about", "explain KC155"),
}


def screen_of(arguments: Sequence[str], cwd: Path, expected: int) -> pyte.Screen:
    """Run `dfu-ble` with `arguments` in a terminal and return its last screen."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    # The pseudo-terminal gives CR LF itself.
    stream = pyte.ByteStream(screen)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(cwd)
        os.environ.update(TERM="xterm-256color", COLUMNS=str(WIDTH), LINES=str(HEIGHT))
        os.environ.pop("NO_COLOR", None)
        os.execv(sys.executable, [*_PROGRAM, *arguments])  # noqa: S606 - no shell is wanted
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
    if status >> 8 != expected:
        raise SystemExit(f"dfu-ble {' '.join(arguments)} ended with {status >> 8}")
    return screen


def as_text(screen: pyte.Screen) -> list[Text]:
    """Return the screen's lines down to the last one with anything on it."""
    lines = []
    for row in range(screen.lines):
        cells = [screen.buffer[row][column] for column in range(screen.columns)]
        line = Text()
        for style, run in groupby(cells, key=_style):
            line.append("".join(cell.data for cell in run), style)
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _style(cell: pyte.screens.Char) -> Style:
    colour = None if cell.fg == "default" else cell.fg
    if colour and len(colour) == 6 and all(c in "0123456789abcdef" for c in colour):
        colour = f"#{colour}"
    return Style(color=_NAMES.get(colour or "", colour), bold=cell.bold)


# pyte's names of the bright colours -> rich's
_NAMES = {"brown": "yellow", "brightblack": "bright_black", "brightbrown": "bright_yellow"}


def as_svg(scene: Scene, arguments: Sequence[str], lines: list[Text]) -> str:
    """Return the screen as SVG that names no font but the system's, and fetches nothing."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text(f"$ west dfu-ble {shlex.join(arguments)}", style="bold"))
        for line in lines:
            console.print(line, soft_wrap=True)
        svg = console.export_svg(title="west dfu-ble")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    head, tag, rest = svg.partition(">")
    return f'{head} role="img"{tag}<title>{escape(scene.title)}</title>{rest}\n'


def prepare(scene: Scene, folder: Path) -> Path:
    """Return a copy of the sample: a run writes its update images into the build directory."""
    tiny = folder / "tiny"
    shutil.copytree(REPOSITORY / "samples" / "tiny", tiny)
    for pattern in ("*update.bin", "dfu_application.zip*"):
        for made in tiny.glob(f"build-*/zephyr/{pattern}"):
            made.unlink()
    for symbol in scene.off:
        for path in (tiny / "prj_swap.conf", tiny / "build-swap" / "zephyr" / ".config"):
            text = path.read_text(encoding="utf-8")
            text = text.replace(f"{symbol}=y", f"# {symbol} is not set")
            path.write_text(text, encoding="utf-8")
            os.utime(path, (1, 1))  # older than what was built from it
    return tiny


@contextmanager
def doors(count: int, tiny: Path) -> Iterator[str]:
    """Serve `count` devices that run the sample in a lower version; gives the link there."""
    if not count:
        yield ""
        return
    sign = ["sign", "-d", "build-swap", "--image-version", "1.1.0", "--output", "running"]
    subprocess.run([*_PROGRAM, *sign], cwd=tiny, check=True, capture_output=True)
    running = profile_for_image((tiny / "running" / "app_update.bin").read_bytes())
    radios = [
        RadioProfile(
            name=f"Door {number}",
            advertise_service=True,
            access=Access.OPEN,
            address=f"C0:FF:EE:00:03:{number:02X}",
        )
        for number in range(1, count + 1)
    ]
    ready, stop, place = threading.Event(), threading.Event(), ""

    async def serve() -> None:
        nonlocal place
        first, *others = [VirtualDevice(replace(running, radio=radio)) for radio in radios]
        radio = first.on_air()
        for other in others:
            radio.add_device(other)
        await radio.switch_on()
        server = HciServer(radio)
        place = f"hci:tcp-client:127.0.0.1:{await server.start('127.0.0.1', 0)}"
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.02)
        await server.close()
        await radio.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield place
    finally:
        stop.set()
        thread.join()


def main(names: Sequence[str]) -> None:
    """Draw the pictures of these names, or all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in names or SCENES:
        scene = SCENES[name]
        with tempfile.TemporaryDirectory() as folder:
            tiny = prepare(scene, Path(folder))
            with doors(scene.doors, tiny) as link:
                arguments = shlex.split(scene.arguments.format(link=link))
                screen = screen_of(arguments, tiny, scene.status)
        svg = as_svg(scene, arguments, as_text(screen))
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
