# SPDX-License-Identifier: Apache-2.0
"""Whether the CAF rules apply: the profile, and the one line that says why it was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from ..builddir import Kconfig
from ..diagnostics import Location

# Modules of the SDK that serve SMP updates themselves (nrf_desktop's DFU MCUmgr module; 2.4 to 2.6
# and later name it so).
OTHER_SERVERS = ("CONFIG_DESKTOP_DFU_MCUMGR_ENABLE", "CONFIG_DESKTOP_DFU_MCUMGR")


@dataclass(frozen=True)
class Profile:
    """Which rules apply: ``caf`` or ``mcumgr``, why, and where that can be seen."""

    name: str
    reason: str
    location: Location | None = None

    @property
    def is_caf(self) -> bool:
        """Whether the rules of the CAF SMP module apply."""
        return self.name == "caf"


def choose_profile(asked: str | None, kconfig: Kconfig) -> Profile:
    """Return the profile `asked` for, or the one that the configuration tells."""
    if asked is not None:
        return Profile(asked, f"asked for with `--profile {asked}`")
    for name in OTHER_SERVERS:
        if kconfig.is_on(name):
            return Profile(
                "mcumgr",
                f"`{name}` serves the update, not the CAF module",
                kconfig.where(name),
            )
    if kconfig.is_on("CONFIG_CAF"):
        return Profile("caf", "`CONFIG_CAF` is on", kconfig.where("CONFIG_CAF"))
    return Profile("mcumgr", "the application does not use CAF (`CONFIG_CAF` is off)")
