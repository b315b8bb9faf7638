# SPDX-License-Identifier: Apache-2.0
"""KC183: somebody can confirm the new image, or it is undone."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help
from ..mcuboot import BootloaderMode
from .edits import in_application
from .generation import Generation
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

# nrf_desktop's DFU modules confirm the running image when they start.
_CONFIRMING = (
    "CONFIG_DESKTOP_DFU_MCUMGR_ENABLE",
    "CONFIG_DESKTOP_DFU_MCUMGR",
    "CONFIG_DESKTOP_CONFIG_CHANNEL_DFU_ENABLE",
)
_WITH_REVERT = "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT"

DOC = RuleDoc(
    code="KC183",
    name="nobody-confirms",
    category=Category.BROKEN,
    summary="the mode reverts, and neither the firmware nor a host can confirm the new image",
    checks=(
        "In a mode that reverts (swap, direct-xip with revert): whether a module that is known to "
        f"confirm is on ({', '.join(f'`{name}`' for name in _CONFIRMING)}), or else whether the "
        "application's MCUmgr takes the command to test and confirm. It is compiled for swap modes "
        f"and, since SDK 2.5, for `{_WITH_REVERT}`; not for plain direct-xip."
    ),
    why=(
        "The CAF SMP module does not confirm. An image that nobody marks or confirms is not "
        "started at all, or taken back at the second reset."
    ),
    fix=(
        f"Enable `{_WITH_REVERT}` where MCUboot was built for it, or call "
        "`boot_write_img_confirmed()` once the application knows that it works. Where MCUmgr takes "
        "the command, a host confirms after each update, as `west dfu-ble` does."
    ),
    bad="CONFIG_BOOT_DIRECT_XIP=y\nCONFIG_BOOT_DIRECT_XIP_REVERT=y   # MCUboot of SDK 2.3",
    good=f"{_WITH_REVERT}=y",
    applies="modes that revert",
    references=(
        "sdk-nrf subsys/caf/modules/ble_smp.c",
        "zephyr subsys/mgmt/mcumgr/grp/img_mgmt/src/img_mgmt_state.c",
    ),
    known_problems=(
        "Whether the application's own code confirms can't be seen; if it does, waive the finding."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Look for a module that confirms, then for the command."""
    mode = context.build.mode
    if mode is None:
        return unknown("the build does not say which bootloader mode it is for")
    if not mode.reverts:
        return not_applicable(f"nothing is undone in the mode {mode.title}")
    for symbol in _CONFIRMING:
        if image.kconfig.is_on(symbol):
            return passed(f"`{symbol}` is on, whose module confirms")
    believed = context.build.mode_believed
    takes_command = (believed.mode if believed else mode).reverts and (
        mode is not BootloaderMode.DIRECT_XIP_WITH_REVERT or image.kconfig.is_on(_WITH_REVERT)
    )
    if takes_command:
        return passed("no module confirms, but a host can over MCUmgr (`west dfu-ble` does)")
    return Finding(
        message=f"the mode is {mode.title}, and this application's MCUmgr can't test or confirm",
        location=image.kconfig.where(_WITH_REVERT),
        helps=(_cure(context),) if mode is BootloaderMode.DIRECT_XIP_WITH_REVERT else (),
        data={"mode": mode.name},
    )


def _cure(context: Context) -> Help:
    # An SDK that does not know the symbol refuses to build with it.
    known = context.generation is Generation.NEW
    return in_application(f"{_WITH_REVERT}=y\n", unless="with SDK 2.5 or later", safe=known)


RULE = Rule(DOC, check, follows=("KC153", "KC173"))
