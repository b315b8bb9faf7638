# SPDX-License-Identifier: Apache-2.0
"""KC192: buffers enough for more than one request at a time."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Severity
from .edits import in_application
from .link_settings import gain, link_of, names_of, window
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict
from .speed import FOLLOWS, REFERENCES, judge, transport_off

_WANTED = 4

DOC = RuleDoc(
    code="KC192",
    name="few-frame-buffers",
    category=Category.SLOW,
    summary="MCUmgr has too few buffers for two requests at a time",
    checks=(
        f"`CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT` (`CONFIG_MCUMGR_BUF_COUNT` before SDK 2.4) of "
        f"{_WANTED} or more, where the model of the upload time sees a gain of a twentieth or "
        "more. Fewer than two is an error."
    ),
    why=(
        "Requests and answers share the buffers, and a request that finds none is dropped without "
        "a word. With four, two requests are safe; with fewer each waits for the one before it."
    ),
    fix=f"Set it to {_WANTED}, which is also the default; each costs its size in RAM.",
    bad="CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT=2",
    good=f"CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT={_WANTED}",
    applies="every build with MCUmgr's Bluetooth transport",
    references=("zephyr subsys/mgmt/mcumgr/transport/Kconfig", *REFERENCES),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the count with what two requests need."""
    word = transport_off(context, image)
    if word is not None:
        return word
    symbol = names_of(context.generation).buffer_count
    count = image.kconfig.integer(symbol)
    edit = f"{symbol}={_WANTED}\n"
    if count is not None and count < 2:
        return Finding(
            message=f"`{symbol}` is {count}, and a request needs a second buffer for its answer",
            location=image.kconfig.where(symbol),
            helps=(in_application(edit),),
            why="No request can be answered: the one buffer holds the request.",
            severity=Severity.ERROR,
            data={"symbol": symbol, "expected": str(_WANTED), "actual": str(count)},
        )
    link = link_of(context.build, context.generation)
    saved = gain(context.build, link, window=max(link.window, window(_WANTED)))
    return judge(saved, f"`{symbol}` is {count}", symbol, image, edit)


RULE = Rule(DOC, check, follows=FOLLOWS)
