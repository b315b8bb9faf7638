# SPDX-License-Identifier: Apache-2.0
"""Partition Manager's files: which counts, several flash memories, and the network core."""

from __future__ import annotations

from pathlib import Path

from made_builds import (
    FLASH,
    SRAM,
    artifacts,
    child_image_build,
    domains,
    kconfig,
    ncs_sysbuild_build,
    partition,
    region,
    roles,
    write,
)
from west_dfu_ble.builddir import Role, load
from west_dfu_ble.diagnostics import Location


def test_partition_manager_wins_over_the_devicetree(tmp_path: Path) -> None:
    build = load(child_image_build(tmp_path))
    assert [slot.address.value for slot in build.slots] == [0xC000, 0x7C000]
    assert [slot.address.value for slot in build.devicetree_slots] == [0x10000, 0x70000]
    (flash,) = build.flash
    assert (flash.name, flash.erase_block, flash.write_block) == ("flash_primary", 0x1000, 4)


def test_pm_config_counts_where_partitions_yml_is_gone(tmp_path: Path) -> None:
    child_image_build(tmp_path)
    (tmp_path / "partitions.yml").unlink()
    lines = []
    for name, address, size in (
        ("mcuboot", 0, 0xC000),
        ("mcuboot_secondary", 0, 0x70000),  # in external flash: it would overlap otherwise
        ("mcuboot_pad", 0xC000, 0x200),
        ("mcuboot_primary", 0xC000, 0x70000),
        ("app", 0xC200, 0x6FE00),
    ):
        key = f"PM_{name.upper()}"
        lines += [f"{key}_ADDRESS={address:#x}", f"{key}_SIZE={size:#x}", f"{key}_NAME={name}"]
        lines += [f"{key}_ID={len(lines)}"]
    lines += ['PM_MCUBOOT_PRIMARY_SPAN="mcuboot_pad app"']
    lines += ["PM_SRAM_PRIMARY_ADDRESS=0x20000000", "PM_SRAM_PRIMARY_SIZE=0x40000"]
    lines += ["PM_SRAM_PRIMARY_NAME=sram_primary"]
    write(tmp_path, {"pm.config": "\n".join(lines)})  # as it is written: no last line feed

    build = load(tmp_path)
    primary, secondary = build.slots
    assert primary.address.location == Location(tmp_path / "pm.config", 13)
    assert primary.size.location == Location(tmp_path / "pm.config", 14)
    assert (primary.region, secondary.region) == ("flash_primary", "external_flash")
    assert build.header_size is not None
    assert build.header_size.location == Location(tmp_path / "pm.config", 10)
    assert {p.region for p in build.partitions} == {
        "flash_primary",
        "external_flash",
        "sram_primary",
    }


def nrf5340_partitions() -> str:
    return (
        partition("mcuboot", 0, 0x10000)
        + partition("mcuboot_pad", 0x10000, 0x200)
        + partition("mcuboot_primary", 0x10000, 0xE0000, span=("mcuboot_pad", "app"))
        + partition("app", 0x10200, 0xDFE00)
        + partition("mcuboot_primary_1", 0, 0x40000, "ram_flash")
        + partition("mcuboot_secondary", 0, 0xE0000, "external_flash")
        + partition("mcuboot_secondary_1", 0xE0000, 0x40000, "external_flash")
        + partition("external_flash", 0x120000, 0x6E0000, "external_flash")
        + partition("ram_flash", 0x40000, 0, "ram_flash")
        + partition("otp", 0xFF8100, 0x2FC, "otp")
        + partition("pcd_sram", 0x20000000, 0x2000, "sram_primary")
        + partition("sram_primary", 0x20000000, 0x70000, "sram_primary")
    )


NRF5340_REGIONS = (
    FLASH
    + region("external_flash", 0, 0x800000, "DT_CHOSEN(nordic_pm_ext_flash)")
    + region("ram_flash", 0, 0x40000, "flash_ctrl")
    + region("otp", 0xFF8100, 0x2FC, "")
    + SRAM
)


def test_nrf5340_with_network_core(tmp_path: Path) -> None:
    write(
        child_image_build(tmp_path),
        {
            "partitions.yml": nrf5340_partitions(),
            "regions.yml": NRF5340_REGIONS,
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT", "BOOT_UPGRADE_ONLY", "UPDATEABLE_IMAGE_NUMBER=2"
            ),
            "hci_rpmsg/zephyr/.config": kconfig(
                'BOARD="nrf5340dk_nrf5340_cpunet"', "SOC_NRF5340_CPUNET_QKAA"
            ),
            "hci_rpmsg/b0n/zephyr/.config": kconfig("IS_SECURE_BOOTLOADER"),
            "hci_rpmsg/partitions_CPUNET.yml": partition("app", 0x1008800, 0x37000),
            "hci_rpmsg/regions_CPUNET.yml": region("flash_primary", 0x1000000, 0x40000, "flash"),
            "zephyr/app_update.bin": b"app",
            "zephyr/net_core_app_update.bin": b"net",
        },
    )
    build = load(tmp_path)
    assert roles(build) == {
        "app": (Role.APPLICATION, 0),
        "mcuboot": (Role.BOOTLOADER, None),
        "hci_rpmsg": (Role.NETWORK_CORE, 1),
    }
    assert [(s.image, s.index, s.address.value, s.region) for s in build.slots] == [
        (0, 0, 0x10000, "flash_primary"),
        (0, 1, 0x0, "external_flash"),
        (1, 0, 0x0, "ram_flash"),
        (1, 1, 0xE0000, "external_flash"),
    ]
    assert {r.name for r in build.flash} == {"flash_primary", "external_flash", "ram_flash"}
    assert artifacts(build) == {
        ("zephyr/app_update.bin", 0, 0),
        ("zephyr/net_core_app_update.bin", 1, 0),
    }
    assert [(p.name, p.address.value) for p in build.domain_partitions["CPUNET"]] == [
        ("app", 0x1008800)
    ]


def test_network_core_that_mcuboot_does_not_update(tmp_path: Path) -> None:
    """Sysbuild numbers images; -1 means that an image has none."""
    write(
        ncs_sysbuild_build(tmp_path),
        {
            "domains.yaml": domains("app", "mcuboot", "ipc_radio", "b0n"),
            "zephyr/.config": kconfig("SB_CONFIG_MCUBOOT_NETWORK_CORE_IMAGE_NUMBER=-1"),
            "ipc_radio/zephyr/.config": kconfig('BOARD_TARGET="nrf5340dk/nrf5340/cpunet"'),
            "b0n/zephyr/.config": kconfig(
                'BOARD_TARGET="nrf5340dk/nrf5340/cpunet"', "IS_SECURE_BOOTLOADER"
            ),
        },
    )
    images = roles(load(tmp_path))
    assert images["ipc_radio"] == (Role.NETWORK_CORE, None)
    assert images["b0n"] == (Role.OTHER, None)
