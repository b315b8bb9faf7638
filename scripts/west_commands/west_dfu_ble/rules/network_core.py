# SPDX-License-Identifier: Apache-2.0
"""IM361: the network core is updated together with the application."""

from __future__ import annotations

from ..builddir import Build, Image, Role
from ..diagnostics import Help, Note, Severity
from .flash_layout import region_of
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

_COUNT = "CONFIG_UPDATEABLE_IMAGE_NUMBER"
# MCUboot takes both images in one go, or (with this alone) hands one after the other to the core.
_HANDS_OVER = "CONFIG_PCD_APP"

DOC = RuleDoc(
    code="IM361",
    name="network-core-left-out",
    category=Category.FRAGILE,
    summary="the build has an image for the network core, and updates leave it as it is",
    checks=(
        f"On two-core chips (nRF5340, Thingy:53): MCUboot's `{_COUNT}` must be 2 or more, so that "
        f"the network core's image is updated too, or `{_HANDS_OVER}` on, with which it goes "
        "through the application's slot as an update of its own. That does not reach into external "
        "flash: a secondary slot there is a warning. The rest is an information: products that "
        "never change the Bluetooth controller need no more than one image."
    ),
    why=(
        "After an update the new application runs with the old Bluetooth controller; if the two no "
        "longer fit, the device can't be reached again."
    ),
    fix=(
        "`SB_CONFIG_NETCORE_APP_UPDATE=y` and `SB_CONFIG_MCUBOOT_NRF53_MULTI_IMAGE_UPDATE=y` with "
        "sysbuild; `CONFIG_NRF53_UPGRADE_NETWORK_CORE=y` and two images before."
    ),
    bad=f"# {_COUNT} is 1, and there is an image `ipc_radio`",
    good=f"{_COUNT}=2",
    applies="builds with an image for the network core",
    references=("sdk-nrf sysbuild/Kconfig.mcuboot", "sdk-nrf doc/nrf/.../nrf53/fota_update"),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether MCUboot knows a second image."""
    bootloader = context.build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    count = bootloader.kconfig.integer(_COUNT) or 1
    if count > 1:
        return passed(f"MCUboot knows {count} images")
    if bootloader.kconfig.is_on(_HANDS_OVER):
        return _one_after_the_other(context.build, bootloader)
    return Finding(
        message=f"MCUboot updates one image, and `{image.name}` is a second",
        location=bootloader.kconfig.where(_COUNT),
        notes=(Note(f"`{image.name}` is for the network core", image.kconfig.where("CONFIG_BT")),),
        helps=(Help("enable the update of the network core, if its firmware will ever change"),),
        severity=Severity.INFO,
        data={"images": count},
    )


def _one_after_the_other(build: Build, bootloader: Image) -> Verdict:
    slot = build.slot(1)
    region = region_of(build, slot) if slot else None
    # Partition Manager's own name for it; without it the SDK tells external flash in no other way.
    if slot is None or region is None or region.name != "external_flash":
        return passed("the network core's image goes through the application's slot, on its own")
    return Finding(
        message="the network core's image would be taken from external flash, which MCUboot can do "
        "only together with the application's",
        location=slot.address.location,
        notes=(
            Note(f"`{_HANDS_OVER}` is on", bootloader.kconfig.where(_HANDS_OVER)),
            Note(f"`{_COUNT}` is 1 or not written", bootloader.kconfig.where(_COUNT)),
        ),
        helps=(Help("enable `SB_CONFIG_MCUBOOT_NRF53_MULTI_IMAGE_UPDATE`, or move the slot"),),
        why="The network core reads its new image itself, and has no way into external flash.",
        data={"slot": slot.name, "region": region.name},
    )


RULE = Rule(DOC, check, roles=(Role.NETWORK_CORE,))
