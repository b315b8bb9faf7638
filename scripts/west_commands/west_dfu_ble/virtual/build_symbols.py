# SPDX-License-Identifier: Apache-2.0
"""How the server, the radio and the bootloader of a build were configured, by Kconfig symbols.

Every generation's name is known: MCUmgr's options were renamed in Zephyr 3.3 (NCS 2.4), see
Zephyr's `scripts/utils/migrate_mcumgr_kconfigs.py`; the newer name stands first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..builddir import Build, Kconfig
from .profile import Access, RadioProfile, ServerProfile
from .timing import INTERVAL_UNIT

_DEFAULT_BUFFER = 384
_DEFAULT_MTU = 23
_L2CAP_HEADER = 4
# Seconds, applications/nrf_desktop/doc/dfu_mcumgr.rst
_LOCK_TIME = 5.0
# Seconds to erase a page and to write a byte, by SoC series: typical values of Nordic's product
# specifications (tERASEPAGE, tWRITE of one word); RRAM needs no erasing.
_FLASH_TIMES = {
    "SOC_SERIES_NRF52X": (0.085, 41e-6 / 4),
    "SOC_SERIES_NRF53X": (0.0875, 43e-6 / 4),
    "SOC_SERIES_NRF91X": (0.0875, 43e-6 / 4),
    "SOC_SERIES_NRF54LX": (0.0, 22e-6 / 16),
}


def server_profile(build: Build) -> ServerProfile:
    """Return how MCUmgr was built into the application."""
    symbols = build.application.kconfig
    version = _zephyr_version(build)
    milliseconds = _number(symbols, 250, "MCUMGR_GRP_OS_RESET_MS", "OS_MGMT_RESET_MS")
    return ServerProfile(
        buf_size=_number(
            symbols, _DEFAULT_BUFFER, "MCUMGR_TRANSPORT_NETBUF_SIZE", "MCUMGR_BUF_SIZE"
        ),
        buf_count=_number(symbols, 4, "MCUMGR_TRANSPORT_NETBUF_COUNT", "MCUMGR_BUF_COUNT"),
        reassembly=_on(symbols, "MCUMGR_TRANSPORT_BT_REASSEMBLY", "MCUMGR_SMP_REASSEMBLY_BT"),
        os_group=_on(symbols, "MCUMGR_GRP_OS", "MCUMGR_CMD_OS_MGMT"),
        info=_on(symbols, "MCUMGR_GRP_OS_INFO"),
        parameters=_on(symbols, "MCUMGR_GRP_OS_MCUMGR_PARAMS", "OS_MGMT_MCUMGR_PARAMS"),
        bootloader_info=_on(symbols, "MCUMGR_GRP_OS_BOOTLOADER_INFO"),
        slot_info=_on(symbols, "MCUMGR_GRP_IMG_SLOT_INFO"),
        size_limit=_on(
            symbols,
            "MCUMGR_GRP_IMG_TOO_LARGE_SYSBUILD",
            "MCUMGR_GRP_IMG_TOO_LARGE_BOOTLOADER_INFO",
        ),
        image_check=_on(symbols, "IMG_ENABLE_IMAGE_CHECK"),
        reject_mismatched_slot=_on(
            symbols,
            "MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT",
            "IMG_MGMT_REJECT_DIRECT_XIP_MISMATCHED_SLOT",
        ),
        verbose_errors=_on(symbols, "MCUMGR_SMP_VERBOSE_ERR_RESPONSE", "MGMT_VERBOSE_ERR_RESPONSE"),
        frugal_list=_on(symbols, "MCUMGR_GRP_IMG_FRUGAL_LIST", "IMG_MGMT_FRUGAL_LIST"),
        legacy_rc=version < (3, 3) or _on(symbols, "MCUMGR_SMP_LEGACY_RC_BEHAVIOUR"),
        whole_words=version < (2, 7, 99),
        version_1=_on(symbols, "MCUMGR_SMP_SUPPORT_ORIGINAL_PROTOCOL", default=True),
        version_2=version >= (3, 3, 99),
        error_key="ret" if (3, 3, 99) <= version < (3, 4, 99) else "err",
        erase_progressively=_on(symbols, "IMG_ERASE_PROGRESSIVELY"),
        erase_empty_fails=(3, 3, 99) <= version < (3, 6),
        allow_erase_pending=_on(symbols, "MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING"),
        allow_confirm_inactive=_on(
            symbols, "MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_SLOT", default=True
        ),
        compare_build_number=_on(
            symbols,
            "MCUMGR_GRP_IMG_VERSION_CMP_USE_BUILD_NUMBER",
            "IMG_MGMT_VERSION_CMP_USE_BUILD_NUMBER",
        ),
        upload_lock=_LOCK_TIME if _on(symbols, "DESKTOP_DFU_MCUMGR_ENABLE") else None,
        block_buffer=_number(symbols, 512, "IMG_BLOCK_BUF_SIZE"),
        reset_delay=milliseconds / 1000,
        kernel_version=build.zephyr_version or ServerProfile.kernel_version,
        board=build.board,
    )


def flash_times(build: Build) -> tuple[float, float]:
    """Return the seconds to erase a sector and to write a byte; 0 for a SoC that is not known."""
    symbols = build.application.kconfig
    names = (name for name in _FLASH_TIMES if symbols.is_on(f"CONFIG_{name}"))
    return _FLASH_TIMES.get(next(names, ""), (0.0, 0.0))


def radio_profile(build: Build) -> RadioProfile:
    """Return how the device shows itself on the air; its address is made up."""
    symbols = build.application.kconfig
    receive = _number(symbols, _DEFAULT_MTU + _L2CAP_HEADER, "BT_BUF_ACL_RX_SIZE")
    transmit = _number(symbols, _DEFAULT_MTU, "BT_L2CAP_TX_MTU")
    return RadioProfile(
        name=symbols.text("CONFIG_BT_DEVICE_NAME") or RadioProfile.name,
        mtu=max(_DEFAULT_MTU, min(transmit, receive - _L2CAP_HEADER)),
        access=_access(symbols),
        wanted_interval=_wanted_interval(symbols),
    )


def _wanted_interval(symbols: Kconfig) -> tuple[float, float] | None:
    for name in "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL", "MCUMGR_SMP_BT_CONN_PARAM_CONTROL":
        if _on(symbols, name):
            units = _number(symbols, 6, f"{name}_MIN_INT"), _number(symbols, 9, f"{name}_MAX_INT")
            return units[0] * INTERVAL_UNIT, units[1] * INTERVAL_UNIT
    return None


def _access(symbols: Kconfig) -> Access:
    if _on(symbols, "MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT"):
        return Access.ENCRYPTED
    names = "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN", "MCUMGR_TRANSPORT_BT_AUTHEN"
    if _on(symbols, *names, "MCUMGR_SMP_BT_AUTHEN"):
        return Access.AUTHENTICATED
    return Access.OPEN


def _zephyr_version(build: Build) -> tuple[int, ...]:
    # A build that does not tell is taken for a recent one.
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", build.zephyr_version or "")
    return tuple(int(part or 0) for part in found.groups()) if found else (4, 0, 0)


def _on(symbols: Kconfig, *names: str, default: bool = False) -> bool:
    known = [name for name in (f"CONFIG_{name}" for name in names) if name in symbols]
    return any(symbols.is_on(name) for name in known) if known else default


def _number(symbols: Kconfig, default: int, *names: str) -> int:
    values: Sequence[int | None] = [symbols.integer(f"CONFIG_{name}") for name in names]
    return next((value for value in values if value), default)
