# SPDX-License-Identifier: Apache-2.0
"""KC193: the device tells how large its buffers are."""

from __future__ import annotations

from dataclasses import replace

from ..builddir import Image
from ..diagnostics import Note
from .link_settings import gain, link_of, names_of
from .model import Category, Context, Rule, RuleDoc, Verdict, not_applicable, passed
from .speed import FOLLOWS, REFERENCES, judge, transport_off
from .upload_time import Link

DOC = RuleDoc(
    code="KC193",
    name="buffers-not-told",
    category=Category.SLOW,
    summary="the device does not tell how many buffers it has, and how large",
    checks=(
        "`CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS` (`CONFIG_OS_MGMT_MCUMGR_PARAMS` before SDK 2.4) "
        "must be on, where the model of the upload time sees a gain of a twentieth or more for a "
        "client that does not know this build."
    ),
    why=(
        "A client that is not told stays with one write and one request at a time. This tool "
        "knows the buffers from the build; a phone does not."
    ),
    fix="Enable it; it is a command of the OS group.",
    bad="# CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS is not set",
    good="CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS=y",
    applies="every build with MCUmgr's Bluetooth transport and OS group",
    references=("zephyr subsys/mgmt/mcumgr/grp/os_mgmt/Kconfig", *REFERENCES),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether it is on, and else what a stranger loses."""
    word = transport_off(context, image)
    if word is not None:
        return word
    groups = ("CONFIG_MCUMGR_GRP_OS", "CONFIG_MCUMGR_CMD_OS_MGMT")
    if not any(image.kconfig.is_on(group) for group in groups):
        return not_applicable("the OS group, whose command it is, is off")
    symbol = names_of(context.generation).parameters
    if image.kconfig.is_on(symbol):
        return passed(f"`{symbol}` is on")
    known = link_of(context.build, context.generation)
    stranger = gain(
        context.build,
        _without_knowledge(known),
        reassembly=known.reassembly,
        buffer_size=known.buffer_size,
        window=known.window,
    )
    note = Note("that is for a client that does not know this build")
    message = f"`{symbol}` is off"
    return judge(stranger, message, symbol, image, f"{symbol}=y\n", note, stranger=True)


def _without_knowledge(known: Link) -> Link:
    return replace(known, reassembly=False, window=1)


RULE = Rule(DOC, check, follows=FOLLOWS)
