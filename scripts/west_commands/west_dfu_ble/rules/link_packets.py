# SPDX-License-Identifier: Apache-2.0
"""KC195: long packets on the link (data length extension)."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .link_settings import controller, gain, link_of
from .model import Category, Context, Rule, RuleDoc, Verdict, unknown
from .speed import FOLLOWS, REFERENCES, judge, transport_off

_SYMBOL = "CONFIG_BT_CTLR_DATA_LENGTH_MAX"
_WANTED = 251

DOC = RuleDoc(
    code="KC195",
    name="short-link-packets",
    category=Category.SLOW,
    summary="the controller takes short packets only, so every write is cut into many",
    checks=(
        f"`{_SYMBOL}` of the controller (on two-core chips that of the network core) must be "
        f"{_WANTED}, where the model of the upload time sees a gain of a twentieth or more. It is "
        "27 where it is not written."
    ),
    why="A packet of 27 bytes has as much around it as in it: most of the air time is lost.",
    fix=f"`{_SYMBOL}={_WANTED}`, and `CONFIG_BT_BUF_ACL_TX_SIZE={_WANTED}` to go with it.",
    bad=f"# {_SYMBOL} is not written, so it is 27",
    good=f"{_SYMBOL}={_WANTED}\nCONFIG_BT_BUF_ACL_TX_SIZE={_WANTED}",
    applies="builds with the Bluetooth controller in them",
    references=("sdk-nrf samples/common/mcumgr_bt_ota_dfu/Kconfig", *REFERENCES),
)


def check(context: Context, image: Image) -> Verdict:
    """Look at the controller's limit."""
    word = transport_off(context, image)
    if word is not None:
        return word
    kconfig = controller(context.build)
    if kconfig is None:
        return unknown("the Bluetooth controller is not part of this build")
    link = link_of(context.build, context.generation)
    saved = gain(context.build, link, packet_size=max(link.packet_size, _WANTED))
    notes = []
    if kconfig is not image.kconfig:
        notes.append(Note("the controller is on the network core", kconfig.where(_SYMBOL)))
    edit = (
        f"CONFIG_BT_CTLR_DATA_LENGTH=y\n{_SYMBOL}={_WANTED}\nCONFIG_BT_BUF_ACL_TX_SIZE={_WANTED}\n"
    )
    message = f"link packets carry {link.packet_size} bytes at most"
    return judge(saved, message, _SYMBOL, image, edit, *notes)


RULE = Rule(DOC, check, follows=FOLLOWS)
