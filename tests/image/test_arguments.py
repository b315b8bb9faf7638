# SPDX-License-Identifier: Apache-2.0
"""What imgtool is told, for every layout and version: against real builds, and a table."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from signing_builds import make_build
from signing_table import CHILD, TABLE, Row
from west_dfu_ble import builddir, image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode as Mode

BUILDS = Path(__file__).resolve().parents[2].parent / "shared" / "builds"
RECORDED = "/home/user/ws/build"


def recorded(name: str) -> list[list[str]]:
    """Every `imgtool sign` of a real build that made a file to upload, as lists of arguments."""
    folder = BUILDS / name
    if not folder.is_dir():
        pytest.skip("the real build directories are not here (../shared/builds)")
    commands = []
    for line in (folder / "imgtool-commands.txt").read_text().splitlines():
        line = line.partition("COMMAND = ")[2] or line
        for command in line.split(" && "):
            words = shlex.split(command)
            if "sign" in words and words[-1].endswith("_update.bin"):
                commands.append(words[words.index("sign") :])
    # Upstream's `west sign` prints what it runs.
    for line in (folder / "imgtool-analysis.txt").read_text().splitlines():
        words = line.split()
        if words[:1] == ["WEST"] and words[2:3] == ["sign"] and words[-1].endswith(".bin"):
            commands.append(words[2:])
    return commands


@pytest.mark.parametrize(
    ("name", "slots"),
    [
        ("ncs-2.5.0-child-image-direct-xip", (0, 1)),
        ("ncs-2.5.0-child-image-swap", (0,)),
        ("zephyr-3.5.0-sysbuild-swap", (0,)),
    ],
)
def test_same_as_the_real_build(name: str, slots: tuple[int, ...]) -> None:
    commands = recorded(name)
    build = builddir.load(BUILDS / name)
    assert build.key is not None

    made = [
        image.sign_arguments(build, slot, source=Path(command[-2]), target=Path(command[-1]))
        for slot, command in zip(slots, commands, strict=True)
    ]

    assert made == commands


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_table(row: Row, tmp_path: Path) -> None:
    _, layout, mode, settings, facts, slot, expected = row
    build = make_build(tmp_path, layout, mode, *settings, key=Path("K"), **facts)

    made = image.sign_arguments(build, slot, source=Path("in.bin"), target=Path("out.bin"))

    assert made == ["sign", *shlex.split(expected), "in.bin", "out.bin"]


def test_the_caller_s_key_and_version_come_first(tmp_path: Path) -> None:
    build = make_build(tmp_path, key=Path("K"))
    made = image.sign_arguments(
        build, 0, source=Path("i"), target=Path("o"), key=Path("mine.pem"), version="9.8.7"
    )
    assert made[made.index("--key") + 1] == "mine.pem"
    assert made[made.index("--version") + 1] == "9.8.7"


@pytest.mark.parametrize(
    "version", ["", "v1.2.3", "1.2.3-rc1", "01.2.3", "256.0.0", "1.0.65536", "1.2.3+4294967296"]
)
def test_version_that_is_none(tmp_path: Path, version: str) -> None:
    build = make_build(tmp_path, key=Path("K"), version="bad" if version == "" else version)
    with pytest.raises(DfuBleError) as caught:
        image.sign_arguments(build, 0, source=Path("i"), target=Path("o"))
    assert caught.value.diagnostic.code == "IM314"
    assert caught.value.diagnostic.message == f"the version is `{build.version}`"
    assert caught.value.diagnostic.location == build.version_location


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", (1, 0, 0, 0)), ("1.2", (1, 2, 0, 0)), ("255.255.65535+4294967295", None)],
)
def test_version_as_imgtool_reads_it(text: str, expected: tuple[int, ...] | None) -> None:
    from imgtool.version import decode_version

    parsed = image.parse_version(text)
    assert (parsed.major, parsed.minor, parsed.revision, parsed.build) == tuple(
        decode_version(text)
    )
    assert expected is None or tuple(decode_version(text)) == expected


def test_extra_arguments_that_do_not_end(tmp_path: Path) -> None:
    build = make_build(
        tmp_path,
        CHILD,
        Mode.SWAP_USING_MOVE,
        'CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS=--vid "open',
        key=Path("K"),
    )
    with pytest.raises(DfuBleError) as caught:
        image.sign_arguments(build, 0, source=Path("i"), target=Path("o"))
    assert caught.value.diagnostic.code == "IM315"
    assert caught.value.diagnostic.location is not None
    assert caught.value.diagnostic.location.line == 5


def test_a_build_without_slots(tmp_path: Path) -> None:
    build = replace(make_build(tmp_path, key=Path("K")), slots=())
    with pytest.raises(DfuBleError) as caught:
        image.sign_arguments(build, 0, source=Path("i"), target=Path("o"))
    assert caught.value.diagnostic.code == "IM315"
