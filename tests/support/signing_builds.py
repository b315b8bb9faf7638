# SPDX-License-Identifier: Apache-2.0
"""`Build` values made by hand, for the tests of what is signed and how."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from west_dfu_ble.builddir import (
    Build,
    Figure,
    FlashRegion,
    Image,
    Kconfig,
    Layout,
    ModeFact,
    Partition,
    Role,
    SignatureType,
    SigningKey,
    Slot,
)
from west_dfu_ble.diagnostics import Location
from west_dfu_ble.mcuboot import BootloaderMode

SLOT_ADDRESSES = (0x8000, 0x82000)
_MODES = {
    BootloaderMode.DIRECT_XIP: "DIRECT_XIP",
    BootloaderMode.DIRECT_XIP_WITH_REVERT: "DIRECT_XIP_WITH_REVERT",
    BootloaderMode.OVERWRITE_ONLY: "OVERWRITE_ONLY",
    BootloaderMode.SWAP_USING_MOVE: "SWAP_WITHOUT_SCRATCH",
    BootloaderMode.SWAP_USING_OFFSET: "SWAP_USING_OFFSET",
    BootloaderMode.SWAP_USING_SCRATCH: "SWAP_SCRATCH",
    BootloaderMode.RAM_LOAD: "RAM_LOAD",
    BootloaderMode.SINGLE_SLOT: "SINGLE_APP",
}


def kconfig_of(path: Path, *settings: str) -> Kconfig:
    """A configuration: ``"CONFIG_X"`` is y, ``"CONFIG_X=1"`` as it stands; lines from 1."""
    pairs = [setting.partition("=") for setting in settings]
    lines = {name: (value or "y", n) for n, (name, _, value) in enumerate(pairs, 1)}
    return Kconfig(path, lines)


def make_build(
    folder: Path,
    layout: Layout = Layout.NCS_CHILD_IMAGE,
    mode: BootloaderMode = BootloaderMode.SWAP_USING_MOVE,
    *settings: str,
    signature: SignatureType | None = SignatureType.ECDSA_P256,
    key: Path | None = None,
    version: str | None = "1.2.3+4",
    partition_manager: bool | None = None,
    slot_size: int = 0x7A000,
    second_size: int | None = None,
    header: int = 0x200,
    write_block: int | None = 4,
    ncs: str | None = None,
    zephyr: str | None = None,
    variant: bool | None = None,
    knows_mode: bool = True,
    sysbuild: tuple[str, ...] = (),
    bootloader: tuple[str, ...] = ("CONFIG_BOOT_MAX_IMG_SECTORS=128",),
    elf: Path | None = None,
) -> Build:
    """Make a `Build` in `folder`; `settings` are the application's besides the mode."""
    pm = layout in (Layout.NCS_CHILD_IMAGE, Layout.NCS_SYSBUILD)
    pm = pm if partition_manager is None else partition_manager
    is_sysbuild = layout in (Layout.NCS_SYSBUILD, Layout.ZEPHYR_SYSBUILD)
    here = Location(folder / "partitions.yml", 1)
    own: tuple[str, ...] = (
        "CONFIG_CPU_CORTEX_M",
        "CONFIG_BOARD=nrf52840dk_nrf52840",
        "CONFIG_SOC=nRF52840_QIAA",
    )
    if knows_mode:
        own += (f"CONFIG_MCUBOOT_BOOTLOADER_MODE_{_MODES[mode]}",)
    directory = folder / "app" if is_sysbuild else folder
    kconfig = kconfig_of(directory / "zephyr" / ".config", *own, *settings)
    images = [Image("app", Role.APPLICATION, 0, directory, kconfig, None, None)]
    boot = folder / "mcuboot"
    images.append(
        Image(
            "mcuboot",
            Role.BOOTLOADER,
            None,
            boot,
            kconfig_of(boot / "zephyr" / ".config", *bootloader),
            elf,
            None,
        )
    )
    if mode.is_direct_xip if variant is None else variant:
        other = folder / "mcuboot_secondary_app"
        images.append(
            Image(
                "mcuboot_secondary_app",
                Role.VARIANT,
                0,
                other,
                kconfig_of(other / "zephyr" / ".config", *own, *settings),
                None,
                None,
            )
        )
    names = (
        ("mcuboot_primary", "mcuboot_secondary") if pm else ("slot0_partition", "slot1_partition")
    )
    sizes = (slot_size, slot_size if second_size is None else second_size)
    slots = tuple(
        Slot(0, n, names[n], Figure(SLOT_ADDRESSES[n], here), Figure(sizes[n], here), "flash")
        for n in (0, 1)
    )
    partitions = tuple(
        Partition(name, Figure(address + header, here), Figure(1, here), "flash")
        for name, address in zip(
            ("app", "mcuboot_primary_app", "mcuboot_secondary_app"),
            (SLOT_ADDRESSES[0], *SLOT_ADDRESSES),
            strict=True,
        )
    )
    fact = ModeFact(mode, here)
    return Build(
        path=folder,
        layout=layout,
        board="nrf52840dk_nrf52840",
        zephyr_version=zephyr,
        ncs_version=ncs,
        images=tuple(images),
        slots=slots,
        partitions=partitions if pm else (),
        flash=(FlashRegion("flash", 0, 0x100000, 4096, write_block, here),),
        header_size=Figure(header, here),
        write_block=Figure(write_block, here) if write_block else None,
        mode_built=fact,
        mode_believed=fact,
        signature_type=signature,
        key=SigningKey(str(key), key, key.is_file(), here) if key else None,
        version=version,
        version_location=kconfig.where("CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION"),
        sysbuild=kconfig_of(folder / "zephyr" / ".config", *sysbuild) if is_sysbuild else None,
        artifacts=(),
    )


def firmware(slot: int = 0, size: int = 5000, header: int = 0x200) -> bytes:
    """Firmware with a vector table for a slot, and content that does not repeat."""
    reset = SLOT_ADDRESSES[slot] + header + 0x101
    return struct.pack("<II", 0x20008000, reset) + os.urandom(size - 8)
