# SPDX-License-Identifier: Apache-2.0
"""What direct-xip needs and the build did not make, and which option makes it."""

from __future__ import annotations

from ..builddir import Build, Layout
from ..diagnostics import DfuBleError, Help, Location
from ..faults import fault
from ..mcuboot import BootloaderMode


def variant_missing(build: Build) -> DfuBleError:
    """Return the error IM308, naming the option that builds the variant in this generation."""
    kconfig = build.application.kconfig
    location: Location | None
    why = (
        "In direct-xip the image runs from the slot that it was uploaded to, so each slot needs "
        "the application linked for it; the primary's binary can't be signed for the other slot."
    )
    if build.layout in (Layout.ZEPHYR, Layout.ZEPHYR_SYSBUILD):
        location = kconfig.where("CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP")
        cure = Help(
            "build the application a second time, linked for the other slot "
            "(`zephyr,code-partition = &slot1_partition`)"
        )
    elif build.layout is Layout.NCS_SYSBUILD:
        name = "SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT"
        location = build.sysbuild.where(name) if build.sysbuild else None
        cure = Help("enable it and build again", edit=f"{name}=y", file="sysbuild.conf")
    elif any(name.startswith("CONFIG_MCUBOOT_BOOTLOADER_MODE_") for name in kconfig):
        name = "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT"
        mode = "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP"
        if build.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT:
            mode += "_WITH_REVERT"
        # NCS 2.5 derives the variant from the application's mode, NCS 2.4 the other way round.
        edit = f"{mode}=y\n{name}=y" if not kconfig.is_on(mode) else f"{name}=y"
        location = kconfig.where(name if name in kconfig else mode)
        cure = Help("enable it and build again", edit=edit, file="prj.conf")
    else:
        name = "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT"
        location = kconfig.where(name)
        cure = Help("enable it and build again", edit=f"{name}=y", file="prj.conf")
    return fault(
        "IM308",
        "the bootloader is built for direct-xip, the application for the primary slot alone",
        why=why,
        location=location,
        helps=[cure],
    )
