# SPDX-License-Identifier: Apache-2.0
"""Partition Manager's files that can't be read, or contradict themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from made_builds import FLASH, SLOTS, child_image_build, partition, write
from unreadable import Case, assert_unreadable, put, remove, several
from west_dfu_ble.builddir import load
from west_dfu_ble.diagnostics import DfuBleError

CASES = [
    Case(
        "partitions-not-yaml",
        put("partitions.yml", "app: [1, {"),
        "EN004",
        "partitions.yml:1",
        "`partitions.yml` is not YAML",
    ),
    Case(
        "partitions-list",
        put("partitions.yml", "- app\n"),
        "EN004",
        "partitions.yml:1",
        "`partitions.yml` is not a map of names",
    ),
    Case(
        "partitions-empty",
        put("partitions.yml", ""),
        "EN004",
        "partitions.yml",
        "`partitions.yml` is empty",
    ),
    Case(
        "partitions-without-secondary",
        put("partitions.yml", SLOTS.replace("mcuboot_secondary:", "spare:")),
        "EN004",
        "partitions.yml",
        "`partitions.yml` has no partition `mcuboot_secondary`",
    ),
    Case(
        "partitions-without-primary",
        put("partitions.yml", SLOTS.replace("mcuboot_primary:", "spare:")),
        "EN004",
        "partitions.yml",
        "`partitions.yml` has no partition `mcuboot_primary`",
    ),
    Case(
        "partition-without-size",
        put("partitions.yml", "app:\n  address: 0x0\n"),
        "EN004",
        "partitions.yml:2",
        "`app` has no `size`",
    ),
    Case(
        "partition-with-words",
        put("partitions.yml", "app:\n  address: 0x0\n  size: large\n"),
        "EN004",
        "partitions.yml:3",
        "`size` of `app` is `large`, not a number",
    ),
    Case(
        "partition-negative",
        put("partitions.yml", "app:\n  address: -1\n  size: 0x10\n"),
        "EN004",
        "partitions.yml:2",
        "`address` of `app` is `-1`, not a number",
    ),
    Case(
        "partition-twice",
        put("partitions.yml", SLOTS + partition("app", 0, 0x10)),
        "EN004",
        f"partitions.yml:{SLOTS.count(chr(10)) + 1}",
        "`partitions.yml` has `app` twice",
    ),
    Case(
        "partition-text",
        put("partitions.yml", "app: 5\n"),
        "EN004",
        "partitions.yml:1",
        "`app` is not a map",
    ),
    Case(
        "partition-with-an-odd-name",
        put("partitions.yml", '"a\\e[2J b":\n  address: 0\n  size: 1\n'),
        "EN004",
        "partitions.yml:1",
        "`a\ufffd[2J b` can't be a name",
    ),
    Case(
        "span-of-nothing",
        put("partitions.yml", "a:\n  address: 0\n  size: 1\n  span: [b]\n"),
        "EN004",
        "partitions.yml:4",
        "`a` spans `b`, which is no partition",
    ),
    Case(
        "partitions-overlap",
        put("partitions.yml", SLOTS + partition("storage", 0xEB000, 0x2000)),
        "EN004",
        f"partitions.yml:{SLOTS.count(chr(10)) + 2}",
        "partitions `mcuboot_secondary` and `storage` overlap: `storage` begins at 0xeb000, "
        "before `mcuboot_secondary` ends at 0xec000",
    ),
    Case(
        "slots-overlap",
        put(
            "partitions.yml",
            SLOTS.replace("size: 0x70000\n  span", "size: 0x78000\n  span"),
        ),
        "EN004",
        "partitions.yml:34",
        "partitions `mcuboot_primary` and `mcuboot_secondary` overlap: `mcuboot_secondary` begins "
        "at 0x7c000, before `mcuboot_primary` ends at 0x84000",
    ),
    Case(
        "regions-not-yaml",
        put("regions.yml", "flash_primary: }"),
        "EN004",
        "regions.yml:1",
        "`regions.yml` is not YAML",
    ),
    Case(
        "pm-config-garbage",
        several(remove("partitions.yml"), put("pm.config", "PM_NUM=1\nfoo\n")),
        "EN004",
        "pm.config:2",
        "`pm.config` has a line that sets nothing: `foo`",
    ),
    Case(
        "pm-config-without-size",
        several(remove("partitions.yml"), put("pm.config", "PM_A_ADDRESS=0x0\nPM_A_NAME=a\n")),
        "EN004",
        "pm.config:2",
        "partition `a`: lacks `PM_A_SIZE`",
    ),
    Case(
        "pm-config-empty",
        several(remove("partitions.yml"), put("pm.config", "")),
        "EN004",
        "pm.config",
        "`pm.config` names no partition",
    ),
    Case(
        "other-domain-broken",
        put("partitions_CPUNET.yml", "app:\n  address: 0\n"),
        "EN004",
        "partitions_CPUNET.yml:2",
        "`app` has no `size`",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_unreadable(tmp_path: Path, case: Case) -> None:
    assert_unreadable(tmp_path, case)


def test_overlap_says_where_both_begin(tmp_path: Path) -> None:
    child_image_build(tmp_path)
    write(tmp_path, {"partitions.yml": SLOTS + partition("storage", 0xEB000, 0x2000)})
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path)
    (note,) = caught.value.diagnostic.notes
    assert note.text == "`mcuboot_secondary` begins at 0x7c000"
    assert note.location is not None
    line = (tmp_path / "partitions.yml").read_text().splitlines()[(note.location.line or 0) - 1]
    assert line == "  address: 0x7c000"


def test_missing_slot_lists_what_there_is(tmp_path: Path) -> None:
    child_image_build(tmp_path)
    write(tmp_path, {"partitions.yml": partition("app", 0, 0x1000), "regions.yml": FLASH})
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path)
    assert caught.value.diagnostic.notes[0].text == "it has app"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    child_image_build(tmp_path)
    (tmp_path / "partitions.yml").unlink()
    os.mkfifo(tmp_path / "partitions.yml")
    with pytest.raises(DfuBleError, match=r"EN004.*`partitions.yml` is not a file"):
        load(tmp_path)
