# SPDX-License-Identifier: Apache-2.0
"""IM358: the version is higher than that of the firmware in the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..builddir import Build, Image, Kconfig
from ..diagnostics import Help, Note, Severity
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

if TYPE_CHECKING:
    from ..image import ImageVersion

_BUILD_NUMBER = "CONFIG_BOOT_VERSION_CMP_USE_BUILD_NUMBER"
_PREVENTION = ("CONFIG_MCUBOOT_DOWNGRADE_PREVENTION", "CONFIG_BOOT_DOWNGRADE_PREVENTION")

DOC = RuleDoc(
    code="IM358",
    name="version-not-raised",
    category=Category.BROKEN,
    summary="the version is not higher than that of the image before",
    checks=(
        "The build's version against that of `--baseline FILE|ZIP`, compared as MCUboot does: by "
        f"major, minor and revision, and by the build number only with `{_BUILD_NUMBER}`. In "
        "direct-xip and with downgrade prevention it must be higher; elsewhere a tie is a warning. "
        "Without a baseline the rule does not apply."
    ),
    why=(
        "In direct-xip the slot with the higher version runs, and the primary in a tie: the upload "
        "succeeds and changes nothing."
    ),
    fix="Raise the version in the application's `VERSION` file or its sign version.",
    bad='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.0+0"   # the baseline is 1.2.0+0',
    good='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.3.0+0"',
    applies="checks with `--baseline`",
    references=("mcuboot boot/bootutil/src/loader.c",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare with the baseline, if there is one."""
    build = context.build
    baseline = context.baseline
    if baseline is None:
        return not_applicable("no baseline was given to compare with")
    if build.version is None:
        return unknown("the build names no version")
    from ..image import parse_version

    version = parse_version(build.version)
    bootloader = build.bootloader.kconfig if build.bootloader else None
    by_number = bootloader is not None and bootloader.is_on(_BUILD_NUMBER)
    new, old = _compared(version, by_number), _compared(baseline, by_number)
    if new > old:
        return passed(f"{version} is higher than {baseline}")
    notes = []
    if version > baseline:
        notes.append(
            Note(
                f"`{_BUILD_NUMBER}` is off, so MCUboot does not see the build number",
                bootloader.where(_BUILD_NUMBER) if bootloader else None,
            )
        )
    return Finding(
        message=f"the version is {version}, the baseline's {baseline}",
        location=build.version_location,
        notes=tuple(notes),
        helps=(Help("raise the version, for example in the application's `VERSION` file"),),
        severity=None if _must_rise(build, bootloader) else Severity.WARNING,
        why=""
        if _must_rise(build, bootloader)
        else "The update works, and nobody can tell by the version which firmware a device runs.",
        data={"version": str(version), "baseline": str(baseline)},
    )


def _compared(version: ImageVersion, by_number: bool) -> ImageVersion:
    return version if by_number else version.without_build


def _must_rise(build: Build, bootloader: Kconfig | None) -> bool:
    if build.mode is not None and build.mode.is_direct_xip:
        return True
    return bootloader is not None and any(bootloader.is_on(name) for name in _PREVENTION)


RULE = Rule(DOC, check, roles=())
