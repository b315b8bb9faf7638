# SPDX-License-Identifier: Apache-2.0
"""KC189: application and bootloader agree on what is hashed and signed, and with what."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application, in_sysbuild
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

# Of the application, of MCUboot, and what is meant.
_PAIRS = (
    (
        "CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE",
        "CONFIG_BOOT_SIGNATURE_TYPE_PURE",
        "a signature over the image itself",
    ),
    (
        "CONFIG_MCUBOOT_BOOTLOADER_USES_SHA512",
        "CONFIG_BOOT_IMG_HASH_ALG_SHA512",
        "images hashed with SHA-512",
    ),
)

DOC = RuleDoc(
    code="KC189",
    name="hash-kind-differs",
    category=Category.BROKEN,
    summary="application and MCUboot disagree on how images are hashed and signed",
    checks=(
        "What the application takes for granted against what MCUboot was built for: "
        + "; ".join(f"`{ours}` and `{theirs}`" for ours, theirs, _ in _PAIRS)
        + ". An application that does not know the option is not judged."
    ),
    why=(
        "The build signs by the application's option and MCUboot checks by its own, so every image "
        "is refused; MCUmgr looks for a hash of the wrong length, and finds none."
    ),
    fix=(
        "With sysbuild say it once, by `SB_CONFIG_BOOT_SIGNATURE_TYPE_PURE` and "
        "`SB_CONFIG_BOOT_IMG_HASH_ALG_SHA512`, and set neither side by hand."
    ),
    bad="CONFIG_MCUBOOT_BOOTLOADER_USES_SHA512=n   # application\n"
    "CONFIG_BOOT_IMG_HASH_ALG_SHA512=y         # MCUboot",
    good="CONFIG_MCUBOOT_BOOTLOADER_USES_SHA512=y   # application\n"
    "CONFIG_BOOT_IMG_HASH_ALG_SHA512=y         # MCUboot",
    applies="Zephyr 4.0 and later (SDK 2.9 and later), with MCUboot as part of the build",
    references=(
        "zephyr modules/Kconfig.mcuboot",
        "sdk-nrf cmake/sysbuild/image_signing.cmake",
        "mcuboot boot/zephyr/Kconfig",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two sides of each pair."""
    bootloader = context.build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    known = [pair for pair in _PAIRS if pair[0] in image.kconfig]
    if not known:
        return not_applicable("the application's configuration has none of these options")
    for ours, theirs, meant in known:
        expected = bootloader.kconfig.is_on(theirs)
        if image.kconfig.is_on(ours) == expected:
            continue
        value = "y" if expected else "n"
        helps = (in_application(f"{ours}={value}\n", unless="or change MCUboot's", safe=False),)
        if context.build.sysbuild is not None:
            name = theirs.removeprefix("CONFIG_")
            helps = (in_sysbuild(f"SB_CONFIG_{name}={value}\n", safe=False),)
        return Finding(
            message=f"{'MCUboot' if expected else 'the application'} is built for {meant}, "
            f"{'the application' if expected else 'MCUboot'} is not",
            location=image.kconfig.where(ours),
            notes=(
                Note(
                    f"`{theirs}` is {'on' if expected else 'off'} in MCUboot's configuration",
                    bootloader.kconfig.where(theirs),
                ),
            ),
            helps=helps,
            data={"symbol": ours, "expected": value, "actual": image.kconfig.text(ours, "n")},
        )
    return passed("both say the same")


RULE = Rule(DOC, check, follows=("KC157",))
