# SPDX-License-Identifier: Apache-2.0
"""KC173: application and bootloader agree on the bootloader's mode."""

from __future__ import annotations

from ..builddir import Build, Image, Layout
from ..diagnostics import Help, Note, Severity
from ..mcuboot import BootloaderMode
from .edits import in_application
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

# How the application and MCUboot write a mode (Zephyr modules/Kconfig.mcuboot, MCUboot
# boot/zephyr/Kconfig). Swap using move was called SWAP_WITHOUT_SCRATCH before Zephyr 4.1.
_APPLICATION = {
    BootloaderMode.SINGLE_SLOT: ("SINGLE_APP",),
    BootloaderMode.SWAP_USING_SCRATCH: ("SWAP_SCRATCH",),
    BootloaderMode.OVERWRITE_ONLY: ("OVERWRITE_ONLY",),
    BootloaderMode.SWAP_USING_MOVE: ("SWAP_USING_MOVE", "SWAP_WITHOUT_SCRATCH"),
    BootloaderMode.SWAP_USING_OFFSET: ("SWAP_USING_OFFSET",),
    BootloaderMode.DIRECT_XIP: ("DIRECT_XIP",),
    BootloaderMode.DIRECT_XIP_WITH_REVERT: ("DIRECT_XIP_WITH_REVERT",),
    BootloaderMode.RAM_LOAD: ("RAM_LOAD",),
    BootloaderMode.FIRMWARE_LOADER: ("FIRMWARE_UPDATER",),
    BootloaderMode.SINGLE_SLOT_RAM_LOAD: ("SINGLE_APP_RAM_LOAD",),
}

DOC = RuleDoc(
    code="KC173",
    name="bootloader-mode-mismatch",
    category=Category.BROKEN,
    summary="the application believes in another bootloader mode than MCUboot was built for",
    checks=(
        "`CONFIG_MCUBOOT_BOOTLOADER_MODE_*` of the application against the mode in MCUboot's own "
        "configuration (`CONFIG_BOOT_*`). MCUboot's is the truth; MCUmgr in the application is "
        "compiled for the other."
    ),
    why=(
        "MCUmgr marks and lists images for another bootloader than the one that decides, so an "
        "update is not started, or started in another way than it is reported."
    ),
    fix=(
        "Say the same in both. With sysbuild the mode is set once, by `SB_CONFIG_MCUBOOT_MODE_*`. "
        "In child-image builds set it in `prj.conf` and in `child_image/mcuboot.conf`."
    ),
    bad=(
        "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP=y   # application\n"
        "CONFIG_BOOT_SWAP_USING_MOVE=y                 # MCUboot"
    ),
    good=(
        "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP=y   # application\n"
        "CONFIG_BOOT_DIRECT_XIP=y                      # MCUboot"
    ),
    applies="SDK 2.4 and later (Zephyr 3.4 and later), with MCUboot as part of the build",
    references=("zephyr modules/Kconfig.mcuboot", "mcuboot boot/zephyr/Kconfig"),
    known_problems=(
        "Stock two-image applications of the SDK say swap over an overwrite-only MCUboot. Updates "
        "work there but can't be reverted, so pairs that still update are warnings."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two modes."""
    build = context.build
    believed, built = build.mode_believed, build.mode_built
    if believed is None:
        return not_applicable("the application's configuration names no bootloader mode")
    if built is None:
        return unknown("MCUboot's own configuration is not part of this build")
    if believed.mode is built.mode:
        return passed(f"both say {built.mode.title}")
    consequence = _MILD.get((believed.mode, built.mode), "")
    return Finding(
        message=f"the application is built for {believed.mode.title}, MCUboot for "
        f"{built.mode.title}",
        location=believed.location,
        notes=(Note(f"MCUboot was built for {built.mode.title}", built.location),),
        helps=(_help(build, built.mode, image),),
        why=consequence,
        severity=Severity.WARNING if consequence else None,
        data={"believed": believed.mode.name, "built": built.mode.name},
    )


_NO_REVERT = (
    "Updates work, but for good: an image that was only to be tried is not taken back, although "
    "MCUmgr says that it would be."
)
_SWAPS = (BootloaderMode.SWAP_USING_MOVE, BootloaderMode.SWAP_USING_SCRATCH)
# (believed, built) -> what happens, for the pairs that still update.
_MILD = {
    **{(swap, BootloaderMode.OVERWRITE_ONLY): _NO_REVERT for swap in _SWAPS},
    (BootloaderMode.DIRECT_XIP_WITH_REVERT, BootloaderMode.DIRECT_XIP): _NO_REVERT,
    **{
        (BootloaderMode.OVERWRITE_ONLY, swap): (
            "MCUmgr takes an upload for final, but MCUboot goes back to the old image unless the "
            "new one is confirmed."
        )
        for swap in _SWAPS
    },
    **dict.fromkeys(
        (_SWAPS, _SWAPS[::-1]),
        "The modes keep their room differently, so MCUmgr may accept an image that is too "
        "large to be swapped.",
    ),
}


def _help(build: Build, built: BootloaderMode, image: Image) -> Help:
    if build.layout is Layout.NCS_SYSBUILD:
        return Help("set the mode once, by `SB_CONFIG_MCUBOOT_MODE_*` in `sysbuild.conf`")
    names = [f"CONFIG_MCUBOOT_BOOTLOADER_MODE_{name}" for name in _APPLICATION[built]]
    name = next((one for one in names if one in image.kconfig), names[0])
    return in_application(f"{name}=y\n", unless="or change MCUboot's mode", safe=False)


RULE = Rule(DOC, check, follows=("KC157",))
