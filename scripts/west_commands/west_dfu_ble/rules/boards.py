# SPDX-License-Identifier: Apache-2.0
"""EN051: application, variant and bootloader are for one board."""

from __future__ import annotations

import re

from ..builddir import Image, Role
from ..diagnostics import Help, Note
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="EN051",
    name="boards-differ",
    category=Category.BROKEN,
    summary="the images of the build are for different boards",
    checks=(
        "`CONFIG_BOARD` (with its target or qualifiers) of bootloader and variant against the "
        "application's; the non-secure side of a board counts as that board."
    ),
    why="An image for another board has its pins, its flash and its partitions elsewhere.",
    fix="Build everything again for one board, with `--pristine`.",
    bad='CONFIG_BOARD="nrf52840dk_nrf52840"   # application\n'
    'CONFIG_BOARD="nrf52833dk_nrf52833"   # MCUboot',
    good='CONFIG_BOARD="nrf52840dk_nrf52840"   # both',
    applies="every build with more than one image",
    references=("zephyr doc/hardware/porting/board_porting",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare with the application's board."""
    application = context.build.application
    ours, theirs = _board(application), _board(image)
    if not ours or not theirs:
        return unknown("an image does not name its board")
    if ours == theirs:
        return passed(f"the board is {ours}")
    return Finding(
        message=f"`{image.name}` is for {theirs}, the application for {ours}",
        location=image.kconfig.where("CONFIG_BOARD"),
        notes=(Note("the application's", application.kconfig.where("CONFIG_BOARD")),),
        helps=(Help("build everything again", edit=f"west build --pristine -b {ours}\n"),),
        data={"application": ours, "image": theirs},
    )


def _board(image: Image) -> str:
    kconfig = image.kconfig
    name = kconfig.text("CONFIG_BOARD_TARGET")
    if not name:
        parts = [kconfig.text("CONFIG_BOARD"), kconfig.text("CONFIG_BOARD_QUALIFIERS")]
        name = "/".join(part for part in parts if part)
    name = re.sub(r"@[^/]*", "", name)  # a board's revision
    return re.sub(r"[_/]ns$", "", name)


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER, Role.VARIANT))
