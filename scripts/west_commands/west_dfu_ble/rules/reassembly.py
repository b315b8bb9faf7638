# SPDX-License-Identifier: Apache-2.0
"""KC190: a frame may span several writes."""

from __future__ import annotations

from ..builddir import Image
from .link_settings import gain, link_of, names_of
from .model import Category, Context, Rule, RuleDoc, Verdict, passed
from .speed import FOLLOWS, REFERENCES, judge, transport_off

_BUFFER = 2475

DOC = RuleDoc(
    code="KC190",
    name="no-reassembly",
    category=Category.SLOW,
    summary="an SMP frame must fit one write, so each request carries little",
    checks=(
        "`CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY` (`CONFIG_MCUMGR_SMP_REASSEMBLY_BT` before SDK "
        "2.4) must be on, where the model of the upload time sees a gain of a twentieth or more."
    ),
    why=(
        "Each request waits for its answer, and with reassembly it carries up to 2.4 kB instead "
        "of one write. Clients that take a large buffer for a sign of reassembly fail without it."
    ),
    fix="Enable it together with a buffer of 2475 bytes, which takes five writes of 495 bytes.",
    bad="# CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY is not set",
    good=(
        f"CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY=y\nCONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE={_BUFFER}"
    ),
    applies="every build with MCUmgr's Bluetooth transport",
    references=("zephyr subsys/mgmt/mcumgr/transport/Kconfig.bluetooth", *REFERENCES),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether it is on, and else what it would save."""
    word = transport_off(context, image)
    if word is not None:
        return word
    names = names_of(context.generation)
    if image.kconfig.is_on(names.reassembly):
        return passed(f"`{names.reassembly}` is on")
    link = link_of(context.build, context.generation)
    size = max(link.buffer_size, _BUFFER)
    saved = gain(context.build, link, reassembly=True, buffer_size=size)
    message = f"each request must fit one write of {link.write_size} bytes"
    edit = f"{names.reassembly}=y\n{names.buffer_size}={size}\n"
    return judge(saved, message, names.reassembly, image, edit)


RULE = Rule(DOC, check, follows=FOLLOWS)
