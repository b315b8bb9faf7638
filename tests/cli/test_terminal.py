# SPDX-License-Identifier: Apache-2.0
"""What a person sees: terminals of any width, without colour or screen; pipes; code pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyte
import pytest

from shell import Terminal
from west_dfu_ble.options import ACTIONS, FORMATS, make_parser
from west_dfu_ble.report.folding import fold

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX systems")
RUN = [sys.executable, "-m", "west_dfu_ble"]
CODE = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")
UPDATE = ("-d", "build-swap", "--link", "virtual", "--speed", "max")
PLAIN = {"NO_COLOR": "", "FORCE_COLOR": "", "COLUMNS": "", "TERM": "xterm-256color"}


@pytest.fixture
def failing(tiny: Path) -> Path:
    """The samples, of which one lacks the module and its image manager."""
    config = tiny / "build-swap/zephyr/.config"
    text = config.read_text(encoding="utf-8")
    for symbol in ("CONFIG_CAF_BLE_SMP", "CONFIG_IMG_MANAGER"):
        text = text.replace(f"{symbol}=y", f"# {symbol} is not set")
    config.write_text(text, encoding="utf-8")
    return tiny


def on_terminal(
    folder: Path, *arguments: str, columns: int = 100, set_: Mapping[str, str] = PLAIN
) -> tuple[int, str]:
    """Exit status and everything written to a terminal of this width."""
    terminal = Terminal(
        [*RUN, *arguments], columns=columns, environment={**PLAIN, **set_}, cwd=folder
    )
    status = terminal.run()
    return status, terminal.seen.decode()


def piped(folder: Path, *arguments: str, **set_: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **PLAIN, **set_}
    command = [*RUN, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, timeout=100, check=False
    )


@posix
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_prose_fits_the_terminal(failing: Path, columns: int) -> None:
    status, text = on_terminal(failing, "check", "-d", "build-swap", columns=columns)
    assert status == 3
    lines = CODE.sub("", text).replace("\r", "").splitlines()
    # What is to be copied is one line, however long.
    prose = [line for line in lines if not re.match(r" {13}|  --> ", line)]
    longer = [line for line in prose if len(line) > columns]
    # A word alone may be longer: a path, or the name of a symbol.
    assert [line for line in longer if len(line.split()) > 1] == []
    (why,) = [at for at, line in enumerate(lines) if "= why:  The module" in line]
    assert (lines[why + 1].startswith(" " * 11)) or columns == 200
    assert any(line.startswith("  --> build-swap/zephyr/.config:") for line in lines)


@posix
def test_columns_is_believed_before_the_terminal(failing: Path) -> None:
    _, text = on_terminal(failing, "check", "-d", "build-swap", columns=200, set_={"COLUMNS": "50"})
    assert max(len(line) for line in CODE.sub("", text).split("\r\n") if " why:  " in line) <= 50


@posix
@pytest.mark.parametrize("columns", [40, 200])
def test_progress_leaves_one_clean_line_a_step(tiny: Path, columns: int) -> None:
    status, text = on_terminal(tiny, *UPDATE, columns=columns)
    assert status == 0
    screen = pyte.Screen(columns, 50)
    pyte.Stream(screen).feed(text)
    rows = [row.rstrip() for row in screen.display if row.strip()]
    steps = [row.split()[0] for row in rows if re.match(r"\w+ {1,7}\S", row)]
    order = ("check", "sign", "connect", "inspect", "upload", "activate", "reset", "verify")
    assert [step for at, step in enumerate(steps) if step in order and step not in steps[:at]] == [
        *order
    ]
    (bar,) = [row for row in rows if "━" in row]
    assert bar.startswith("upload ")
    assert ("kB/s" in bar) == (columns == 200)
    assert "runs 1.2.0" in " ".join(rows[-3:])


@posix
@pytest.mark.parametrize(
    ("set_", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
    ids=str,
)
def test_colour_on_a_terminal(failing: Path, set_: dict[str, str], coloured: bool) -> None:
    _, text = on_terminal(failing, "check", "-d", "build-swap", set_=set_)
    assert ("\x1b[1;31merror[KC150]" in text) == coloured
    assert ("\x1b" in text) == coloured


@posix
def test_a_dumb_terminal_gets_lines(tiny: Path) -> None:
    status, text = on_terminal(tiny, *UPDATE, set_={"TERM": "dumb"})
    assert status == 0
    assert "\x1b" not in text
    assert "\r" not in text.replace("\r\n", "")
    assert re.search(r"^upload +app_update\.bin [\d.]+ of ", text, re.MULTILINE)


@posix
def test_frames_on_a_terminal_stand_between_lines(tiny: Path) -> None:
    status, text = on_terminal(tiny, *UPDATE, "-v", columns=200)
    assert status == 0
    assert "\x1b[" not in text.replace("\x1b[1;36m", "").replace("\x1b[0m", "")
    assert re.search(r"^ +\d+\.\d{3} -> write image upload seq ", text, re.MULTILINE)


def test_a_pipe_gets_no_colour_and_no_folding(failing: Path) -> None:
    done = piped(failing, "check", "-d", "build-swap", COLUMNS="40")
    assert b"\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) > 100
    forced = piped(failing, "check", "-d", "build-swap", FORCE_COLOR="1")
    assert b"\x1b[1;31merror[KC150]" in forced.stdout
    as_json = piped(failing, "check", "-d", "build-swap", "--format", "json", FORCE_COLOR="1")
    assert b"\x1b" not in as_json.stdout


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("name", FORMATS)
def test_any_code_page_takes_every_format(failing: Path, encoding: str, name: str) -> None:
    odd = failing / "bäu →"
    (failing / "build-swap").rename(odd)
    done = piped(failing, "check", "-d", odd.name, "--format", name, PYTHONIOENCODING=encoding)
    assert done.returncode == 3, done.stderr
    assert b"KC150" in done.stdout
    assert b"Traceback" not in done.stderr
    done.stdout.decode(encoding)


@pytest.mark.parametrize("action", [None, *ACTIONS])
def test_help_needs_no_more_than_ascii(action: str | None) -> None:
    # argparse writes it to whatever the stream can take.
    parser = make_parser()
    if action is not None:
        (actions,) = (a.choices for a in parser._actions if isinstance(a.choices, dict))
        parser = actions[action]
    assert parser.format_help().isascii()


def test_folding() -> None:
    why = "   = why:  The device must always boot."
    assert fold(why, None) == why
    assert fold(why, 30) == "   = why:  The device must\n           always boot."
    assert fold(why, 20) == why, "there is no room to fold in"
    path = "  --> " + "a/b c/" * 20
    assert fold(path, 40) == path
    assert fold("upload   \x1b[1maa bb\x1b[0m cc " + "d" * 30, 40) == (
        "upload   \x1b[1maa bb\x1b[0m cc\n         " + "d" * 30
    )
