# SPDX-License-Identifier: Apache-2.0
"""KC174: downgrade prevention does not go together with direct-xip."""

from __future__ import annotations

from ..builddir import Image, Role
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

_SYMBOLS = ("CONFIG_MCUBOOT_DOWNGRADE_PREVENTION", "CONFIG_BOOT_DOWNGRADE_PREVENTION")

DOC = RuleDoc(
    code="KC174",
    name="downgrade-prevention-in-direct-xip",
    category=Category.BROKEN,
    summary="MCUboot is asked for direct-xip and for downgrade prevention by version",
    checks="`CONFIG_MCUBOOT_DOWNGRADE_PREVENTION` of MCUboot, where its mode is direct-xip.",
    why=(
        "MCUboot knows no downgrade prevention in direct-xip: there it runs the higher version of "
        "the two slots anyway, and the option only contradicts the mode."
    ),
    fix="Leave it out: plain direct-xip never runs the lower version while the higher is valid.",
    bad="CONFIG_BOOT_DIRECT_XIP=y\nCONFIG_MCUBOOT_DOWNGRADE_PREVENTION=y",
    good="CONFIG_BOOT_DIRECT_XIP=y",
    applies="direct-xip, with MCUboot as part of the build",
    references=("mcuboot boot/zephyr/Kconfig",),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether both are on."""
    mode = context.build.mode_built
    if mode is None:
        return unknown("MCUboot's configuration names no mode")
    if not mode.mode.is_direct_xip:
        return not_applicable(f"the bootloader mode is {mode.mode.title}")
    for symbol in _SYMBOLS:
        if image.kconfig.is_on(symbol):
            return Finding(
                message=f"`{symbol}` is on in {mode.mode.title}",
                location=image.kconfig.where(symbol),
                helps=(in_bootloader(context.build, f"{symbol}=n\n"),),
                data={"symbol": symbol, "expected": "n", "actual": "y"},
            )
    return passed("no downgrade prevention by version is asked for")


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER,))
