# SPDX-License-Identifier: Apache-2.0
"""KC197: the slot is erased little by little."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed
from .speed import FOLLOWS, transport_off

_SYMBOL = "CONFIG_IMG_ERASE_PROGRESSIVELY"
# nRF52840 product specification: a page of 4 kB takes 85 ms.
_SECONDS_A_PAGE = 0.085

DOC = RuleDoc(
    code="KC197",
    name="slot-erased-at-once",
    category=Category.SLOW,
    summary="the whole slot is erased before the first request is answered",
    checks=f"`{_SYMBOL}` must be on.",
    why=(
        "The first answer of an upload comes after the whole slot is erased, many seconds later: "
        "clients with a short time-out give up, and the connection may be lost meanwhile."
    ),
    fix="Enable it: each sector is erased when the upload reaches it.",
    bad=f"# {_SYMBOL} is not set",
    good=f"{_SYMBOL}=y",
    applies="every build with MCUmgr's Bluetooth transport",
    references=("zephyr subsys/dfu/Kconfig", "docs/speed.md"),
    known_problems=(
        "nrf_desktop's DFU over the configuration channel erases the slot in the background "
        "beforehand; MCUmgr then finds it empty."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether it is on; else estimate how long the first answer takes."""
    word = transport_off(context, image)
    if word is not None:
        return word
    kconfig = image.kconfig
    if kconfig.is_on(_SYMBOL):
        return passed(f"`{_SYMBOL}` is on")
    if kconfig.is_on("CONFIG_DESKTOP_CONFIG_CHANNEL_DFU_ENABLE"):
        return passed("the slot is erased in the background by nrf_desktop's DFU module")
    slot = context.build.slot(1) or context.build.slot(0)
    region = next((r for r in context.build.flash if slot and r.name == slot.region), None)
    notes = []
    # The figure is known for this chip's own flash only.
    if slot and kconfig.is_on("CONFIG_SOC_SERIES_NRF52X") and region and region.erase_block == 4096:
        seconds = slot.size.value / 4096 * _SECONDS_A_PAGE
        notes.append(Note(f"erasing the slot takes about {seconds:.0f} s", slot.size.location))
    return Finding(
        message=f"`{_SYMBOL}` is off",
        location=kconfig.where(_SYMBOL),
        notes=tuple(notes),
        helps=(in_application(f"{_SYMBOL}=y\n"),),
        data={"symbol": _SYMBOL, "expected": "y", "actual": "n"},
    )


RULE = Rule(DOC, check, follows=FOLLOWS)
