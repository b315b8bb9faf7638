# SPDX-License-Identifier: Apache-2.0
"""KC176: application and bootloader agree on the number of images."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note, Severity
from .edits import in_application
from .generation import Generation
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    passed,
    unknown,
)

_BOOTLOADER = "CONFIG_UPDATEABLE_IMAGE_NUMBER"
_NEW = "CONFIG_MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER"
_OLD = "CONFIG_IMG_MGMT_UPDATABLE_IMAGE_NUMBER"

DOC = RuleDoc(
    code="KC176",
    name="image-count-differs",
    category=Category.BROKEN,
    summary="MCUmgr and MCUboot count different numbers of images",
    checks=(
        f"`{_NEW}` of the application (`{_OLD}` before SDK 2.4) against `{_BOOTLOADER}` of "
        "MCUboot, which is 1 where it is not written. Fewer in the application is a warning: the "
        "images that it knows are updated."
    ),
    why=("An image that MCUmgr takes and MCUboot does not know is uploaded and never installed."),
    fix=(
        "Say the same number in both. In the SDK's sysbuild it follows from "
        "`SB_CONFIG_MCUBOOT_UPDATEABLE_IMAGES` or from the images that take part."
    ),
    bad=f"{_NEW}=1   # application\n{_BOOTLOADER}=2   # MCUboot",
    good=f"{_NEW}=2   # application\n{_BOOTLOADER}=2   # MCUboot",
    applies="every build with MCUboot as part of it",
    references=(
        "zephyr subsys/mgmt/mcumgr/grp/img_mgmt/Kconfig",
        "mcuboot boot/zephyr/Kconfig",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two numbers."""
    bootloader = context.build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    old = context.generation in (Generation.OLD, Generation.MIXED)
    symbol = _OLD if old else _NEW
    # MCUmgr's number follows that of MCUboot's option in the application, where it has that.
    ours = image.kconfig.integer(symbol) or image.kconfig.integer(_BOOTLOADER)
    if ours is None:
        return unknown("the application's configuration names no number of images")
    theirs = bootloader.kconfig.integer(_BOOTLOADER) or 1
    if ours == theirs:
        return passed(f"both say {ours}")
    return Finding(
        message=f"the application updates {ours} of the {theirs} images that MCUboot knows"
        if ours < theirs
        else f"the application updates {ours} images, MCUboot only {theirs}",
        location=image.kconfig.where(symbol),
        notes=(
            Note(
                f"`{_BOOTLOADER}` is {theirs} in MCUboot's configuration",
                bootloader.kconfig.where(_BOOTLOADER),
            ),
        ),
        helps=(
            in_application(f"{symbol}={theirs}\n", unless="or change MCUboot's number", safe=False),
        ),
        severity=Severity.WARNING if ours < theirs else None,
        why="Updates leave the images that MCUmgr does not know as they are."
        if ours < theirs
        else "",
        data={"symbol": symbol, "expected": str(theirs), "actual": str(ours)},
    )


RULE = Rule(DOC, check, follows=("KC153",))
