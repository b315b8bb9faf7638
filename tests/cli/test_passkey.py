# SPDX-License-Identifier: Apache-2.0
"""A device shows a passkey, and somebody sits at the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from boards import make_update
from crowd import make_crowd, served
from served_device import in_thread
from shell import Terminal
from west_dfu_ble.virtual import Access, VirtualDevice

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX systems")
KEYS = {"Door 1": "000042", "Door 2": "271828"}


@contextmanager
def asking(folder: Path, names: Sequence[str]) -> Iterator[Terminal]:
    """An update of these devices, in a terminal, that has come to its first question."""
    boards = [
        VirtualDevice(
            replace(
                board.profile,
                radio=replace(
                    board.radio, access=Access.AUTHENTICATED, passkey=int(KEYS[board.radio.name])
                ),
            )
        )
        for board in make_crowd(names)
    ]
    image = folder / "update.bin"
    image.write_bytes(make_update())
    named = [word for name in names for word in ("--device", name)]
    with in_thread(served(boards)) as link:
        command = [sys.executable, "-m", "west_dfu_ble", "upload", "--image", str(image), *named]
        own = {name: str(folder) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
        terminal = Terminal(
            [*command, "--link", link], environment={**own, "TERM": "xterm", "NO_COLOR": ""}
        )
        assert terminal.wait_for("shows: "), terminal.seen
        yield terminal


def test_it_is_asked_for_and_nothing_is_drawn_over_the_question(tmp_path: Path) -> None:
    with asking(tmp_path, ["Door 1"]) as terminal:
        assert not terminal.wait_for("for a moment", 0.7)
        assert terminal.seen.endswith(b"passkey that the device shows: ")
        terminal.type("000042\r")
        assert terminal.run() == 0, terminal.seen
        assert b"the device runs 2.0.0" in terminal.seen


def test_ctrl_c_is_an_answer_too(tmp_path: Path) -> None:
    with asking(tmp_path, ["Door 1"]) as terminal:
        began = time.monotonic()
        terminal.type("\x03")
        assert terminal.run() == 130, terminal.seen
        assert time.monotonic() - began < 20
        assert b"nothing was written to the device" in terminal.seen
        assert b"Traceback" not in terminal.seen


def test_of_several_devices_each_has_its_turn(tmp_path: Path) -> None:
    with asking(tmp_path, list(KEYS)) as terminal:
        (first,) = [name for name in KEYS if f"passkey that {name}".encode() in terminal.seen]
        (second,) = set(KEYS) - {first}
        terminal.type(f"{KEYS[first]}\r")
        assert terminal.wait_for(f"passkey that {second} shows: ")
        terminal.type(f"{KEYS[second]}\r")
        assert terminal.run() == 0, terminal.seen
        assert b"2 devices: 2 done" in terminal.seen
