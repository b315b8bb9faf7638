# SPDX-License-Identifier: Apache-2.0
"""The table of configurations and of what imgtool is told for each."""

from __future__ import annotations

from typing import Any

from west_dfu_ble.builddir import Layout, SignatureType
from west_dfu_ble.mcuboot import BootloaderMode as Mode

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
