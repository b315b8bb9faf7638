# SPDX-License-Identifier: Apache-2.0
"""IM359: a build number that is counted, and that MCUboot looks at."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_bootloader
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

DOC = RuleDoc(
    code="IM359",
    name="build-number-ignored",
    category=Category.FRAGILE,
    summary="the version has a build number, and MCUboot does not look at it",
    checks=(
        f"Where the version decides (direct-xip), `{_BOOTLOADER}` of MCUboot must be on if the "
        "version has a build number other than 0."
    ),
    why="Two builds that differ in the build number alone tie, and the update changes nothing.",
    fix=f"Enable `{_BOOTLOADER}` in MCUboot, or raise the revision instead.",
    bad='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.0+7"',
    good=f'CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.0+7"\n{_BOOTLOADER}=y   # MCUboot',
    applies="direct-xip",
    references=("mcuboot boot/zephyr/Kconfig",),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether a number is there and seen."""
    build = context.build
    if build.mode is None or not build.mode.is_direct_xip:
        return not_applicable("the mode does not compare versions")
    if build.version is None:
        return unknown("the build names no version")
    number = build.version.partition("+")[2]
    if not number.strip("0"):
        return passed(f"the version {build.version} has no build number to ignore")
    bootloader = build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    if bootloader.kconfig.is_on(_BOOTLOADER):
        return passed(f"`{_BOOTLOADER}` is on")
    return Finding(
        message=f"the version is {build.version}, and MCUboot ignores the {number}",
        location=build.version_location,
        notes=(Note(f"`{_BOOTLOADER}` is off", bootloader.kconfig.where(_BOOTLOADER)),),
        helps=(in_bootloader(build, f"{_BOOTLOADER}=y\n"),),
        data={"version": build.version, "symbol": _BOOTLOADER},
    )


RULE = Rule(DOC, check)
