# SPDX-License-Identifier: Apache-2.0
"""KC187: once bonded, the device answers its own peers only."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Note, Severity
from .edits import in_application
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_ACCEPT_LIST = "CONFIG_CAF_BLE_ADV_FILTER_ACCEPT_LIST"
_BONDS = "CONFIG_CAF_BLE_STATE_MAX_LOCAL_ID_BONDS"

DOC = RuleDoc(
    code="KC187",
    name="bonded-peers-only",
    category=Category.FRAGILE,
    summary="once it has bonded, the device can be updated by its bonded peers only",
    checks=(
        f"`{_ACCEPT_LIST}`: with it the device, once bonded, takes connections of bonded peers "
        f"only. `{_BONDS}` says how many those may be (default 1). An information: as a measure "
        "against strangers it is welcome, but the host that updates must be one of the peers."
    ),
    why=(
        "A host that is not bonded with the device doesn't get a connection: the update fails "
        "before it begins, and looks as if the device were out of range."
    ),
    fix=(
        "Bond the updating host, allow one more bond, or erase the bonds (nrf_desktop: the peer "
        "control) before the update."
    ),
    bad=f"{_ACCEPT_LIST}=y\n{_BONDS}=1",
    good=f"{_ACCEPT_LIST}=y\n{_BONDS}=2",
    applies="applications that advertise through CAF",
    references=("sdk-nrf subsys/caf/modules/Kconfig.ble_adv",),
)


def check(context: Context, image: Image) -> Verdict:
    """See whether the accept list leaves room for the host that updates."""
    kconfig = image.kconfig
    if not kconfig.is_on("CONFIG_CAF_BLE_ADV"):
        return not_applicable("the application does not advertise through CAF")
    if not kconfig.is_on(_ACCEPT_LIST):
        return passed(f"`{_ACCEPT_LIST}` is off")
    bonds = kconfig.integer(_BONDS) or 1
    if bonds > 1:
        return passed(f"`{_BONDS}` is {bonds}: the host that updates can bond as well")
    return Finding(
        message="the device takes connections of its one bonded peer only",
        location=kconfig.where(_ACCEPT_LIST),
        notes=(Note(f"`{_BONDS}` is {bonds}", kconfig.where(_BONDS)),),
        helps=(
            Help("update from the bonded host, or erase the bond first"),
            in_application(f"{_BONDS}=2\n", unless="for one more peer", safe=False),
        ),
        severity=Severity.INFO,
        data={"symbol": _ACCEPT_LIST, "bonds": bonds},
    )


RULE = Rule(DOC, check)
