# SPDX-License-Identifier: Apache-2.0
"""IM360: in direct-xip, builds need versions that differ."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help
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

DOC = RuleDoc(
    code="IM360",
    name="version-never-set",
    category=Category.FRAGILE,
    summary="the version is 0.0.0, so in direct-xip the next build ties with this one",
    checks="In direct-xip the version must be other than 0.0.0+0, the value of who sets none.",
    why=(
        "Two builds with the same version tie, and MCUboot runs the primary slot whatever was "
        "uploaded to the secondary."
    ),
    fix=(
        "Give the application a `VERSION` file, or set `CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION` "
        "(`CONFIG_MCUBOOT_IMAGE_VERSION` before SDK 2.5), and raise it with each release."
    ),
    bad='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="0.0.0+0"',
    good='CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION="1.0.0+0"',
    applies="direct-xip",
    references=("mcuboot boot/bootutil/src/loader.c", "zephyr doc/build/version"),
)


def check(context: Context, image: Image) -> Verdict:
    """Look at the version."""
    build = context.build
    if build.mode is None or not build.mode.is_direct_xip:
        return not_applicable("the mode does not compare versions")
    if build.version is None:
        return unknown("the build names no version")
    if build.version.replace("+", ".").replace(".", "").strip("0"):
        return passed(f"the version is {build.version}")
    return Finding(
        message=f"the version is {build.version}",
        location=build.version_location,
        helps=(Help("give the application a `VERSION` file and raise it with each release"),),
        data={"version": build.version},
    )


RULE = Rule(DOC, check)
