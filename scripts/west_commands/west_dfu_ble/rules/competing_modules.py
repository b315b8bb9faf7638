# SPDX-License-Identifier: Apache-2.0
"""KC182: one module at a time writes the free slot."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Help, Note, Severity
from .edits import in_application
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_MODULE = "CONFIG_CAF_BLE_SMP"
_MCUMGR = ("CONFIG_DESKTOP_DFU_MCUMGR_ENABLE", "CONFIG_DESKTOP_DFU_MCUMGR")
_CHANNEL = "CONFIG_DESKTOP_CONFIG_CHANNEL_DFU_ENABLE"

DOC = RuleDoc(
    code="KC182",
    name="competing-update-modules",
    category=Category.BROKEN,
    summary="another module writes the same slot as the CAF SMP module",
    checks=(
        f"With `{_MODULE}` on, nrf_desktop's DFU MCUmgr module (`{_MCUMGR[0]}`) must be off: the "
        f"two exclude each other. Its DFU over the configuration channel (`{_CHANNEL}`) writes "
        "the same slot and is a warning: it works as long as nobody starts both at once."
    ),
    why=(
        "The CAF SMP module takes one upgrade at a time for granted and locks nobody out; two "
        "uploads at once leave an image in the slot that is half of each."
    ),
    fix="Keep one of them. With two ways to update, nrf_desktop's own module has the lock.",
    bad=f"{_MODULE}=y\n{_MCUMGR[0]}=y",
    good=f"{_MCUMGR[0]}=y",
    applies=f"every build with `{_MODULE}`",
    references=(
        "sdk-nrf doc/nrf/libraries/caf/ble_smp.rst",
        "sdk-nrf applications/nrf_desktop/doc/dfu_mcumgr.rst",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """See which modules are on together."""
    kconfig = image.kconfig
    if not kconfig.is_on(_MODULE):
        return not_applicable(f"`{_MODULE}` is off")
    note = Note(f"`{_MODULE}` is on", kconfig.where(_MODULE))
    for symbol in _MCUMGR:
        if kconfig.is_on(symbol):
            return Finding(
                message=f"both `{_MODULE}` and `{symbol}` are on",
                location=kconfig.where(symbol),
                notes=(note,),
                helps=(_help(_MODULE),),
                data={"symbol": symbol, "expected": "n", "actual": "y"},
            )
    if kconfig.is_on(_CHANNEL):
        return Finding(
            message=f"`{_CHANNEL}` writes the same slot as the CAF SMP module",
            location=kconfig.where(_CHANNEL),
            notes=(note,),
            helps=(_help(_CHANNEL),),
            severity=Severity.WARNING,
            data={"symbol": _CHANNEL, "expected": "n", "actual": "y"},
        )
    return passed("no other module that is known writes the slot")


def _help(symbol: str) -> Help:
    return in_application(f"{symbol}=n\n", unless="if this is the one to go", safe=False)


RULE = Rule(DOC, check)
