# SPDX-License-Identifier: Apache-2.0
"""What imgtool is told, for every layout and version: against real builds, and a table."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signing_builds import make_build
from west_dfu_ble import builddir, image
from west_dfu_ble.builddir import Layout, SignatureType
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


# What `make_build` makes, and what imgtool is to be told between `sign` and the two files.
CHILD, SYSBUILD = Layout.NCS_CHILD_IMAGE, Layout.NCS_SYSBUILD
UPSTREAM, PLAIN = Layout.ZEPHYR_SYSBUILD, Layout.ZEPHYR
PM = "--slot-size 0x7a000 --pad-header --header-size 0x200"
EXTRA = "CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS=--custom-tlv 0xa1 'two words'"
COUNTER = (
    "CONFIG_MCUBOOT_HARDWARE_DOWNGRADE_PREVENTION",
    "CONFIG_MCUBOOT_HW_DOWNGRADE_PREVENTION_COUNTER_VALUE=7",
)
L15 = "CONFIG_SOC_SERIES_NRF54LX"
Row = tuple[str, Layout, Mode, tuple[str, ...], dict[str, Any], int, str]
TABLE: list[Row] = [
    (
        "2.0-2.3 swap",
        CHILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"knows_mode": False},
        0,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --slot-size 0x7a000",
    ),
    (
        "2.0-2.3 direct-xip: the header does not say the slot",
        CHILD,
        Mode.DIRECT_XIP,
        ("CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT",),
        {"knows_mode": False},
        1,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --slot-size 0x7a000",
    ),
    (
        "2.4 direct-xip primary",
        CHILD,
        Mode.DIRECT_XIP,
        (),
        {},
        0,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --rom-fixed 0x8000 "
        "--slot-size 0x7a000",
    ),
    (
        "2.5 direct-xip with revert, variant",
        CHILD,
        Mode.DIRECT_XIP_WITH_REVERT,
        (),
        {},
        1,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --rom-fixed 0x82000 "
        "--slot-size 0x7a000",
    ),
    (
        "2.5 slots of different sizes: the primary's",
        CHILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"second_size": 0x79000},
        0,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --slot-size 0x7a000",
    ),
    (
        "2.5 security counter, then extra arguments last",
        CHILD,
        Mode.SWAP_USING_MOVE,
        (EXTRA, *COUNTER),
        {},
        0,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --slot-size 0x7a000 "
        "--security-counter 7 --custom-tlv 0xa1 'two words'",
    ),
    (
        "2.5 application that depends on its network core",
        CHILD,
        Mode.OVERWRITE_ONLY,
        ("CONFIG_NRF53_ENFORCE_IMAGE_VERSION_EQUALITY",),
        {},
        0,
        "--key K --header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --slot-size 0x7a000 "
        "--dependencies '(1,1.2.3+4)'",
    ),
    (
        "no signature: no key",
        CHILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"signature": SignatureType.NONE},
        0,
        "--header-size 0x200 --align 4 --version 1.2.3+4 --pad-header --slot-size 0x7a000",
    ),
    (
        "no version: MCUboot's default",
        CHILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"version": None},
        0,
        "--key K --header-size 0x200 --align 4 --version 0.0.0+0 --pad-header --slot-size 0x7a000",
    ),
    (
        "2.7 aligns to 4 whatever the flash says",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"ncs": "2.7.0", "write_block": 16},
        0,
        f"--version 1.2.3+4 --align 4 {PM} -k K",
    ),
    (
        "2.9 aligns to the write block",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"ncs": "2.9.0", "write_block": 16},
        0,
        f"--version 1.2.3+4 --align 16 {PM} -k K",
    ),
    (
        "2.9 with no write block told",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"ncs": "2.9.0", "write_block": None},
        0,
        f"--version 1.2.3+4 --align 4 {PM} -k K",
    ),
    (
        "2.9 direct-xip primary",
        SYSBUILD,
        Mode.DIRECT_XIP,
        (),
        {"ncs": "2.9.0"},
        0,
        f"--version 1.2.3+4 --align 4 {PM} --rom-fixed 0x8000 -k K",
    ),
    (
        "2.9 direct-xip variant",
        SYSBUILD,
        Mode.DIRECT_XIP_WITH_REVERT,
        (),
        {"ncs": "2.9.0"},
        1,
        f"--version 1.2.3+4 --align 4 {PM} --rom-fixed 0x82000 -k K",
    ),
    (
        "2.9 nRF54L ED25519: SHA-512",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (L15,),
        {"signature": SignatureType.ED25519, "header": 0x800, "write_block": 16},
        0,
        "--version 1.2.3+4 --align 16 --slot-size 0x7a000 --pad-header --header-size 0x800 -k K "
        "--sha 512",
    ),
    (
        "2.9 nRF54L ED25519: pure",
        SYSBUILD,
        Mode.DIRECT_XIP,
        (L15, "CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE"),
        {"signature": SignatureType.ED25519, "header": 0x800, "write_block": 16},
        1,
        "--version 1.2.3+4 --align 16 --slot-size 0x7a000 --pad-header --header-size 0x800 "
        "--rom-fixed 0x82000 -k K --pure",
    ),
    (
        "ED25519 elsewhere keeps SHA-256",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"signature": SignatureType.ED25519},
        0,
        f"--version 1.2.3+4 --align 4 {PM} -k K",
    ),
    (
        "2.9 counter, hash, extra, in this order",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (L15, EXTRA, *COUNTER),
        {"signature": SignatureType.ED25519},
        0,
        f"--version 1.2.3+4 --align 4 {PM} -k K --security-counter 7 --sha 512 "
        "--custom-tlv 0xa1 'two words'",
    ),
    (
        "2.9 compression",
        SYSBUILD,
        Mode.OVERWRITE_ONLY,
        ("CONFIG_MCUBOOT_COMPRESSED_IMAGE_SUPPORT_ENABLED",),
        {"ncs": "2.9.0"},
        0,
        f"--version 1.2.3+4 --align 4 {PM} -k K --compression lzma2armthumb",
    ),
    (
        "3.x vendor and class",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (
            "CONFIG_MCUBOOT_IMGTOOL_UUID_VID",
            "CONFIG_MCUBOOT_IMGTOOL_UUID_VID_NAME=example.com",
            "CONFIG_MCUBOOT_IMGTOOL_UUID_CID",
            "CONFIG_MCUBOOT_IMGTOOL_UUID_CID_NAME=mouse",
        ),
        {"ncs": "3.2.0"},
        0,
        f"--version 1.2.3+4 --align 4 {PM} -k K --vid example.com --cid mouse",
    ),
    (
        "3.x without Partition Manager: the linker made room for the header",
        SYSBUILD,
        Mode.SWAP_USING_MOVE,
        (),
        {"ncs": "3.3.0", "partition_manager": False},
        0,
        "--version 1.2.3+4 --align 4 --slot-size 499712 --header-size 0x200 -k K",
    ),
    (
        "3.x without Partition Manager, direct-xip variant",
        SYSBUILD,
        Mode.DIRECT_XIP,
        (),
        {"ncs": "3.3.0", "partition_manager": False},
        1,
        "--version 1.2.3+4 --align 4 --slot-size 499712 --header-size 0x200 --rom-fixed 0x82000 "
        "-k K",
    ),
    (
        "Zephyr 3.5, plain",
        PLAIN,
        Mode.SWAP_USING_MOVE,
        (EXTRA,),
        {"zephyr": "3.5.0"},
        0,
        "--version 1.2.3+4 --align 4 --header-size 512 --slot-size 499712 --key K "
        "--custom-tlv 0xa1 'two words'",
    ),
    (
        "Zephyr 3.5, overwrite-only",
        UPSTREAM,
        Mode.OVERWRITE_ONLY,
        ("CONFIG_MCUBOOT_IMGTOOL_OVERWRITE_ONLY",),
        {"zephyr": "3.5.0"},
        0,
        "--version 1.2.3+4 --header-size 512 --slot-size 499712 --overwrite-only --align 1 --key K",
    ),
    (
        "Zephyr 3.5, direct-xip: nothing says the slot",
        UPSTREAM,
        Mode.DIRECT_XIP,
        (),
        {"zephyr": "3.5.0", "variant": False},
        0,
        "--version 1.2.3+4 --align 4 --header-size 512 --slot-size 499712 --key K",
    ),
    (
        "Zephyr 4.1: the secondary slot's size",
        UPSTREAM,
        Mode.SWAP_USING_OFFSET,
        (),
        {"zephyr": "4.1.0", "second_size": 0x7B000},
        0,
        "--version 1.2.3+4 --header-size 0x200 --slot-size 503808 --align 4 --key K",
    ),
    (
        "Zephyr 4.1, one slot",
        PLAIN,
        Mode.SINGLE_SLOT,
        (),
        {"zephyr": "4.1.0", "second_size": 0x7B000},
        0,
        "--version 1.2.3+4 --header-size 0x200 --slot-size 499712 --align 4 --key K",
    ),
    (
        "Zephyr 4.1, overwrite-only",
        PLAIN,
        Mode.OVERWRITE_ONLY,
        ("CONFIG_MCUBOOT_IMGTOOL_OVERWRITE_ONLY", EXTRA),
        {"zephyr": "4.1.0"},
        0,
        "--version 1.2.3+4 --header-size 0x200 --slot-size 499712 --overwrite-only --align 1 "
        "--key K --custom-tlv 0xa1 'two words'",
    ),
    (
        "Zephyr 4.1, RAM load",
        PLAIN,
        Mode.RAM_LOAD,
        ("CONFIG_SRAM_BASE_ADDRESS=0x20240000",),
        {"zephyr": "4.1.0"},
        0,
        "--version 1.2.3+4 --header-size 0x200 --slot-size 499712 --align 1 "
        "--load-addr 0x20240000 --key K",
    ),
]


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
