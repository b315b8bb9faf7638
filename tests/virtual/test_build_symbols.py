# SPDX-License-Identifier: Apache-2.0
"""What a build's own symbols make of the device's server, bootloader and radio."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from mcuboot_images import make_image
from small_builds import OLD_NAMES, Edits, SmallBuild
from west_dfu_ble.builddir import Build
from west_dfu_ble.virtual import Access, profile_from_build, radio_profile
from west_dfu_ble.virtual.build_symbols import server_profile

RUNNING = make_image(linked_for=0xC000)
UNSIGNED: Edits = {"BOOT_SIGNATURE_TYPE_ECDSA_P256": "n", "BOOT_SIGNATURE_TYPE_NONE": "y"}


def server(build: Build, version: str | None = "4.2.0") -> dict[str, Any]:
    return asdict(server_profile(replace(build, zephyr_version=version)))


@pytest.mark.parametrize(
    ("symbols", "field", "without", "expected"),
    [
        ({"MCUMGR_GRP_IMG_SLOT_INFO": "y"}, "slot_info", False, True),
        ({"MCUMGR_GRP_IMG_TOO_LARGE_SYSBUILD": "y"}, "size_limit", False, True),
        ({"MCUMGR_GRP_IMG_TOO_LARGE_BOOTLOADER_INFO": "y"}, "size_limit", False, True),
        ({"MCUMGR_GRP_OS_INFO": "y"}, "info", False, True),
        ({"MCUMGR_GRP_OS_BOOTLOADER_INFO": "y"}, "bootloader_info", False, True),
        ({"MCUMGR_GRP_OS_MCUMGR_PARAMS": "n"}, "parameters", True, False),
        ({"MCUMGR_GRP_OS": "n"}, "os_group", True, False),
        ({"MCUMGR_TRANSPORT_BT_REASSEMBLY": "n"}, "reassembly", True, False),
        ({"MCUMGR_TRANSPORT_NETBUF_SIZE": "400"}, "buf_size", 2475, 400),
        ({"MCUMGR_TRANSPORT_NETBUF_SIZE": None}, "buf_size", 2475, 384),
        ({"MCUMGR_TRANSPORT_NETBUF_COUNT": "8"}, "buf_count", 4, 8),
        ({"IMG_ENABLE_IMAGE_CHECK": "y"}, "image_check", False, True),
        ({"IMG_ERASE_PROGRESSIVELY": "n"}, "erase_progressively", True, False),
        ({"IMG_BLOCK_BUF_SIZE": "256"}, "block_buffer", 512, 256),
        ({"MCUMGR_GRP_IMG_FRUGAL_LIST": "y"}, "frugal_list", False, True),
        ({"MCUMGR_SMP_VERBOSE_ERR_RESPONSE": "y"}, "verbose_errors", False, True),
        ({"MCUMGR_SMP_LEGACY_RC_BEHAVIOUR": "y"}, "legacy_rc", False, True),
        ({"MCUMGR_SMP_SUPPORT_ORIGINAL_PROTOCOL": "n"}, "version_1", True, False),
        ({"MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING": "y"}, "allow_erase_pending", False, True),
        (
            {"MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_SLOT": "n"},
            "allow_confirm_inactive",
            True,
            False,
        ),
        (
            {"MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT": "y"},
            "reject_mismatched_slot",
            False,
            True,
        ),
        (
            {"MCUMGR_GRP_IMG_VERSION_CMP_USE_BUILD_NUMBER": "y"},
            "compare_build_number",
            False,
            True,
        ),
        ({"DESKTOP_DFU_MCUMGR_ENABLE": "y"}, "upload_lock", None, 5.0),
        ({"MCUMGR_GRP_OS_RESET_MS": "1000"}, "reset_delay", 0.25, 1.0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_symbol_makes_the_server(
    tmp_path: Path, symbols: Edits, field: str, without: Any, expected: Any
) -> None:
    assert server(SmallBuild().load(tmp_path / "without"))[field] == without
    assert server(SmallBuild(symbols).load(tmp_path / "with"))[field] == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.7.0", (False, True, True, False, "err")),
        ("2.7.99", (False, True, False, False, "err")),
        ("3.2.0", (False, True, False, False, "err")),
        ("3.3.99", (True, False, False, True, "ret")),
        ("3.5.0", (True, False, False, True, "err")),
        ("4.2.0", (True, False, False, False, "err")),
        (None, (True, False, False, False, "err")),
    ],
)
def test_the_version_of_zephyr_makes_the_server(
    tmp_path: Path, version: str | None, expected: tuple[Any, ...]
) -> None:
    names = ("version_2", "legacy_rc", "whole_words", "erase_empty_fails", "error_key")
    made = server(SmallBuild(OLD_NAMES).load(tmp_path), version)
    assert tuple(made[name] for name in names) == expected
    assert (made["buf_size"], made["buf_count"], made["reassembly"]) == (2475, 4, True)


@pytest.mark.parametrize(
    ("symbols", "field", "expected"),
    [
        ({"BT_DEVICE_NAME": '"Lamp"'}, "name", "Lamp"),
        ({"BT_L2CAP_TX_MTU": "247"}, "mtu", 247),
        ({"BT_BUF_ACL_RX_SIZE": "251"}, "mtu", 247),
        ({"MCUMGR_TRANSPORT_BT_AUTHEN": "n"}, "access", Access.OPEN),
        ({"MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT": "y"}, "access", Access.ENCRYPTED),
        ({}, "access", Access.AUTHENTICATED),
        ({}, "wanted_interval", (0.0075, 0.01125)),
        ({"MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": "n"}, "wanted_interval", None),
        (
            {
                "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": None,
                "MCUMGR_SMP_BT_CONN_PARAM_CONTROL": "y",
                "MCUMGR_SMP_BT_CONN_PARAM_CONTROL_MIN_INT": "12",
                "MCUMGR_SMP_BT_CONN_PARAM_CONTROL_MAX_INT": "16",
            },
            "wanted_interval",
            (0.015, 0.02),
        ),
    ],
)
def test_a_symbol_makes_the_radio(
    tmp_path: Path, symbols: Edits, field: str, expected: Any
) -> None:
    assert getattr(radio_profile(SmallBuild(symbols).load(tmp_path)), field) == expected


@pytest.mark.parametrize(
    ("symbols", "field", "without", "expected"),
    [
        ({"MCUBOOT_DOWNGRADE_PREVENTION": "y"}, "prevent_downgrade", False, True),
        ({"BOOT_DOWNGRADE_PREVENTION": "y"}, "prevent_downgrade", False, True),
        ({"BOOT_VERSION_CMP_USE_BUILD_NUMBER": "y"}, "compare_build_number", False, True),
        ({"BOOT_VALIDATE_SLOT0": "n"}, "validate_primary", True, False),
        ({"MCUBOOT_VERIFY_IMG_ADDRESS": "n"}, "check_reset_vector", True, False),
        ({"BOOT_MAX_IMG_SECTORS": "512"}, "max_sectors", 256, 512),
        ({"BOOT_MAX_IMG_SECTORS_AUTO": "y"}, "max_sectors", 256, 121),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_symbol_makes_the_bootloader(
    tmp_path: Path, symbols: Edits, field: str, without: Any, expected: Any
) -> None:
    found = []
    for name, edits in (("without", {}), ("with", symbols)):
        build = SmallBuild({}, {**UNSIGNED, **edits}).load(tmp_path / name)
        found.append(getattr(profile_from_build(build, RUNNING), field))
    assert found == [without, expected]
