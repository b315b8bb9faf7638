# SPDX-License-Identifier: Apache-2.0
"""`samples/twister` on what twister leaves behind, in the layouts that it had and has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from made_builds import cache, kconfig, write
from recipes import shell, spoil, tool_folder
from running import Result
from sample_builds import copy_tiny

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = REPOSITORY / "samples" / "tiny"
PLATFORM = "nrf52840dk/nrf52840"

# Where twister of Zephyr 3.4, 3.7 and 4.1 builds a suite.
OLD = "nrf52840dk_nrf52840/{name}"
LATER = "nrf52840dk_nrf52840/{path}/{name}"
NOW = "nrf52840dk_nrf52840/zephyr/{path}/{name}"


def twister(folder: Path) -> Path:
    """Make an output directory: a good build, a bad one, one without MCUboot, one that failed."""
    entries = []
    for name, sample, layout, status in (
        ("sample.good", "build-swap", NOW, "not run"),
        ("sample.bad", "build-direct-xip", LATER, "passed"),
        ("sample.plain", None, OLD, "passed"),
        ("sample.broken", None, NOW, "error"),
        ("sample.lost", None, NOW, "not run"),
    ):
        path = "samples/product"
        entries.append({"name": name, "platform": PLATFORM, "path": path, "status": status})
        build = folder / layout.format(name=name, path=path)
        if sample:
            copy_tiny(build, sample)
            # Its key lies beside the sample's build directories.
            config = build / "mcuboot/zephyr/.config"
            config.write_text(config.read_text().replace('"../../keys', f'"{TINY / "keys"}'))
        elif name == "sample.plain":
            write(build, {"CMakeCache.txt": cache(), "zephyr/.config": kconfig("BT")})
        if name == "sample.bad":
            spoil(build)
    entries[3]["reason"] = "Build failure"
    report = {"environment": {"os": "linux"}, "testsuites": entries}
    (folder / "twister.json").write_text(json.dumps(report))
    return folder


def run(outdir: Path, *options: object) -> Result:
    tool = tool_folder(outdir.parent / "tool") / "bin"
    sample = REPOSITORY / "samples" / "twister"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", sample, *map(str, options)],
        cwd=outdir.parent,
        env={
            **os.environ,
            "PATH": f"{tool}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY / "scripts" / "west_commands"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_every_build_of_the_plan(tmp_path: Path) -> None:
    shell("sh")
    (tmp_path / "twister-out").mkdir()
    outdir = twister(tmp_path / "twister-out")

    result = run(outdir, "--twister-out", outdir, "--junitxml", tmp_path / "updates.xml")

    assert result.status == 1, result.out
    ended = {
        case.attrib["name"]: [child.tag for child in case]
        for case in ET.parse(tmp_path / "updates.xml").iter("testcase")
    }
    checked, updated = "test_the_build_can_be_updated", "test_it_updates_a_device"
    assert ended == {
        f"{checked}[{PLATFORM}:sample.good]": [],
        f"{updated}[{PLATFORM}:sample.good]": [],
        f"{checked}[{PLATFORM}:sample.bad]": ["failure"],
        f"{updated}[{PLATFORM}:sample.bad]": [],
        **{
            f"{test}[{PLATFORM}:sample.{name}]": ["skipped"]
            for test in (checked, updated)
            for name in ("plain", "broken", "lost")
        },
    }
    assert "KC150" in result.out
    for reason in ("twister: Build failure", "it boots without MCUboot", "made no build"):
        assert reason in result.out


@pytest.mark.parametrize("text", [None, "{", '{"testsuites": []}'])
def test_there_is_no_plan(tmp_path: Path, text: str | None) -> None:
    shell("sh")
    if text is not None:
        (tmp_path / "twister.json").write_text(text)
    result = run(tmp_path / "twister-out", "--twister-out", tmp_path)
    assert result.status == pytest.ExitCode.INTERRUPTED
    assert "twister.json" in result.out
    assert "Traceback" not in result.out
