# SPDX-License-Identifier: Apache-2.0
"""Annotations: read back as the runner of GitHub Actions reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from sample_report import AWKWARD, WORKSPACE, sample_report
from west_dfu_ble import report as reports
from west_dfu_ble.faults import fault
from west_dfu_ble.report import github
from west_dfu_ble.rules import CheckOptions

_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def read(line: str) -> Command | None:
    """A workflow command as the runner reads a line: first ``::`` ends the properties."""
    found = re.fullmatch(r"::(\w+)(?: ([^\r\n]*?))?::([^\r\n]*)", line)
    if not found:
        return None
    properties = dict(part.split("=", 1) for part in (found[2] or "").split(",") if part)
    return Command(
        found[1],
        {key: unescaped(text, _PROPERTY) for key, text in properties.items()},
        unescaped(found[3], _DATA),
    )


def unescaped(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for escape, character in table:
        text = text.replace(escape, character)
    return text


def commands(options: CheckOptions | None = None) -> list[Command]:
    text = reports.render(sample_report(options), "github", colour=True, cwd=WORKSPACE)
    *lines, last = text.split("\n")
    assert last.startswith("8 rules: 2 passed, 1 error")
    read_back = [read(line) for line in lines]
    assert all(read_back)
    return [one for one in read_back if one]


def test_one_annotation_a_finding_and_none_for_what_is_waived() -> None:
    found = commands()
    assert [(one.name, one.properties["title"]) for one in found] == [
        ("error", "KC153 image-group-disabled (app)"),
        ("warning", "DT250 slot-missing"),
        ("notice", "KC182 few-buffers (mcuboot)"),
        ("notice", "DT251 slots-differ not evaluated"),
    ]
    assert found[0].properties == {
        "file": "build/zephyr/.config",
        "line": "12",
        "title": "KC153 image-group-disabled (app)",
    }
    assert found[0].message == (
        "`CONFIG_MCUMGR_GRP_IMG` is off\n"
        "The device answers every image command with an error.\n"
        "help: add to `prj.conf`\n"
        "    CONFIG_IMG_MANAGER=y\n"
        "    CONFIG_MCUMGR_GRP_IMG=y\n"
        "more: west dfu-ble explain KC153"
    )


def test_whatever_stands_in_a_path_or_message_comes_through_unharmed() -> None:
    annotation = commands()[1]
    assert annotation.properties == {
        "file": "../sdk 1,2:3%/board.dts",
        "title": "DT250 slot-missing",
    }
    assert annotation.message.startswith(f"{AWKWARD}\nA path outside")


def test_what_ends_a_strict_check_is_a_warning() -> None:
    assert commands(CheckOptions(strict=True))[3].name == "warning"


def test_a_message_can_not_smuggle_in_a_command() -> None:
    error = fault("EN003", "x", location=Path("a,line=7.c"))
    smuggling = replace(error.diagnostic, message="x\n::error::owned\r::set-env name=A::b")
    text = github.render_error(Path("b::c,d=e"), smuggling)
    assert "\n" not in text
    assert "\r" not in text
    command = read(text)
    assert command is not None
    assert command.properties == {
        "file": "a,line=7.c",
        "title": "EN003 unreadable-kconfig (b::c,d=e)",
    }
    assert command.message.startswith("x\n::error::owned\r::set-env name=A::b\n")
