# SPDX-License-Identifier: Apache-2.0
"""`samples/caf_smp`, which needs an SDK to build, is held to what can be held without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from small_builds import (
    APPLICATION,
    DIRECT_XIP_MCUBOOT,
    MIXED_NAMES,
    SmallBuild,
)
from west_dfu_ble.configuration import read_configuration
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.rules import CheckOptions, Generation, evaluate
from west_dfu_ble.rules.catalogue import read_catalogue

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "caf_smp"
BOARDS = {"nrf52840dk_nrf52840", "nrf5340dk_nrf5340_cpuapp"}

# What the SDK's own Kconfig gives to a build that says nothing about it.
DEFAULTS = {
    "BT_CTLR": "y",
    "BT_LL_SOFTDEVICE": "y",
    "MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER": "1",
    "MCUMGR_TRANSPORT_BT_AUTHEN": "y",
    "MCUMGR_TRANSPORT_NETBUF_COUNT": "4",
    "MCUMGR_TRANSPORT_WORKQUEUE_STACK_SIZE": "2048",
    "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "y",
    "MCUBOOT_IMGTOOL_SIGN_VERSION": '"1.0.0+0"',
    "PARTITION_MANAGER_ENABLED": "y",
    "KERNEL_BIN_NAME": '"zephyr"',
    "BOARD": '"nrf52840dk_nrf52840"',
    "SOC_SERIES_NRF52X": "y",
}
OLD_DEFAULTS = {
    "MCUMGR_SMP_BT_AUTHEN": "y",
    "MCUMGR_BUF_COUNT": "4",
    "MCUBOOT_IMAGE_VERSION": '"1.0.0+0"',
}


def settings(*names: str) -> dict[str, str]:
    """What configuration files set, by symbol without its prefix."""
    found: dict[str, str] = {}
    for name in names:
        for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                match = re.fullmatch(r"(?:SB_)?CONFIG_(\w+)=(.+)", line)
                assert match, f"{name}: {line}"
                assert match[1] not in found, f"{name} sets {match[1]} twice"
                found[match[1]] = match[2]
    return found


@pytest.mark.parametrize(
    ("name", "generation", "mode"),
    [
        ("prj.conf", Generation.NEW, BootloaderMode.SWAP_USING_MOVE),
        ("prj_direct_xip.conf", Generation.NEW, BootloaderMode.DIRECT_XIP),
        ("prj_ncs_2.3.conf", Generation.MIXED, BootloaderMode.SWAP_USING_MOVE),
    ],
)
def test_every_symbol_that_the_rules_ask_for_is_set(
    name: str, generation: Generation, mode: BootloaderMode
) -> None:
    set_there = settings(name)
    asked = {
        spec.symbols[generation].removeprefix("CONFIG_")
        for spec in read_catalogue()
        if generation in spec.symbols and (not spec.only_modes or mode in spec.only_modes)
    }
    assert len(asked) > 12
    assert {symbol for symbol in asked if set_there.get(symbol) != "y"} == set()


@pytest.mark.parametrize("name", ["prj.conf", "prj_direct_xip.conf", "prj_ncs_2.3.conf"])
def test_the_rules_find_nothing_in_a_build_with_these_settings(tmp_path: Path, name: str) -> None:
    edits: dict[str, str | None] = dict.fromkeys(APPLICATION)
    edits |= DEFAULTS
    if name == "prj_ncs_2.3.conf":
        edits |= {symbol: None for symbol in MIXED_NAMES if MIXED_NAMES[symbol] is None}
        edits |= OLD_DEFAULTS
    edits |= settings(name, "boards/nrf52840dk_nrf52840.conf")
    direct_xip = "direct_xip" in name
    if direct_xip:
        edits["MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH"] = None
    small = SmallBuild(
        edits,
        DIRECT_XIP_MCUBOOT if direct_xip else {},
        variant={} if direct_xip else None,
    )
    report = evaluate(small.load(tmp_path), CheckOptions(profile="caf"))
    assert [f"{one.code} {one.message}" for one in report.findings] == []


def test_the_modes_differ_in_what_must() -> None:
    swap, direct_xip = settings("prj.conf"), settings("prj_direct_xip.conf")
    assert {**swap, **direct_xip} == direct_xip
    assert set(direct_xip) - set(swap) == {
        "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP",
        "MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT",
    }
    assert settings("sysbuild_direct_xip.conf") == {
        **settings("sysbuild.conf"),
        "MCUBOOT_MODE_DIRECT_XIP": "y",
    }
    assert settings("child_image/mcuboot_direct_xip.conf") == {"BOOT_DIRECT_XIP": "y"}
    assert settings("child_image/mcuboot.conf") == {"BOOT_SWAP_USING_MOVE": "y"}
    # The network core takes what the application core sends, under either name of its image.
    network = settings("sysbuild/ipc_radio.conf")
    assert network == settings("child_image/hci_rpmsg.conf")
    assert network["BT_BUF_ACL_RX_SIZE"] == swap["BT_BUF_ACL_RX_SIZE"]


@pytest.mark.parametrize(
    ("name", "separator"), [("sample.yaml", "/"), ("sample_ncs_2.6.yaml", "_")]
)
def test_twister_is_told_of_both_boards_and_modes(name: str, separator: str) -> None:
    sample: Any = yaml.safe_load((SAMPLE / name).read_text(encoding="utf-8"))
    allowed = sample["common"]["platform_allow"]
    boards = allowed.split() if isinstance(allowed, str) else allowed
    assert {board.replace("/", "_") for board in boards} == BOARDS
    assert all(separator in board.replace("_cpuapp", "") for board in boards)
    assert set(sample["common"]["integration_platforms"]) <= set(boards)
    tests = sample["tests"]
    assert set(tests) == {f"sample.caf_smp.{x}" for x in ("swap", "direct_xip", "open_access")}
    for test in tests.values():
        for argument in test.get("extra_args", "").split():
            variable, _, value = argument.partition("=")
            file = f"prj_{value}.conf" if variable == "FILE_SUFFIX" else value
            assert (SAMPLE / file).is_file()


def test_the_build_takes_every_source_and_the_readme_names_every_file() -> None:
    listing = (SAMPLE / "CMakeLists.txt").read_text(encoding="utf-8")
    assert set(re.findall(r"src/\w+\.c", listing)) == {
        f"src/{path.name}" for path in (SAMPLE / "src").iterdir()
    }
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+)`", readme))
    for path in SAMPLE.rglob("*"):
        relative = path.relative_to(SAMPLE)
        if path.is_file() and relative.name not in ("README.md", "CMakeLists.txt"):
            parts = {str(relative), f"{relative.parts[0]}/"}
            assert parts & named or relative.parts[0] in ("boards", "configuration", "fragments")
    assert {name for name in named if name.endswith((".c", ".conf", ".yaml"))} <= {
        str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*")
    }


def test_the_tool_looks_for_the_name_that_is_advertised() -> None:
    configuration = read_configuration(SAMPLE / "dfu-ble.yml")
    assert f'"{configuration.device}"' == settings("prj.conf")["BT_DEVICE_NAME"]
    assert configuration.profile == "caf"


def test_the_sources_do_what_the_readme_says() -> None:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in (SAMPLE / "src").iterdir()}
    assert "APP_EVENT_SUBSCRIBE(MODULE, ble_smp_transfer_event)" in sources["led"]
    assert [name for name, text in sources.items() if "boot_write_img_confirmed" in text] == [
        "self_test"
    ]
    assert "passkey_display" in sources["pairing"]
    uuid = "0x8d53dc1d, 0x1db7, 0x4cd3, 0x868b, 0x8a527460aa84"
    assert uuid in sources["advertised_service"]
