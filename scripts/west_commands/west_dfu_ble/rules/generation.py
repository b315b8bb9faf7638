# SPDX-License-Identifier: Apache-2.0
"""Which generation of MCUmgr's names a configuration speaks, told from the symbols in it.

Never from a version number: a workspace may carry any mix of Zephyr and nRF Connect SDK.
"""

from __future__ import annotations

from enum import Enum

from ..builddir import Kconfig


class Generation(Enum):
    """The three generations; the values are the nRF Connect SDK releases that use them."""

    OLD = "1.8-2.2"
    MIXED = "2.3"
    NEW = "2.4+"

    @property
    def title(self) -> str:
        """As people say it, for example ``nRF Connect SDK 1.8 to 2.2``."""
        return _TITLES[self]


_TITLES = {
    Generation.OLD: "nRF Connect SDK 1.8 to 2.2 (Zephyr up to 3.2)",
    Generation.MIXED: "nRF Connect SDK 2.3",
    Generation.NEW: "nRF Connect SDK 2.4 and later (Zephyr 3.3 and later)",
}

# A symbol that is written as "not set" tells the generation just as well as one that is set.
_NEW_NAMES = (
    "CONFIG_MCUMGR_GRP_IMG",
    "CONFIG_MCUMGR_GRP_OS",
    "CONFIG_MCUMGR_TRANSPORT_BT",
    "CONFIG_MCUMGR_TRANSPORT_UART",
    "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE",
    "CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT",
)
_OLD_NAMES = (
    "CONFIG_MCUMGR_CMD_IMG_MGMT",
    "CONFIG_MCUMGR_CMD_OS_MGMT",
    "CONFIG_MCUMGR_SMP_BT",
    "CONFIG_MCUMGR_SMP_UART",
    "CONFIG_MCUMGR_BUF_SIZE",
    "CONFIG_MCUMGR_BUF_COUNT",
)
# The two hooks came one release before the new names of everything else.
_HOOKS = ("CONFIG_MCUMGR_MGMT_NOTIFICATION_HOOKS", "CONFIG_MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK")


def tell_generation(kconfig: Kconfig) -> Generation | None:
    """Return the generation, or `None` if the configuration holds no symbol that tells.

    Names of MCUmgr decide. Without any of them (MCUmgr is off), the choice of the bootloader's
    mode, which exists since 2.4, still does.
    """
    if any(name in kconfig for name in _NEW_NAMES):
        return Generation.NEW
    if any(name in kconfig for name in _OLD_NAMES):
        return Generation.MIXED if any(name in kconfig for name in _HOOKS) else Generation.OLD
    if any(name.startswith("CONFIG_MCUBOOT_BOOTLOADER_MODE_") for name in kconfig):
        return Generation.NEW
    return None
