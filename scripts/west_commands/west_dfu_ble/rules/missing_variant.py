# SPDX-License-Identifier: Apache-2.0
"""KC198: in direct-xip there is an image for each slot."""

from __future__ import annotations

from dataclasses import replace

from ..builddir import Image
from ..diagnostics import DfuBleError
from .built_files import finding_from
from .model import Category, Context, Rule, RuleDoc, Verdict, not_applicable, passed, unknown

DOC = RuleDoc(
    code="KC198",
    name="variant-not-built",
    category=Category.BROKEN,
    summary="direct-xip, and the application was built for the primary slot alone",
    checks="In direct-xip the build must have the application linked for the secondary slot too.",
    why=(
        "A device that runs from the primary slot needs the image for the secondary. Without it "
        "there is nothing to upload that could run."
    ),
    fix=(
        "Enable the variant: `SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT` with the SDK's sysbuild, "
        "`CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT` before. Upstream Zephyr builds one image at a "
        "time: build the application again with the other slot as `zephyr,code-partition`."
    ),
    bad="# CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT is not set",
    good="CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=y",
    applies="direct-xip",
    references=("sdk-nrf modules/mcuboot/Kconfig", "sdk-nrf sysbuild/Kconfig.mcuboot"),
)


def check(context: Context, image: Image) -> Verdict:
    """Look for the variant."""
    build = context.build
    if build.mode is None:
        return unknown("the build does not say which bootloader mode it is for")
    if not build.mode.is_direct_xip:
        return not_applicable(f"in {build.mode.title} one image serves both slots")
    if build.variant is not None:
        return passed(f"`{build.variant.name}` is linked for the secondary slot")
    from ..image import binary_for

    try:
        binary_for(build, 1)
    except DfuBleError as error:
        # The signer says which option builds it in this layout and generation.
        found = finding_from(error.diagnostic, "there is no image for the secondary slot")
        return replace(found, notes=error.diagnostic.notes)
    raise AssertionError("a variant that is not there has no binary")


RULE = Rule(DOC, check, follows=("KC173",))
