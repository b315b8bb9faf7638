# SPDX-License-Identifier: Apache-2.0
"""DT255: who writes or reads a slot in external flash has its driver."""

from __future__ import annotations

from ..builddir import Image, Kconfig, Slot
from ..diagnostics import Note, Severity
from .edits import in_application, in_bootloader
from .flash_layout import is_partition_managed
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_DRIVERS = (
    "CONFIG_NORDIC_QSPI_NOR",
    "CONFIG_SPI_NOR",
    "CONFIG_FLASH_MSPI_NOR",
    "CONFIG_SPI_FLASH_AT45",
    "CONFIG_FLASH_SIMULATOR",
    # Says that the application brings a driver of its own.
    "CONFIG_PM_OVERRIDE_EXTERNAL_DRIVER_CHECK",
)

DOC = RuleDoc(
    code="DT255",
    name="external-flash-without-driver",
    category=Category.BROKEN,
    summary="the secondary slot is in external flash, and a driver for it is missing",
    checks=(
        "Where the secondary slot lies in external flash, application and MCUboot must each have a "
        f"driver for it: {', '.join(f'`{name}`' for name in _DRIVERS[:-1])}; "
        f"`{_DRIVERS[-1]}` says that there is another."
    ),
    why=(
        "Without the driver in the application the upload can't be written; without it in MCUboot "
        "the uploaded image is never found."
    ),
    fix="Enable the driver in both, for example `CONFIG_NORDIC_QSPI_NOR=y`.",
    bad="# CONFIG_NORDIC_QSPI_NOR is not set",
    good="CONFIG_NORDIC_QSPI_NOR=y",
    applies="builds whose secondary slot is in external flash",
    references=("sdk-nrf doc/nrf/scripts/partition_manager", "zephyr drivers/flash/Kconfig"),
    known_problems=(
        "Another driver than those named is not known. Without Partition Manager the finding is "
        "therefore a warning; waive it."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Look for a driver in both."""
    build = context.build
    external = [slot for slot in build.slots if slot.index and _is_external(slot, context)]
    if not external:
        return not_applicable("no secondary slot is in external flash")
    slot = external[0]
    place = Note(f"`{slot.name}` is in `{slot.region}`", slot.address.location)
    # Outside the SDK any driver may serve; not to know it is no proof that it is missing.
    severity = None if is_partition_managed(build) else Severity.WARNING
    if not _has_driver(image.kconfig):
        return Finding(
            message="the application has no driver for the flash of the secondary slot",
            location=image.kconfig.where(_DRIVERS[0]),
            notes=(place,),
            # Which driver fits is not known: nothing to apply unasked.
            helps=(
                in_application(f"{_DRIVERS[0]}=y\n", unless="or the driver that fits", safe=False),
            ),
            severity=severity,
            data={"region": slot.region, "image": image.name},
        )
    bootloader = build.bootloader
    if bootloader is not None and not _has_driver(bootloader.kconfig):
        return Finding(
            message="MCUboot has no driver for the flash of the secondary slot",
            location=bootloader.kconfig.where(_DRIVERS[0]),
            notes=(place,),
            helps=(in_bootloader(build, f"{_DRIVERS[0]}=y\n", safe=False),),
            severity=severity,
            data={"region": slot.region, "image": bootloader.name},
        )
    return passed(f"there is a driver for `{slot.region}`")


def _is_external(slot: Slot, context: Context) -> bool:
    if is_partition_managed(context.build):
        return slot.region == "external_flash"
    primary = context.build.slot(0, slot.image)
    return primary is not None and slot.region != primary.region


def _has_driver(kconfig: Kconfig) -> bool:
    return any(kconfig.is_on(name) for name in _DRIVERS)


RULE = Rule(DOC, check, roles=(), follows=("DT250",))
