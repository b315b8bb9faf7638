# SPDX-License-Identifier: Apache-2.0
"""KC185: who may upload."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Note
from .edits import in_application
from .generation import Generation
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_ACCEPT_LIST = "CONFIG_CAF_BLE_ADV_FILTER_ACCEPT_LIST"
# SDK 2.8 and later have a choice of three in place of one option.
_OPEN = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW"
_ENCRYPTED = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT"
_AUTHENTICATED = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN"

DOC = RuleDoc(
    code="KC185",
    name="open-to-anyone",
    category=Category.UNSAFE,
    summary="anyone in range may upload firmware",
    checks=(
        "The SMP service must ask for an authenticated connection "
        "(`CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN` since SDK 2.8, "
        "`CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN` in 2.4 to 2.7, `CONFIG_MCUMGR_SMP_BT_AUTHEN` before). "
        "An encrypted connection is enough where only bonded peers may connect "
        f"(`{_ACCEPT_LIST}`)."
    ),
    why=(
        "Everybody in radio range can fill the free slot, erase it and reset the device. Only the "
        "image's signature stands between them and its firmware."
    ),
    fix=(
        "Ask for authentication, and give the device a way to pair that authenticates "
        "(a passkey or out-of-band data). Where it has neither display nor button, ask for "
        "encryption and let only bonded peers connect."
    ),
    bad="CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW=y",
    good="CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN=y",
    applies="every build with MCUmgr's Bluetooth transport",
    references=(
        "zephyr subsys/mgmt/mcumgr/transport/Kconfig.bluetooth",
        "Zephyr 4.0 migration guide, MCUmgr",
    ),
    known_problems=(
        "The stock applications of the SDK leave the service open; that is why this is an error "
        "only with `--release`. A service that the application registers itself can't be judged."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """See what the SMP service asks of a connection."""
    kconfig = image.kconfig
    old = context.generation in (Generation.OLD, Generation.MIXED)
    transport = "CONFIG_MCUMGR_SMP_BT" if old else "CONFIG_MCUMGR_TRANSPORT_BT"
    if not kconfig.is_on(transport):
        return not_applicable(f"`{transport}` is off, so there is no SMP service")
    authen = f"{transport}_AUTHEN"
    for symbol in (authen, _AUTHENTICATED):
        if kconfig.is_on(symbol):
            return passed(f"`{symbol}` is on")
    has_choice = any(name in kconfig for name in (_OPEN, _ENCRYPTED, _AUTHENTICATED))
    if kconfig.is_on(_ENCRYPTED):
        if kconfig.is_on(_ACCEPT_LIST):
            return passed(f"`{_ENCRYPTED}` and `{_ACCEPT_LIST}` are on")
        return Finding(
            message="the SMP service takes any encrypted connection, and any peer may pair",
            location=kconfig.where(_ENCRYPTED),
            notes=(Note(f"`{_ACCEPT_LIST}` is off", kconfig.where(_ACCEPT_LIST)),),
            helps=(_help(_AUTHENTICATED),),
            data={"symbol": _ENCRYPTED, "expected": "n", "actual": "y"},
        )
    symbol = _OPEN if has_choice else authen
    state = "is on" if kconfig.is_on(symbol) else "is off"
    return Finding(
        message=f"the SMP service takes any connection: `{symbol}` {state}",
        location=kconfig.where(symbol),
        helps=(_help(_AUTHENTICATED if has_choice else authen),),
        data={"symbol": symbol, "actual": kconfig.text(symbol, "n")},
    )


def _help(symbol: str) -> Help:
    # Not safe to apply unasked: a device that has no way to authenticate becomes unreachable.
    edit = f"CONFIG_BT_SMP=y\n{symbol}=y\n"
    return in_application(edit, unless="if the device can authenticate a peer", safe=False)


RULE = Rule(DOC, check, follows=("KC156",))
