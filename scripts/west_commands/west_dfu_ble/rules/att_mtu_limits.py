# SPDX-License-Identifier: Apache-2.0
"""KC194: an MTU that fills the link's packets, and buffers that take it."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .link_settings import gain, link_of
from .model import Category, Context, Rule, RuleDoc, Verdict
from .speed import FOLLOWS, REFERENCES, judge, transport_off

_MTU, _ACL = "CONFIG_BT_L2CAP_TX_MTU", "CONFIG_BT_BUF_ACL_RX_SIZE"
_WANTED = 498

DOC = RuleDoc(
    code="KC194",
    name="small-att-mtu",
    category=Category.SLOW,
    summary="the device agrees to a small ATT MTU only",
    checks=(
        f"The ATT MTU that the device agrees to is the smaller of `{_MTU}` and `{_ACL}` - 4, so "
        f"the two must go together: MTU + 4 <= ACL RX size. {_WANTED} is wanted, which fills two "
        "link packets, where the model of the upload time sees a gain of a twentieth or more."
    ),
    why="Every write carries the MTU less 3 bytes, and without reassembly so does every request.",
    fix=f"`{_MTU}={_WANTED}` and `{_ACL}={_WANTED + 4}`, as the SDK's OTA DFU helper has them.",
    bad=f"{_MTU}=498\n{_ACL}=27",
    good=f"{_MTU}={_WANTED}\n{_ACL}={_WANTED + 4}",
    applies="every build with MCUmgr's Bluetooth transport",
    references=("sdk-nrf samples/common/mcumgr_bt_ota_dfu/Kconfig", *REFERENCES),
)


def check(context: Context, image: Image) -> Verdict:
    """See which of the two limits the MTU, and what more would save."""
    word = transport_off(context, image)
    if word is not None:
        return word
    kconfig = image.kconfig
    link = link_of(context.build, context.generation)
    saved = gain(context.build, link, att_mtu=max(link.att_mtu, _WANTED))
    mtu, acl = kconfig.integer(_MTU), kconfig.integer(_ACL)
    by_buffer = mtu is not None and link.att_mtu < mtu
    symbol = _ACL if by_buffer else _MTU
    message = f"the ATT MTU is {link.att_mtu} at most"
    if by_buffer:
        message += f": `{_MTU}` is {mtu}, but `{_ACL}` is {27 if acl is None else acl}"
    other = _MTU if by_buffer else _ACL
    note = Note(f"`{other}` is {kconfig.text(other, 'not set')}", kconfig.where(other))
    edit = f"{_MTU}={_WANTED}\n{_ACL}={_WANTED + 4}\n"
    return judge(saved, message, symbol, image, edit, note)


RULE = Rule(DOC, check, follows=FOLLOWS)
