# SPDX-License-Identifier: Apache-2.0
"""Every mode, by every name that it had."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_builds import child_image_build, kconfig, write
from west_dfu_ble.builddir import load
from west_dfu_ble.mcuboot import BootloaderMode as Mode

BUILT = [
    (("BOOT_SWAP_USING_SCRATCH",), Mode.SWAP_USING_SCRATCH),
    (("BOOT_SWAP_USING_MOVE",), Mode.SWAP_USING_MOVE),
    (("BOOT_SWAP_USING_OFFSET",), Mode.SWAP_USING_OFFSET),
    (("BOOT_UPGRADE_ONLY",), Mode.OVERWRITE_ONLY),
    (("BOOT_DIRECT_XIP", "-BOOT_DIRECT_XIP_REVERT"), Mode.DIRECT_XIP),
    (("BOOT_DIRECT_XIP", "BOOT_DIRECT_XIP_REVERT"), Mode.DIRECT_XIP_WITH_REVERT),
    (("BOOT_RAM_LOAD",), Mode.RAM_LOAD),
    (("BOOT_FIRMWARE_LOADER",), Mode.FIRMWARE_LOADER),
    (("SINGLE_APPLICATION_SLOT",), Mode.SINGLE_SLOT),
    (("SINGLE_APPLICATION_SLOT_RAM_LOAD",), Mode.SINGLE_SLOT_RAM_LOAD),
    ((), None),
]
BELIEVED = [
    ("SWAP_WITHOUT_SCRATCH", Mode.SWAP_USING_MOVE),  # until Zephyr 4.0
    ("SWAP_USING_MOVE", Mode.SWAP_USING_MOVE),  # since Zephyr 4.1
    ("SWAP_USING_OFFSET", Mode.SWAP_USING_OFFSET),
    ("SWAP_SCRATCH", Mode.SWAP_USING_SCRATCH),
    ("OVERWRITE_ONLY", Mode.OVERWRITE_ONLY),
    ("DIRECT_XIP", Mode.DIRECT_XIP),
    ("DIRECT_XIP_WITH_REVERT", Mode.DIRECT_XIP_WITH_REVERT),
    ("RAM_LOAD", Mode.RAM_LOAD),
    ("RAM_LOAD_WITH_REVERT", Mode.RAM_LOAD),
    ("FIRMWARE_UPDATER", Mode.FIRMWARE_LOADER),
    ("SINGLE_APP", Mode.SINGLE_SLOT),
    ("SINGLE_APP_RAM_LOAD", Mode.SINGLE_SLOT_RAM_LOAD),
]


@pytest.mark.parametrize(("symbols", "mode"), BUILT)
def test_mode_as_mcuboot_was_built(
    tmp_path: Path, symbols: tuple[str, ...], mode: Mode | None
) -> None:
    write(
        child_image_build(tmp_path),
        {"mcuboot/zephyr/.config": kconfig("MCUBOOT", "MCUBOOT_TRAILER_SWAP_TYPE", *symbols)},
    )
    built = load(tmp_path).mode_built
    assert (built.mode if built else None) is mode
    if built:
        # the symbol that decided, which for direct-xip with revert is the second one
        assert built.location.line == 2 + (2 if mode is Mode.DIRECT_XIP_WITH_REVERT else 1)


@pytest.mark.parametrize(("suffix", "mode"), BELIEVED)
def test_mode_as_the_application_believes(tmp_path: Path, suffix: str, mode: Mode) -> None:
    # CONFIG_XIP and the trailer's option have nothing to do with it.
    symbols = ("XIP", "BOOTLOADER_MCUBOOT", f"MCUBOOT_BOOTLOADER_MODE_{suffix}")
    write(child_image_build(tmp_path), {"zephyr/.config": kconfig(*symbols)})
    believed = load(tmp_path).mode_believed
    assert believed is not None
    assert (believed.mode, believed.location.line) == (mode, 3)


@pytest.mark.parametrize(("suffix", "mode"), BELIEVED)
def test_mode_as_sysbuild_says(tmp_path: Path, suffix: str, mode: Mode) -> None:
    write(
        tmp_path,
        {
            "domains.yaml": "default: app\ndomains:\n  - name: app\n",
            "zephyr/.config": kconfig(f"SB_CONFIG_MCUBOOT_MODE_{suffix}"),
            "app/zephyr/.config": kconfig("BOOTLOADER_MCUBOOT"),
        },
    )
    build = load(tmp_path)
    assert build.mode is mode
    assert build.mode_built is None


@pytest.mark.parametrize("mode", ["SINGLE_APPLICATION_SLOT", "BOOT_FIRMWARE_LOADER"])
def test_single_slot_needs_no_secondary_slot(tmp_path: Path, mode: str) -> None:
    child_image_build(tmp_path)
    text = (tmp_path / "partitions.yml").read_text().replace("mcuboot_secondary:", "spare:")
    write(
        tmp_path,
        {"partitions.yml": text, "mcuboot/zephyr/.config": kconfig("MCUBOOT", mode)},
    )
    assert [slot.name for slot in load(tmp_path).slots] == ["mcuboot_primary"]
