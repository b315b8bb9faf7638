# SPDX-License-Identifier: Apache-2.0
"""KC178: an encrypted image can't run from where it was uploaded to."""

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

_SYMBOL = "CONFIG_BOOT_ENCRYPT_IMAGE"
# What makes MCUboot decrypt; before it was one option, each kind of key had its own.
_SYMBOLS = (
    _SYMBOL,
    "CONFIG_BOOT_ENCRYPT_RSA",
    "CONFIG_BOOT_ENCRYPT_EC256",
    "CONFIG_BOOT_ENCRYPT_X25519",
    "CONFIG_BOOT_ENCRYPT_KW",  # a vendor's: MCUboot's own port to Zephyr has none
)

DOC = RuleDoc(
    code="KC178",
    name="encryption-in-direct-xip",
    category=Category.BROKEN,
    summary="image encryption is on in direct-xip, which runs images where they are",
    checks=f"`{_SYMBOL}` of MCUboot (and its forerunners), where its mode is direct-xip.",
    why=(
        "MCUboot decrypts while it moves an image, and direct-xip moves none: an encrypted update "
        "is stored and can't be run."
    ),
    fix="Take another mode, or leave the encryption out.",
    bad=f"CONFIG_BOOT_DIRECT_XIP=y\n{_SYMBOL}=y",
    good="CONFIG_BOOT_DIRECT_XIP=y",
    applies="direct-xip, with MCUboot as part of the build",
    references=("sdk-nrf cmake/sysbuild/zip.cmake", "mcuboot boot/zephyr/Kconfig"),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether both are on."""
    mode = context.build.mode_built
    if mode is None:
        return unknown("MCUboot's configuration names no mode")
    if not mode.mode.is_direct_xip:
        return not_applicable(f"the bootloader mode is {mode.mode.title}")
    symbol = next((one for one in _SYMBOLS if image.kconfig.is_on(one)), None)
    if symbol is None:
        return passed("images are not encrypted")
    return Finding(
        message=f"`{symbol}` is on in {mode.mode.title}",
        location=image.kconfig.where(symbol),
        helps=(in_bootloader(context.build, f"{symbol}=n\n"),),
        data={"symbol": symbol, "expected": "n", "actual": "y"},
    )


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER,))
