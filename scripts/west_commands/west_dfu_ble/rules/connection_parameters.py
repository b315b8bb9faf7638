# SPDX-License-Identifier: Apache-2.0
"""KC196: the device asks for a fast connection while it is updated."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application
from .link_settings import gain, link_of, names_of
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed
from .speed import FOLLOWS, REFERENCES, transport_off

_LATENCY = "CONFIG_BT_PERIPHERAL_PREF_LATENCY"
_PREFERRED = "CONFIG_BT_PERIPHERAL_PREF_MAX_INT"
# nrf_desktop's module keeps the latency at 0 while the CAF SMP module tells of an upload.
_KEEPS_LATENCY_LOW = "CONFIG_DESKTOP_BLE_LATENCY_ENABLE"
_FAST = 11.25

DOC = RuleDoc(
    code="KC196",
    name="slow-connection",
    category=Category.SLOW,
    summary="nothing makes the connection fast while the device is updated",
    checks=(
        "`CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL` (`CONFIG_MCUMGR_SMP_BT_"
        "CONN_PARAM_CONTROL` before SDK 2.4) must be on, unless the connection parameters that "
        f"the device prefers are fast all the time: `{_PREFERRED}` of 9 (11.25 ms) or less and "
        f"`{_LATENCY}` 0, or a module that keeps the latency low (`{_KEEPS_LATENCY_LOW}`)."
    ),
    why=(
        "Every request and every answer waits for a connection event. With a peripheral latency "
        "the device may sleep through many of them."
    ),
    fix=(
        "Enable the control: it asks for 7.5 to 11.25 ms and latency 0 at the first request, and "
        "for what was before five seconds after the last."
    ),
    bad=f"# CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL is not set\n{_PREFERRED}=40",
    good="CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL=y",
    applies="every build with MCUmgr's Bluetooth transport",
    references=("zephyr subsys/mgmt/mcumgr/transport/Kconfig.bluetooth", *REFERENCES),
    known_problems="The host decides in the end; a phone may refuse intervals below 15 ms.",
)


def check(context: Context, image: Image) -> Verdict:
    """See who asks for a fast connection."""
    word = transport_off(context, image)
    if word is not None:
        return word
    kconfig = image.kconfig
    symbol = names_of(context.generation).connection_control
    if kconfig.is_on(symbol):
        return passed(f"`{symbol}` is on")
    link = link_of(context.build, context.generation)
    latency = kconfig.integer(_LATENCY) or 0
    sleeps = latency > 0 and not kconfig.is_on(_KEEPS_LATENCY_LOW)
    if link.interval <= _FAST and not sleeps:
        return passed(f"the preferred interval is {link.interval:g} ms, with no latency in the way")
    saved = gain(
        context.build,
        link,
        interval=min(link.interval, _FAST),
        event=min(link.event, _FAST),
    )
    notes = [Note(saved.text)] if saved.is_worth_it else []
    if sleeps:
        notes.append(
            Note(
                f"`{_LATENCY}` is {latency}: the device may sleep through {latency} connection "
                "events while it has nothing to send",
                kconfig.where(_LATENCY),
            )
        )
    needs_priority = "CONFIG_SYSTEM_WORKQUEUE_PRIORITY"
    if (kconfig.integer(needs_priority) or -1) >= 0:
        notes.append(
            Note(f"the option needs `{needs_priority}` below 0", kconfig.where(needs_priority))
        )
    return Finding(
        message=f"`{symbol}` is off, and the preferred connection interval is "
        f"{link.interval:g} ms with a latency of {latency}",
        location=kconfig.where(symbol),
        notes=tuple(notes),
        helps=(in_application(f"CONFIG_BT_GAP_PERIPHERAL_PREF_PARAMS=y\n{symbol}=y\n"),),
        data={
            "symbol": symbol,
            "expected": "y",
            "actual": "n",
            "interval_ms": link.interval,
            "latency": latency,
            **({"seconds_after": round(saved.after, 1)} if saved.is_worth_it else {}),
        },
    )


RULE = Rule(DOC, check, follows=FOLLOWS)
