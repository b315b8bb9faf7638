# SPDX-License-Identifier: Apache-2.0
"""Builds that can't be read: one error each, with its code, its place and what it says."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from made_builds import (
    FLASH,
    SLOTS,
    cache,
    child_image_build,
    devicetree,
    domains,
    kconfig,
    partition,
    write,
)
from west_dfu_ble.builddir import load
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus

Spoil = Callable[[Path], object]


def put(name: str, content: str | bytes) -> Spoil:
    return lambda build: write(build, {name: content})


def remove(name: str) -> Spoil:
    return lambda build: (build / name).unlink()


def several(*spoils: Spoil) -> Spoil:
    return lambda build: [spoil(build) for spoil in spoils]


@dataclass(frozen=True)
class Case:
    id: str
    spoil: Spoil
    code: str
    place: str  # below the build directory, with the line if there is one
    message: str


CONFIG = kconfig("BOOTLOADER_MCUBOOT", 'NAME="x"', "-BT", "SIZE=384")
GENERATED = "\n#\n# Devicetree Info\n#\nCONFIG_HAS_DTS=y\n"

CASES = [
    # .config
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
    # Partition Manager
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
        "partition-outside-its-region",
        put("partitions.yml", SLOTS + partition("storage", 0xFF000, 0x2000)),
        "EN004",
        f"partitions.yml:{SLOTS.count(chr(10)) + 2}",
        "partition `storage` (0xff000 to 0x101000) is not inside its region `flash_primary` "
        "(0x0 to 0x100000)",
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
    # devicetree
    Case(
        "devicetree-cut",
        put("zephyr/zephyr.dts", "/dts-v1/;\n\n/ { node {"),
        "EN005",
        "zephyr/zephyr.dts:3",
        "`zephyr.dts` does not parse: expected node name, property name, or '}'",
    ),
    Case(
        "devicetree-empty",
        put("zephyr/zephyr.dts", ""),
        "EN005",
        "zephyr/zephyr.dts:1",
        "`zephyr.dts` does not parse: expected '/dts-v1/;' at start of file",
    ),
    Case(
        "devicetree-dangling-label",
        put("zephyr/zephyr.dts", "/dts-v1/;\n/ { a = < &nowhere >; };\n"),
        "EN005",
        "zephyr/zephyr.dts",
        "`zephyr.dts` does not parse: /: undefined node label 'nowhere'",
    ),
    Case(
        "devicetree-includes",
        put("zephyr/zephyr.dts", '/dts-v1/;\n/include/ "other.dts"\n'),
        "EN005",
        "zephyr/zephyr.dts:2",
        "`zephyr.dts` does not parse: it holds `/include/`, which no built file does",
    ),
    Case(
        "devicetree-incbin",
        put("zephyr/zephyr.dts", '/dts-v1/;\n/ {\n\ta = /incbin/ ("x.pem");\n};\n'),
        "EN005",
        "zephyr/zephyr.dts:3",
        "`zephyr.dts` does not parse: it holds `/incbin/`, which no built file does",
    ),
    Case(
        "devicetree-computes",
        put("zephyr/zephyr.dts", "/dts-v1/;\n/ { a = < (1 << 99999999999) >; };\n"),
        "EN005",
        "zephyr/zephyr.dts:2",
        "`zephyr.dts` does not parse: it holds `(`, which no built file does",
    ),
    # other files of the build
    Case(
        "cache-garbage",
        put("CMakeCache.txt", "ZEPHYR_BASE:PATH=/z\nwhat\n"),
        "EN006",
        "CMakeCache.txt:2",
        "`CMakeCache.txt` has a line that is no cache entry: `what`",
    ),
    Case(
        "cache-binary",
        put("CMakeCache.txt", b"ZEPHYR_BASE:PATH=/z\n\0"),
        "EN006",
        "CMakeCache.txt:2",
        "`CMakeCache.txt` is not text: it holds the byte 0x00",
    ),
    Case(
        "domains-not-yaml",
        put("domains.yaml", "default: ["),
        "EN006",
        "domains.yaml:1",
        "`domains.yaml` is not YAML",
    ),
    Case(
        "domains-without-list",
        put("domains.yaml", "default: app\nbuild_dir: /b\n"),
        "EN006",
        "domains.yaml",
        "`domains.yaml` has no list of domains",
    ),
    Case(
        "domains-default-unknown",
        put("domains.yaml", domains("app").replace("default: app", "default: other")),
        "EN006",
        "domains.yaml:1",
        "the default domain `other` is not among the domains",
    ),
    Case(
        "domains-name-climbs",
        put("domains.yaml", "default: ..\ndomains:\n  - name: ..\n    build_dir: x\n"),
        "EN006",
        "domains.yaml:3",
        "`..` can't be the name of a domain",
    ),
    Case(
        "domains-application-missing",
        put("domains.yaml", domains("app", "mcuboot")),
        "EN003",
        "app/zephyr/.config",
        "`.config` is missing",
    ),
    Case(
        "domains-lost",
        put("zephyr/.config", kconfig("SB_CONFIG_BOOTLOADER_MCUBOOT")),
        "EN006",
        "domains.yaml",
        "`domains.yaml` is missing: the build is a sysbuild one, and it says which images there "
        "are",
    ),
    # other bootloaders
    Case(
        "nsib-alone",
        put("zephyr/.config", kconfig("BT", "SECURE_BOOT")),
        "EN007",
        "zephyr/.config:2",
        "the build boots with the nRF Secure Immutable Bootloader alone (`CONFIG_SECURE_BOOT=y`)",
    ),
    Case(
        "suit",
        put("zephyr/.config", kconfig("SUIT")),
        "EN007",
        "zephyr/.config:1",
        "the build boots with SUIT (`CONFIG_SUIT=y`)",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_unreadable(tmp_path: Path, case: Case) -> None:
    child_image_build(tmp_path)
    load(tmp_path)
    case.spoil(tmp_path)

    with pytest.raises(DfuBleError) as caught:
        load(tmp_path)
    error = caught.value
    assert error.status is ExitStatus.UNDECIDED
    assert error.diagnostic.code == case.code
    assert error.diagnostic.location is not None
    path = error.diagnostic.location.path.relative_to(tmp_path).as_posix()
    line = error.diagnostic.location.line
    assert (path if line is None else f"{path}:{line}") == case.place
    assert error.diagnostic.message == case.message
    assert error.diagnostic.why
    assert error.diagnostic.helps


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path / "nowhere")
    assert caught.value.diagnostic.code == "EN001"
    assert (
        caught.value.diagnostic.message == f"there is no build directory `{tmp_path / 'nowhere'}`"
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"src/main.c": "int main(void);"}, "`{}` holds no Zephyr build"),
        ({"CMakeCache.txt": "CMAKE_PROJECT_NAME:STATIC=x\n"}, "`{}` holds no Zephyr build"),
        ({"CMakeCache.txt": os.urandom(999)}, "`{}` holds no Zephyr build"),
        (
            {"zephyr/.config": kconfig("MCUBOOT")},
            "`{}` is the build of MCUboot itself, not of an application",
        ),
    ],
)
def test_folder_that_is_no_build(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(DfuBleError) as caught:
        load(write(tmp_path, files))
    assert caught.value.diagnostic.code == "EN002"
    assert caught.value.diagnostic.message == message.format(tmp_path)


def test_file_that_is_no_folder(tmp_path: Path) -> None:
    file = write(tmp_path, {"build": "x"}) / "build"
    with pytest.raises(DfuBleError, match="is a file, not a build directory"):
        load(file)


@pytest.mark.parametrize(
    "files",
    [
        {"domains.yaml": domains("app"), "app/CMakeCache.txt": cache("SYSBUILD=True")},
        {"zephyr/.config": kconfig("BT"), "app/CMakeCache.txt": cache("IMAGE_NAME=app")},
    ],
    ids=["sysbuild", "child-image"],
)
def test_folder_of_one_image_names_the_build_above(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, {"app/zephyr/.config": kconfig("BT"), **files})
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path / "app")
    diagnostic = caught.value.diagnostic
    assert diagnostic.code == "EN002"
    assert diagnostic.message == (
        f"`{tmp_path / 'app'}` is the folder of one image, not the whole build"
    )
    assert diagnostic.helps[0].text == (
        f"give the build directory above it: `--build-dir {tmp_path.resolve()}`"
    )


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


def test_comments_and_strings_that_look_like_directives_are_none(tmp_path: Path) -> None:
    """Newer Zephyrs write the source file of each node into a comment."""
    child_image_build(tmp_path)
    text = devicetree().replace(
        "\tsoc {", '\t/* (1) from /include/ */\n\tsoc {\n\t\ta = "/incbin/";'
    )
    write(tmp_path, {"zephyr/zephyr.dts": text})
    assert load(tmp_path).flash[0].erase_block == 0x1000
