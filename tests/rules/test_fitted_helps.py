# SPDX-License-Identifier: Apache-2.0
"""A help names the build's own file, and does not ask for lines that are there without effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_builds import SmallBuild
from west_dfu_ble import builddir
from west_dfu_ble.rules import CheckOptions, evaluate

IN_VAIN = (
    "these lines are there already, and Kconfig does not keep them: see its warnings "
    "(`west build --pristine`), and give them what they depend on"
)


@pytest.mark.parametrize(
    ("name", "line", "text"),
    [
        ("prj.conf", "", "add to `prj.conf`"),
        ("prj_release.conf", "", "add to `prj_release.conf`"),
        ("prj_release.conf", "CONFIG_REBOOT=n\n", "add to `prj_release.conf`"),
        ("prj_release.conf", "CONFIG_REBOOT=y\n", IN_VAIN),
    ],
)
def test_help_fits_the_build(tmp_path: Path, name: str, line: str, text: str) -> None:
    source, build = tmp_path / "app", tmp_path / "app/build"
    SmallBuild({"REBOOT": "n"}).write(build)
    (source / name).write_text(line)
    (source / "board_defconfig").write_text("")
    cache = build / "CMakeCache.txt"
    cache.write_text(
        cache.read_text().replace("/src/app", str(source))
        + f"CMAKE_CACHEFILE_DIR:INTERNAL={build}\nBOARD:STRING=board\n"
        f"BOARD_DIR:PATH={source}\nCACHED_CONF_FILE:STRING={source / name}\n"
    )
    report = evaluate(builddir.load(build), CheckOptions(select=("KC171",)))
    (helping,) = report.findings[0].helps
    assert (helping.text, helping.file, helping.edit) == (text, "prj.conf", "CONFIG_REBOOT=y\n")
