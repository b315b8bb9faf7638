# SPDX-License-Identifier: Apache-2.0
"""IM352: the variant is an image of its own."""

from __future__ import annotations

from ..builddir import Image, Role
from ..diagnostics import Help, Location, Note
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="IM352",
    name="copied-variant",
    category=Category.BROKEN,
    summary="the variant for the secondary slot is a copy of the application",
    checks=(
        "The binaries of application and variant (`zephyr/<name>.bin` of each) must differ: the "
        "same program linked for two addresses never gives the same bytes."
    ),
    why="A copy is linked for the primary slot and crashes, or is refused, in the secondary.",
    fix="Build the variant with the SDK's own option, not by copying files.",
    bad="cp build/zephyr/zephyr.bin build/mcuboot_secondary_app/zephyr/zephyr.bin",
    good="CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT=y",
    applies="direct-xip builds with a variant",
    references=("sdk-nrf modules/mcuboot/CMakeLists.txt",),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two binaries."""
    application = context.build.application
    files = []
    for one in (application, image):
        name = one.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr")
        files.append(one.directory / "zephyr" / f"{name}.bin")
    try:
        sizes = [file.stat().st_size for file in files]
        same = sizes[0] == sizes[1] and files[0].read_bytes() == files[1].read_bytes()
    except OSError:
        return unknown("one of the two binaries is not in the build directory")
    if not same:
        return passed("the two binaries differ")
    return Finding(
        message=f"`{files[1].name}` of the variant has the same bytes as the application's",
        location=Location(files[1]),
        notes=(Note("the application's", Location(files[0])),),
        helps=(Help("build again from scratch", edit="west build --pristine\n"),),
    )


RULE = Rule(DOC, check, roles=(Role.VARIANT,), follows=("IM351",))
