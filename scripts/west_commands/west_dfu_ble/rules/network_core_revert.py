# SPDX-License-Identifier: Apache-2.0
"""IM362: what can't be reverted is not promised to be."""

from __future__ import annotations

from ..builddir import Image, Role
from ..diagnostics import Help, Note
from ..mcuboot import BootloaderMode
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

_COUNT = "CONFIG_UPDATEABLE_IMAGE_NUMBER"

DOC = RuleDoc(
    code="IM362",
    name="network-core-reverts",
    category=Category.FRAGILE,
    summary="the network core is updated in a mode that reverts, and its image can't be",
    checks=(
        "Where MCUboot updates the network core too (two images), the mode must be overwrite-only: "
        "the image goes through RAM into the other core's flash, and there is no way back."
    ),
    why=(
        "When the new application is not confirmed, MCUboot takes it back and leaves the network "
        "core new: two halves of different firmware."
    ),
    fix=(
        "Take overwrite-only: `SB_CONFIG_MCUBOOT_MODE_OVERWRITE_ONLY=y` with sysbuild, "
        "`CONFIG_BOOT_UPGRADE_ONLY=y` in MCUboot before."
    ),
    bad="CONFIG_UPDATEABLE_IMAGE_NUMBER=2\nCONFIG_BOOT_SWAP_USING_MOVE=y",
    good="CONFIG_UPDATEABLE_IMAGE_NUMBER=2\nCONFIG_BOOT_UPGRADE_ONLY=y",
    applies="builds that update the network core together with the application",
    references=("sdk-nrf doc/nrf/.../nrf53/simultaneous_multi_image_dfu",),
)


def check(context: Context, image: Image) -> Verdict:
    """Look at the mode where there are two images."""
    build = context.build
    bootloader = build.bootloader
    if bootloader is None or build.mode is None:
        return unknown("MCUboot's own configuration is not part of this build")
    if (bootloader.kconfig.integer(_COUNT) or 1) < 2:
        return not_applicable("MCUboot does not update the network core")
    if build.mode is BootloaderMode.OVERWRITE_ONLY:
        return passed("the mode is overwrite-only, which reverts nothing")
    return Finding(
        message=f"two images are updated with {build.mode.title}",
        location=build.mode_built.location if build.mode_built else None,
        notes=(Note("there are two images", bootloader.kconfig.where(_COUNT)),),
        helps=(Help("take overwrite-only for both images"),),
        data={"mode": build.mode.name},
    )


RULE = Rule(DOC, check, roles=(Role.NETWORK_CORE,))
