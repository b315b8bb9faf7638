# SPDX-License-Identifier: Apache-2.0
"""KC177: the bootloader asks for a signature."""

from __future__ import annotations

from ..builddir import Image, Role, SignatureType
from .edits import in_bootloader, in_sysbuild
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

_SYMBOL = "CONFIG_BOOT_SIGNATURE_TYPE_NONE"

DOC = RuleDoc(
    code="KC177",
    name="images-not-signed",
    category=Category.UNSAFE,
    summary="MCUboot asks for no signature, so it runs anybody's firmware",
    checks=f"`{_SYMBOL}` must be off in MCUboot's configuration.",
    why="MCUboot then checks only that an image is whole: whoever can upload decides what runs.",
    fix=(
        "Choose a signature type (`CONFIG_BOOT_SIGNATURE_TYPE_ECDSA_P256`, with sysbuild "
        "`SB_CONFIG_BOOT_SIGNATURE_TYPE_ECDSA_P256`) and a key of your own."
    ),
    bad=f"{_SYMBOL}=y",
    good="CONFIG_BOOT_SIGNATURE_TYPE_ECDSA_P256=y",
    applies="every build with MCUboot as part of it",
    references=("mcuboot boot/zephyr/Kconfig",),
)


def check(context: Context, image: Image) -> Verdict:
    """See which signature MCUboot asks for."""
    kind = context.build.signature_type
    if kind is None:
        return unknown("MCUboot's configuration names no signature type")
    if kind is not SignatureType.NONE:
        return passed(f"MCUboot asks for {kind.value}")
    choice = "CONFIG_BOOT_SIGNATURE_TYPE_ECDSA_P256=y\n"
    return Finding(
        message=f"`{_SYMBOL}` is on",
        location=image.kconfig.where(_SYMBOL),
        helps=(
            in_bootloader(context.build, choice, safe=False)
            if context.build.sysbuild is None
            else in_sysbuild(f"SB_{choice}", safe=False),
        ),
        data={"symbol": _SYMBOL, "expected": "n", "actual": "y"},
    )


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER,))
