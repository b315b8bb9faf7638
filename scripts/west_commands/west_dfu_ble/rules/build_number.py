# SPDX-License-Identifier: Apache-2.0
"""IM359: a build number that is counted, and that MCUboot looks at."""

from __future__ import annotations

from ..builddir import Build, Image
from ..diagnostics import Note
from ..mcuboot import BootloaderMode
from .edits import in_application, in_bootloader
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
    unknown,
)

_BOOTLOADER = "CONFIG_BOOT_VERSION_CMP_USE_BUILD_NUMBER"
_MCUMGR = "CONFIG_MCUMGR_GRP_IMG_VERSION_CMP_USE_BUILD_NUMBER"
_PREVENTION = ("CONFIG_MCUBOOT_DOWNGRADE_PREVENTION", "CONFIG_BOOT_DOWNGRADE_PREVENTION")

DOC = RuleDoc(
    code="IM359",
    name="build-number-ignored",
    category=Category.FRAGILE,
    summary="the version has a build number, and MCUboot or MCUmgr does not look at it",
    checks=(
        f"Where the version decides (direct-xip, or `{_PREVENTION[0]}`), `{_BOOTLOADER}` of "
        "MCUboot must be on if the version has a build number other than 0, and so must "
        f"`{_MCUMGR}` of the application, where it is known."
    ),
    why="Two builds that differ in the build number alone tie, and the update changes nothing.",
    fix=f"Enable `{_BOOTLOADER}` in MCUboot and `{_MCUMGR}`, or raise the revision instead.",
    bad='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.0+7"',
    good=f'CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.0+7"\n{_BOOTLOADER}=y   # MCUboot',
    applies="direct-xip, and other modes with downgrade prevention by version",
    references=(
        "mcuboot boot/zephyr/Kconfig",
        "zephyr subsys/mgmt/mcumgr/grp/img_mgmt/Kconfig",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether a number is there and seen."""
    build = context.build
    if not _version_decides(build):
        return not_applicable("the mode does not compare versions")
    if build.version is None:
        return unknown("the build names no version")
    number = build.version.partition("+")[2]
    if not number.strip("0"):
        return passed(f"the version {build.version} has no build number to ignore")
    bootloader = build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    if not bootloader.kconfig.is_on(_BOOTLOADER):
        return Finding(
            message=f"the version is {build.version}, and MCUboot ignores the {number}",
            location=build.version_location,
            notes=(Note(f"`{_BOOTLOADER}` is off", bootloader.kconfig.where(_BOOTLOADER)),),
            helps=(in_bootloader(build, f"{_BOOTLOADER}=y\n"),),
            data={"version": build.version, "symbol": _BOOTLOADER},
        )
    if _MCUMGR in image.kconfig and not image.kconfig.is_on(_MCUMGR):
        return Finding(
            message=f"the version is {build.version}, and MCUmgr ignores the {number}",
            location=image.kconfig.where(_MCUMGR),
            notes=(Note(f"`{_BOOTLOADER}` is on", bootloader.kconfig.where(_BOOTLOADER)),),
            helps=(in_application(f"{_MCUMGR}=y\n"),),
            why="MCUmgr then reports another image as the next one than MCUboot will start.",
            data={"version": build.version, "symbol": _MCUMGR},
        )
    return passed(f"`{_BOOTLOADER}` is on")


def _version_decides(build: Build) -> bool:
    mode = build.mode
    if mode is None or mode is BootloaderMode.SINGLE_SLOT:
        return False
    bootloader = build.bootloader
    prevented = bootloader is not None and any(map(bootloader.kconfig.is_on, _PREVENTION))
    return mode.is_direct_xip or prevented


RULE = Rule(DOC, check)
