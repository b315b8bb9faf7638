# SPDX-License-Identifier: Apache-2.0
"""KC179: images are signed with the key that the bootloader knows."""

from __future__ import annotations

from ..builddir import Image, SignatureType
from ..diagnostics import Help, Note
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

DOC = RuleDoc(
    code="KC179",
    name="signing-key-differs",
    category=Category.FRAGILE,
    summary="the application names another signing key than MCUboot was built with",
    checks=(
        "`CONFIG_MCUBOOT_SIGNATURE_KEY_FILE` of the application against "
        "`CONFIG_BOOT_SIGNATURE_KEY_FILE` of MCUboot, where both name one. The files are not "
        "opened; that a signature really is valid is proved by IM355 and when signing."
    ),
    why="MCUboot knows no other key than its own: an image signed with another never runs.",
    fix="Name the same file in both; with sysbuild once, by `SB_CONFIG_BOOT_SIGNATURE_KEY_FILE`.",
    bad='CONFIG_MCUBOOT_SIGNATURE_KEY_FILE="a.pem"   # application\n'
    'CONFIG_BOOT_SIGNATURE_KEY_FILE="b.pem"      # MCUboot',
    good='SB_CONFIG_BOOT_SIGNATURE_KEY_FILE="a.pem"   # sysbuild.conf',
    applies="builds in which both name a key",
    references=("zephyr cmake/mcuboot.cmake", "mcuboot boot/zephyr/Kconfig"),
    known_problems="Two files with the same key in them are taken for two keys.",
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two names."""
    build = context.build
    ours, theirs = build.key, build.bootloader_key
    if build.signature_type is SignatureType.NONE:
        return not_applicable("images are not signed at all")
    if ours is None or theirs is None or ours.location == theirs.location:
        return not_applicable("only one key is named")
    if ours.path == theirs.path or ours.setting == theirs.setting:
        return passed(f"both name `{ours.setting}`")
    return Finding(
        message=f"the application is signed with `{ours.setting}`, MCUboot was built with "
        f"`{theirs.setting}`",
        location=ours.location,
        notes=(Note("MCUboot's key", theirs.location),),
        helps=(Help("name the same file in both"),),
        data={"application": ours.setting, "bootloader": theirs.setting},
    )


RULE = Rule(DOC, check)
