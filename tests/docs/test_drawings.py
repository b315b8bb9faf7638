# SPDX-License-Identifier: Apache-2.0
"""The pictures are those that their scripts make, of commands that exist."""

from __future__ import annotations

import argparse
import shlex

import pytest

import updates
from west_dfu_ble import cli


@pytest.mark.parametrize(("name", "svg"), updates.pictures().items(), ids=lambda value: value[:20])
def test_drawing_of_an_update_is_up_to_date(name: str, svg: str) -> None:
    """`python docs/drawings/updates.py` draws them."""
    assert (updates.PICTURES / name).read_text(encoding="utf-8") == svg


def test_commands_in_the_pictures_of_the_terminal_exist() -> None:
    pytest.importorskip("fcntl", reason="the pictures are made on a POSIX system")
    pytest.importorskip("pyte", reason="the extra `docs` is not installed")
    import terminal

    parser = argparse.ArgumentParser(allow_abbrev=False)
    cli.add_arguments(parser)
    for name, scene in terminal.SCENES.items():
        assert (terminal.PICTURES / f"{name}.svg").exists()
        words = shlex.split(scene.arguments.format(link="virtual"))
        parser.parse_args(words)
        shown = (terminal.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert f"$&#160;west&#160;dfu-ble&#160;{words[0]}" in shown
