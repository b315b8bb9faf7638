# SPDX-License-Identifier: Apache-2.0
"""KC175: the bootloader checks the image that it starts."""

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
)

_SYMBOL = "CONFIG_BOOT_VALIDATE_SLOT0"

DOC = RuleDoc(
    code="KC175",
    name="primary-slot-not-validated",
    category=Category.UNSAFE,
    summary="MCUboot starts the image in the primary slot without checking it",
    checks=f"`{_SYMBOL}` must be on in MCUboot's configuration. It does not concern direct-xip.",
    why=(
        "An image that was damaged in the flash, or written there past MCUboot, is started all "
        "the same, and the device may never come back to be updated."
    ),
    fix="Leave the option at its default, which is on.",
    bad=f"{_SYMBOL}=n",
    good=f"{_SYMBOL}=y",
    applies="every mode but direct-xip and RAM load, with MCUboot as part of the build",
    references=("mcuboot boot/zephyr/Kconfig",),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether the slot is validated."""
    mode = context.build.mode_built
    if mode is not None and (mode.mode.is_direct_xip or "RAM_LOAD" in mode.mode.name):
        return not_applicable(f"in {mode.mode.title} each image is checked before it is started")
    if image.kconfig.is_on(_SYMBOL):
        return passed(f"`{_SYMBOL}` is on")
    return Finding(
        message=f"`{_SYMBOL}` is off",
        location=image.kconfig.where(_SYMBOL),
        helps=(in_bootloader(context.build, f"{_SYMBOL}=y\n"),),
        data={"symbol": _SYMBOL, "expected": "y", "actual": "n"},
    )


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER,))
