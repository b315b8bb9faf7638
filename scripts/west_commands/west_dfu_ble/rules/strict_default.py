# SPDX-License-Identifier: Apache-2.0
"""KC186: the SMP service asks for authentication that the device has no way to give."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application
from .generation import Generation
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_AUTHENTICATED = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN"
_ENCRYPTED = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT"
_SECURITY_MANAGER = "CONFIG_BT_SMP"

DOC = RuleDoc(
    code="KC186",
    name="pairing-impossible",
    category=Category.BROKEN,
    summary="the SMP service asks for pairing, and the firmware can't pair",
    checks=(
        f"Where the service asks for an encrypted or authenticated connection (`{_AUTHENTICATED}`, "
        f"`{_ENCRYPTED}`, `CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN`, `CONFIG_MCUMGR_SMP_BT_AUTHEN`), "
        f"`{_SECURITY_MANAGER}` must be on."
    ),
    why="Every request is refused with `insufficient authentication`, and no peer can change that.",
    fix=(
        f"Enable `{_SECURITY_MANAGER}`. For authentication (not mere encryption) the application "
        "must also register callbacks that show or take a passkey, or have out-of-band data. The "
        "option that opened the service up to SDK 2.7 (`..._AUTHEN=n`) is gone in 2.8: assigned "
        "there, it is dropped with a warning, and the strict default stays."
    ),
    bad=f"{_AUTHENTICATED}=y\n# {_SECURITY_MANAGER} is not set",
    good=f"{_AUTHENTICATED}=y\n{_SECURITY_MANAGER}=y",
    applies="every build with MCUmgr's Bluetooth transport",
    references=(
        "zephyr subsys/mgmt/mcumgr/transport/Kconfig.bluetooth",
        "Zephyr 4.0 migration guide, MCUmgr",
    ),
    known_problems="Whether the application registers pairing callbacks can't be seen.",
)


def check(context: Context, image: Image) -> Verdict:
    """See whether pairing is asked for and possible."""
    kconfig = image.kconfig
    old = context.generation in (Generation.OLD, Generation.MIXED)
    transport = "CONFIG_MCUMGR_SMP_BT" if old else "CONFIG_MCUMGR_TRANSPORT_BT"
    if not kconfig.is_on(transport):
        return not_applicable(f"`{transport}` is off, so there is no SMP service")
    asking = [
        name for name in (f"{transport}_AUTHEN", _AUTHENTICATED, _ENCRYPTED) if kconfig.is_on(name)
    ]
    if not asking:
        return not_applicable("the SMP service asks for no pairing")
    if kconfig.is_on(_SECURITY_MANAGER):
        return passed(f"`{_SECURITY_MANAGER}` is on")
    return Finding(
        message=f"`{asking[0]}` is on and `{_SECURITY_MANAGER}` is off",
        location=kconfig.where(_SECURITY_MANAGER),
        notes=(Note(f"`{asking[0]}` asks for pairing", kconfig.where(asking[0])),),
        helps=(in_application(f"{_SECURITY_MANAGER}=y\n"),),
        data={"symbol": _SECURITY_MANAGER, "expected": "y", "actual": "n"},
    )


RULE = Rule(DOC, check, follows=("KC156", "KC161"))
