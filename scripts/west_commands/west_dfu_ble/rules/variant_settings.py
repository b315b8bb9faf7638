# SPDX-License-Identifier: Apache-2.0
"""KC199: the variant is the same application."""

from __future__ import annotations

from ..builddir import Image, Role
from ..diagnostics import Help, Note
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed

# What the update depends on; where an image is linked may well differ.
_PREFIXES = (
    "CONFIG_MCUMGR",
    "CONFIG_CAF_BLE",
    "CONFIG_BT_",
    "CONFIG_IMG_",
    "CONFIG_MCUBOOT_BOOTLOADER_MODE",
    "CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION",
    "CONFIG_MCUBOOT_IMAGE_VERSION",
)

DOC = RuleDoc(
    code="KC199",
    name="variant-configured-differently",
    category=Category.FRAGILE,
    summary="the variant for the secondary slot is configured differently than the application",
    checks=(
        "Every symbol of application and variant that begins with one of "
        + ", ".join(f"`{prefix}`" for prefix in _PREFIXES)
        + " must be the same in both."
    ),
    why=(
        "What works in a device that runs from one slot fails in one that runs from the other, and "
        "each update changes the slot."
    ),
    fix="Give both the same configuration; the SDK does so unless it is overridden by image.",
    bad="west build … -- -Dmcuboot_secondary_app_CONFIG_MCUMGR_GRP_OS=n",
    good="west build … -- -DCONFIG_MCUMGR_GRP_OS=y",
    applies="direct-xip builds with a variant",
    references=("sdk-nrf doc/nrf/app_dev/bootloaders_dfu/mcuboot_nsib",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two configurations."""
    application = context.build.application.kconfig
    variant = image.kconfig
    names = sorted(
        name
        for name in {*application, *variant}
        if name.startswith(_PREFIXES) and application.text(name, "n") != variant.text(name, "n")
    )
    if not names:
        return passed("what the update depends on is the same in both")
    first, *rest = names
    return Finding(
        message=f"`{first}` is {variant.text(first, 'n')} in the variant and "
        f"{application.text(first, 'n')} in the application",
        location=variant.where(first),
        notes=(
            Note("the application's", application.where(first)),
            *((Note(f"{len(rest)} more differ, for example `{rest[0]}`"),) if rest else ()),
        ),
        helps=(Help("give both the same configuration"),),
        data={"symbols": names},
    )


RULE = Rule(DOC, check, roles=(Role.VARIANT,))
