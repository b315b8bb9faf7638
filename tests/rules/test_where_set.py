# SPDX-License-Identifier: Apache-2.0
"""Findings say where their symbols were set: the line to edit, or why it is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_builds import Edits, SmallBuild
from west_dfu_ble import builddir
from west_dfu_ble.diagnostics import Location, Note
from west_dfu_ble.rules import CheckOptions, evaluate


def notes(folder: Path, code: str, application: Edits, prj: str, **files: str) -> list[Note]:
    """Write a build with its sources and return the notes of one finding."""
    source, build = folder / "app", folder / "app/build"
    source.mkdir()
    (source / "prj.conf").write_text(prj)
    (source / "more.conf").write_text(files.get("more", ""))
    (source / "sysbuild.conf").write_text("")
    (source / "board_defconfig").write_text(files.get("board", ""))
    SmallBuild(application).write(build)
    for cache in build.rglob("CMakeCache.txt"):
        text = cache.read_text().replace("/src/app", str(source))
        cache.write_text(
            f"{text}CMAKE_CACHEFILE_DIR:INTERNAL={build}\nBOARD:STRING=board\n"
            f"BOARD_DIR:PATH={source}\nCACHED_CONF_FILE:STRING={source}/prj.conf\n"
            f"EXTRA_CONF_FILE:STRING={source}/more.conf\n" + files.get("cache", "")
        )
    report = evaluate(builddir.load(build), CheckOptions())
    finding = next(one for one in report.findings if one.code == code)
    # What the rule itself says comes first.
    return [note for note in finding.notes if "depends on `" not in note.text]


REASSEMBLY = "CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY"
OFF = {"MCUMGR_TRANSPORT_BT_REASSEMBLY": "n"}


def test_line_that_counts_and_the_earlier_one(tmp_path: Path) -> None:
    found = notes(
        tmp_path, "KC190", OFF, f"{REASSEMBLY}=y\n", more=f"# text\n# {REASSEMBLY} is not set\n"
    )
    assert found[-2:] == [
        Note(f"`{REASSEMBLY}` is set to `n`", Location(tmp_path / "app/more.conf", 2)),
        Note("an earlier line has `y`", Location(tmp_path / "app/prj.conf", 1)),
    ]


def test_assigned_and_dropped(tmp_path: Path) -> None:
    found = notes(tmp_path, "KC190", OFF, f"{REASSEMBLY}=y\n")
    assert found[-1] == Note(
        f"`{REASSEMBLY}` is assigned `y`, but Kconfig dropped it: something that it depends on is "
        "off, or this SDK has no such option",
        Location(tmp_path / "app/prj.conf", 1),
    )


def test_number_that_came_out_otherwise(tmp_path: Path) -> None:
    size = "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE"
    edits = {"MCUMGR_TRANSPORT_NETBUF_SIZE": "384"}
    found = notes(tmp_path, "KC191", edits, f"{size}=99999\n")
    assert found[-1].text == (
        f"`{size}` is assigned `99999`, but Kconfig took another value: something that it depends "
        "on is off, or it is out of range"
    )


def test_board_and_command_line(tmp_path: Path) -> None:
    found = notes(tmp_path, "KC190", OFF, "", board=f"{REASSEMBLY}=n\n")
    assert found[-1].text == f"`{REASSEMBLY}` is set to `n` by the board's defaults"
    (tmp_path / "other").mkdir()
    found = notes(tmp_path / "other", "KC190", OFF, "", cache=f"{REASSEMBLY}:UNINITIALIZED=n\n")
    assert found[-1].text == f"`{REASSEMBLY}` is set to `n` on the command line (`-D`)"


def test_nobody_assigns_it(tmp_path: Path) -> None:
    found = notes(tmp_path, "KC190", OFF, "CONFIG_BT=y\n")
    assert found[-1] == Note(
        f"no configuration file assigns `{REASSEMBLY}`: a default, or what other options select"
    )


def test_every_symbol_of_the_finding_is_looked_up(tmp_path: Path) -> None:
    edits: Edits = {"CAF_BLE_SMP": None, "MCUMGR_GRP_IMG": None, "FLASH": "n"}
    found = notes(tmp_path, "KC150", edits, "CONFIG_CAF_BLE_SMP=y\nCONFIG_FLASH=n\n")
    texts = [note.text for note in found]
    assert texts[0].startswith("`CONFIG_CAF_BLE_SMP` is assigned `y`, but Kconfig dropped it")
    assert "`CONFIG_FLASH` is set to `n`" in texts
    assert texts[-1] == (
        "no configuration file assigns `CONFIG_MCUMGR_GRP_IMG`: a default, or what other options "
        "select"
    )


@pytest.mark.parametrize(
    ("cache", "prj", "expected"),
    [
        (
            "OVERLAY_CONFIG:STRING=/gone/a.conf\n",
            "",
            f"where `{REASSEMBLY}` is set is unknown: `/gone/a.conf` is not on this machine",
        ),
        (
            "OVERLAY_CONFIG:STRING=/gone/a.conf;/gone/b.conf;/gone/c.conf\n",
            f"{REASSEMBLY}=n\n",
            f"where `{REASSEMBLY}` is set is unknown: `/gone/a.conf`, `/gone/b.conf` and 1 more "
            "are not on this machine",
        ),
    ],
)
def test_unknown_names_the_files_that_are_not_here(
    tmp_path: Path, cache: str, prj: str, expected: str
) -> None:
    found = notes(tmp_path, "KC190", OFF, prj, cache=cache)
    assert found[-1] == Note(expected)
    if prj:
        assert found[-2] == Note(
            f"`{REASSEMBLY}` is, as far as can be seen, set to `n`",
            Location(tmp_path / "app/prj.conf", 1),
        )
