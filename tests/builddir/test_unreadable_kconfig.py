# SPDX-License-Identifier: Apache-2.0
"""A `.config` that can't be read: one error, with its place and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_builds import kconfig
from unreadable import Case, assert_unreadable, put, remove, several

CONFIG = kconfig("BOOTLOADER_MCUBOOT", 'NAME="x"', "-BT", "SIZE=384")
GENERATED = "\n#\n# Devicetree Info\n#\nCONFIG_HAS_DTS=y\n"

CASES = [
    Case(
        "config-missing",
        remove("zephyr/.config"),
        "EN003",
        "zephyr/.config",
        "`.config` is missing",
    ),
    Case(
        "config-empty", put("zephyr/.config", ""), "EN003", "zephyr/.config", "`.config` is empty"
    ),
    Case(
        "config-blank",
        put("zephyr/.config", "\n\n"),
        "EN003",
        "zephyr/.config",
        "`.config` is empty",
    ),
    Case(
        "config-comments-only",
        put("zephyr/.config", "# nothing\n"),
        "EN003",
        "zephyr/.config",
        "`.config` holds no symbol",
    ),
    Case(
        "config-cut-in-a-value",
        put("zephyr/.config", CONFIG[:-2]),
        "EN003",
        "zephyr/.config:4",
        "`.config` is cut off in the middle of a line: `CONFIG_SIZE=38`",
    ),
    Case(
        "config-cut-in-a-name",
        put("zephyr/.config", CONFIG[:-6]),
        "EN003",
        "zephyr/.config:4",
        "`.config` is cut off in the middle of a line: `CONFIG_SIZ`",
    ),
    Case(
        "config-cut-in-a-string",
        put("zephyr/.config", 'CONFIG_BT=y\nCONFIG_NAME="x'),
        "EN003",
        "zephyr/.config:2",
        '`.config` is cut off in the middle of a line: `CONFIG_NAME="x`',
    ),
    Case(
        "config-cut-in-a-comment",
        put("zephyr/.config", "CONFIG_BT=y\n# CONFIG_X is n"),
        "EN003",
        "zephyr/.config:2",
        "`.config` is cut off in the middle of a line: `# CONFIG_X is n`",
    ),
    Case(
        "config-cut-between-lines",
        put("zephyr/.config", GENERATED),
        "EN003",
        "zephyr/.config:5",
        "`.config` is cut off after 1 symbols, without `CONFIG_KERNEL_BIN_NAME`",
    ),
    Case(
        "config-string-without-end",
        put("zephyr/.config", 'CONFIG_BT=y\nCONFIG_NAME="x\nCONFIG_Y=y\n'),
        "EN003",
        "zephyr/.config:2",
        'a string in `.config` does not end: `CONFIG_NAME="x`',
    ),
    Case(
        "config-other-text",
        put("zephyr/.config", "CONFIG_BT=y\nhello\n"),
        "EN003",
        "zephyr/.config:2",
        "`.config` has a line that sets no symbol: `hello`",
    ),
    Case(
        "config-zero-bytes",
        put("zephyr/.config", b"CONFIG_BT=y\n\0\0\0"),
        "EN003",
        "zephyr/.config:2",
        "`.config` is not text: it holds the byte 0x00",
    ),
    Case(
        "config-escape-sequence",
        put("zephyr/.config", b'CONFIG_BT=y\nCONFIG_NAME="\x1b[2J"\n'),
        "EN003",
        "zephyr/.config:2",
        "`.config` is not text: it holds the byte 0x1b",
    ),
    Case(
        "config-latin-1",
        put("zephyr/.config", b'CONFIG_BT=y\nCONFIG_NAME="\xe4"\n'),
        "EN003",
        "zephyr/.config:2",
        "`.config` is not text: it holds a byte that is not UTF-8",
    ),
    Case(
        "config-folder",
        several(remove("zephyr/.config"), lambda build: (build / "zephyr" / ".config").mkdir()),
        "EN003",
        "zephyr/.config",
        "`.config` is not a file",
    ),
    Case(
        "mcuboot-config-missing",
        remove("mcuboot/zephyr/.config"),
        "EN003",
        "mcuboot/zephyr/.config",
        "`.config` is missing",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_unreadable(tmp_path: Path, case: Case) -> None:
    assert_unreadable(tmp_path, case)
