# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a device that was reached, whichever Bluetooth stack reached it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics import DfuBleError
from ..faults import fault


def text_of(error: BaseException) -> str:
    """Say what an exception says, in one line; its type if it says nothing."""
    # bleak adds the reason to the words, and Python would write both down as they stand in code.
    said = error.args[0] if hasattr(error, "reason") and error.args else error
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(said))  # Bumble's words may be coloured
    return " ".join(plain.split()) or type(error).__name__


def smp_missing(peer: str, problem: str) -> DfuBleError:
    """Make LK404; `problem` goes on from the device's name."""
    return fault(
        "LK404",
        f"{peer} {problem}",
        helps=[
            "see that this is the device that is meant; `dfu-ble scan` lists all in range",
            "see that its firmware is built with CONFIG_MCUMGR_TRANSPORT_BT=y "
            "(CONFIG_CAF_BLE_SMP=y in an application of the nRF Connect SDK that uses CAF)",
        ],
    )


def pairing_refused(peer: str, said: str, helps: Sequence[str], *, paired: bool) -> DfuBleError:
    """Make LK405: the device wants a paired connection and this could not make it one.

    `said` is what the stack says; `paired` tells that pairing itself passed and the device still
    refuses.
    """
    return fault(
        "LK405",
        f"{peer} refuses the paired connection: it was made without a passkey"
        if paired
        else f"{peer} takes commands only over a paired connection, and pairing failed",
        why="Its firmware protects the SMP characteristic "
        "(CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT or _RW_AUTHEN, before: "
        "CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN).",
        notes=[said],
        helps=helps,
    )
