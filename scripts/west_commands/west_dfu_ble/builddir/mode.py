# SPDX-License-Identifier: Apache-2.0
"""Tell the bootloader mode, from MCUboot's own configuration and from the application's."""

from __future__ import annotations

from ..mcuboot import BootloaderMode
from .model import Kconfig, ModeFact

# MCUboot's `boot/zephyr/Kconfig`: a choice, so that one of these is y. The variations are booleans
# beside the choice, and come first here.
_BOOTLOADER = {
    "CONFIG_BOOT_DIRECT_XIP_REVERT": BootloaderMode.DIRECT_XIP_WITH_REVERT,
    "CONFIG_BOOT_DIRECT_XIP": BootloaderMode.DIRECT_XIP,
    "CONFIG_BOOT_SWAP_USING_MOVE": BootloaderMode.SWAP_USING_MOVE,
    "CONFIG_BOOT_SWAP_USING_OFFSET": BootloaderMode.SWAP_USING_OFFSET,
    "CONFIG_BOOT_SWAP_USING_SCRATCH": BootloaderMode.SWAP_USING_SCRATCH,
    "CONFIG_BOOT_UPGRADE_ONLY": BootloaderMode.OVERWRITE_ONLY,
    "CONFIG_BOOT_RAM_LOAD": BootloaderMode.RAM_LOAD,
    "CONFIG_BOOT_FIRMWARE_LOADER": BootloaderMode.FIRMWARE_LOADER,
    "CONFIG_SINGLE_APPLICATION_SLOT_RAM_LOAD": BootloaderMode.SINGLE_SLOT_RAM_LOAD,
    "CONFIG_SINGLE_APPLICATION_SLOT": BootloaderMode.SINGLE_SLOT,
}
# What follows CONFIG_MCUBOOT_BOOTLOADER_MODE_ (Zephyr's `modules/Kconfig.mcuboot`) and, but for the
# last but one, SB_CONFIG_MCUBOOT_MODE_ (sysbuild). SWAP_WITHOUT_SCRATCH is swap using move before
# Zephyr 4.1.
_CHOICES = {
    "SINGLE_APP": BootloaderMode.SINGLE_SLOT,
    "SWAP_WITHOUT_SCRATCH": BootloaderMode.SWAP_USING_MOVE,
    "SWAP_USING_MOVE": BootloaderMode.SWAP_USING_MOVE,
    "SWAP_USING_OFFSET": BootloaderMode.SWAP_USING_OFFSET,
    "SWAP_SCRATCH": BootloaderMode.SWAP_USING_SCRATCH,
    "OVERWRITE_ONLY": BootloaderMode.OVERWRITE_ONLY,
    "DIRECT_XIP": BootloaderMode.DIRECT_XIP,
    "DIRECT_XIP_WITH_REVERT": BootloaderMode.DIRECT_XIP_WITH_REVERT,
    "RAM_LOAD": BootloaderMode.RAM_LOAD,
    "RAM_LOAD_WITH_REVERT": BootloaderMode.RAM_LOAD,
    "FIRMWARE_UPDATER": BootloaderMode.FIRMWARE_LOADER,
    "SINGLE_APP_RAM_LOAD": BootloaderMode.SINGLE_SLOT_RAM_LOAD,
}


def mode_built(bootloader: Kconfig | None) -> ModeFact | None:
    """Return the mode that MCUboot was built for, from its own `.config`."""
    if bootloader is None:
        return None
    for name, mode in _BOOTLOADER.items():
        if bootloader.is_on(name):
            return ModeFact(mode, bootloader.where(name))
    return None


def mode_believed(application: Kconfig, sysbuild: Kconfig | None) -> ModeFact | None:
    """Return the mode that the application was built for.

    The choice exists since Zephyr 3.4 (NCS 2.4). Before, only direct-xip shows in the application,
    in `CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT` (NCS 2.0 to 2.3).
    """
    for kconfig, prefix in (
        (application, "CONFIG_MCUBOOT_BOOTLOADER_MODE_"),
        (sysbuild, "SB_CONFIG_MCUBOOT_MODE_"),
    ):
        for suffix, mode in _CHOICES.items():
            if kconfig is not None and kconfig.is_on(prefix + suffix):
                return ModeFact(mode, kconfig.where(prefix + suffix))
    variant = "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT"
    if application.is_on(variant):
        return ModeFact(BootloaderMode.DIRECT_XIP, application.where(variant))
    return None
