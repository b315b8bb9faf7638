# SPDX-License-Identifier: Apache-2.0
"""Virtual boards for tests, and the images that they are updated with."""

from __future__ import annotations

from typing import Any

from mcuboot_images import make_image
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import DeviceProfile, RadioProfile, SlotProfile, VirtualDevice

PRIMARY, SECONDARY = 0xC000, 0x60000


def make_board(
    mode: BootloaderMode = BootloaderMode.SWAP_USING_MOVE,
    *,
    slot_size: int = 0x40000,
    size: int = 20_000,
    **changes: Any,
) -> VirtualDevice:
    """Return a board that runs version 1.0.0; `changes` are fields of its profile."""
    old = make_image((1, 0, 0), linked_for=PRIMARY, rom_fixed=mode.is_direct_xip, size=size)
    return VirtualDevice(
        DeviceProfile(
            mode,
            (SlotProfile(0, 0, PRIMARY, slot_size), SlotProfile(0, 1, SECONDARY, slot_size)),
            {(0, 0): old},
            scratch=SlotProfile(0, 2, 0xC0000, 0x4000),
            **changes,
        )
    )


def make_update(
    mode: BootloaderMode = BootloaderMode.SWAP_USING_MOVE,
    *,
    version: tuple[int, int, int] = (2, 0, 0),
    size: int = 20_000,
) -> bytes:
    """Return an image for the free slot of such a board."""
    linked_for = SECONDARY if mode.is_direct_xip else PRIMARY
    return make_image(version, linked_for=linked_for, rom_fixed=mode.is_direct_xip, size=size)


def on_air(**changes: Any) -> VirtualDevice:
    """Return a board with a radio of its own kind; `changes` are fields of `RadioProfile`."""
    return make_board(radio=RadioProfile(**changes))
