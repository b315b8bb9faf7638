# SPDX-License-Identifier: Apache-2.0
"""EN054: the application can be updated while it runs."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Note
from ..mcuboot import BootloaderMode
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="EN054",
    name="no-slot-to-upload-to",
    category=Category.BROKEN,
    summary="the bootloader knows one slot, so the application can't take an update of itself",
    checks=(
        "MCUboot's mode: with a single slot there is no place for an upload while the application "
        "runs, and with a firmware loader (the SDK's bare-metal option) another firmware takes "
        "it, after a restart, under another name."
    ),
    why=(
        "Kconfig leaves MCUmgr's image group out, or the upload would overwrite the firmware that "
        "receives it."
    ),
    fix=(
        "Take a mode with two slots (`SB_CONFIG_MCUBOOT_MODE_SWAP_USING_MOVE`, up to SDK 2.9 "
        "`SB_CONFIG_MCUBOOT_MODE_SWAP_WITHOUT_SCRATCH`). A device with a firmware loader is "
        "updated through that loader, by the tools of the bare-metal option."
    ),
    bad="CONFIG_SINGLE_APPLICATION_SLOT=y   # MCUboot",
    good="CONFIG_BOOT_SWAP_USING_MOVE=y      # MCUboot",
    applies="every build",
    references=(
        "mcuboot boot/zephyr/Kconfig",
        "zephyr subsys/mgmt/mcumgr/grp/img_mgmt/Kconfig",
        "sdk-nrf-bm doc, DFU",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Look at the mode."""
    build = context.build
    mode = build.mode
    if mode is None:
        return unknown("the build does not say which bootloader mode it is for")
    if mode.has_two_slots:
        return passed(f"{mode.title} has two slots")
    loader = mode is BootloaderMode.FIRMWARE_LOADER
    believed = build.mode_believed
    fact = build.mode_built or believed
    return Finding(
        message="MCUboot starts a firmware loader, which takes the updates in the application's "
        "place"
        if loader
        else f"the bootloader mode is {mode.title}",
        location=fact.location if fact else None,
        notes=(Note(f"the application is built for {believed.mode.title}", believed.location),)
        if believed and believed != fact
        else (),
        helps=(
            Help("update through the loader, with the tools of the bare-metal option")
            if loader
            else Help("take a mode with two slots, in MCUboot and in the application"),
        ),
        data={"mode": mode.name},
    )


RULE = Rule(DOC, check, roles=(), follows=("KC157",))
