# SPDX-License-Identifier: Apache-2.0
"""MCUboot's vocabulary: the bootloader modes, as every room of the package names them."""

from __future__ import annotations

from enum import Enum


class BootloaderMode(Enum):
    """How MCUboot turns an uploaded image into the running one.

    The value is the number that MCUmgr's bootloader information reports
    (`enum mcuboot_mode`, MCUboot `boot/bootutil/include/bootutil/boot_status.h`).
    """

    SINGLE_SLOT = 0
    SWAP_USING_SCRATCH = 1
    OVERWRITE_ONLY = 2
    SWAP_USING_MOVE = 3
    DIRECT_XIP = 4
    DIRECT_XIP_WITH_REVERT = 5
    RAM_LOAD = 6
    FIRMWARE_LOADER = 7
    SINGLE_SLOT_RAM_LOAD = 8
    SWAP_USING_OFFSET = 9

    @property
    def title(self) -> str:
        """The mode as people write it, for example ``swap using move``."""
        return _TITLES[self]

    @property
    def is_swap(self) -> bool:
        """Whether the bootloader exchanges the two slots (and can exchange them back)."""
        return self in (
            BootloaderMode.SWAP_USING_SCRATCH,
            BootloaderMode.SWAP_USING_MOVE,
            BootloaderMode.SWAP_USING_OFFSET,
        )

    @property
    def is_direct_xip(self) -> bool:
        """Whether the image runs from the slot it was uploaded to, so that two variants exist."""
        return self in (BootloaderMode.DIRECT_XIP, BootloaderMode.DIRECT_XIP_WITH_REVERT)

    @property
    def reverts(self) -> bool:
        """Whether an image that nobody confirms is undone at the next reset."""
        return self.is_swap or self is BootloaderMode.DIRECT_XIP_WITH_REVERT

    @property
    def has_two_slots(self) -> bool:
        """Whether an update is uploaded to a second slot while the application runs."""
        return self not in (
            BootloaderMode.SINGLE_SLOT,
            BootloaderMode.SINGLE_SLOT_RAM_LOAD,
            BootloaderMode.FIRMWARE_LOADER,
        )


_TITLES = {
    BootloaderMode.SINGLE_SLOT: "single slot",
    BootloaderMode.SWAP_USING_SCRATCH: "swap using scratch",
    BootloaderMode.OVERWRITE_ONLY: "overwrite-only",
    BootloaderMode.SWAP_USING_MOVE: "swap using move",
    BootloaderMode.DIRECT_XIP: "direct-xip",
    BootloaderMode.DIRECT_XIP_WITH_REVERT: "direct-xip with revert",
    BootloaderMode.RAM_LOAD: "RAM load",
    BootloaderMode.FIRMWARE_LOADER: "firmware loader",
    BootloaderMode.SINGLE_SLOT_RAM_LOAD: "single slot, RAM load",
    BootloaderMode.SWAP_USING_OFFSET: "swap using offset",
}
