# SPDX-License-Identifier: Apache-2.0
"""IM366: the binary that is signed holds all of the program."""

from __future__ import annotations

from ..builddir import Image, Role
from ..diagnostics import DfuBleError
from .built_files import finding_from
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed, unknown

DOC = RuleDoc(
    code="IM366",
    name="binary-cut-off",
    category=Category.BROKEN,
    summary="the binary to be signed is empty, or ends before the program does",
    checks=(
        "The binary that the build would sign for each slot against the segments of the ELF file "
        "that it was made from: it must reach as far as the last of them. Left by a build that "
        "was interrupted, or by a full disk."
    ),
    why="It would be signed, uploaded and started, and crash where its end is missing.",
    fix="Build again: `west build`.",
    bad="zephyr.bin   100,000 bytes   # the program has 196,724",
    good="zephyr.bin   196,724 bytes",
    applies="builds that hold the binary and the ELF file",
    references=("zephyr CMakeLists.txt, the post-build steps that make zephyr.bin",),
)
# What the error is called where signing meets it.
_BAD_BINARY = "IM316"


def check(context: Context, image: Image) -> Verdict:
    """Ask for the binary as signing does."""
    from ..image import binary_for

    try:
        binary = binary_for(context.build, 1 if image.role is Role.VARIANT else 0)
    except DfuBleError as error:
        if error.diagnostic.code == _BAD_BINARY:
            return _finding(error)
        return unknown(f"the binary can't be judged: {error.diagnostic.message}")
    return passed(f"`{binary.path.name}` has {len(binary.data)} bytes, all of the program")


def _finding(error: DfuBleError) -> Finding:
    found = error.diagnostic
    name = found.location.path.name if found.location else "binary"
    message = found.message if found.message.startswith("`") else f"`{name}`: {found.message}"
    return finding_from(found, message)


RULE = Rule(DOC, check, roles=(Role.APPLICATION, Role.VARIANT), follows=("DT250", "IM351", "IM354"))
