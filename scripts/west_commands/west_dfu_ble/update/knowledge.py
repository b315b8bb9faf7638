# SPDX-License-Identifier: Apache-2.0
"""What a build directory tells about the device that runs it, by all generations of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Knowledge

if TYPE_CHECKING:
    from ..builddir import Build, Kconfig

# The newer name first; NCS up to 2.3 has the older ones (Zephyr's `migrate_mcumgr_kconfigs.py`).
_TRANSPORT = ("CONFIG_MCUMGR_TRANSPORT_BT", "CONFIG_MCUMGR_SMP_BT")
_REASSEMBLY = ("CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY", "CONFIG_MCUMGR_SMP_REASSEMBLY_BT")
_BUFFER_SIZE = ("CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE", "CONFIG_MCUMGR_BUF_SIZE")
_BUFFER_COUNT = ("CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT", "CONFIG_MCUMGR_BUF_COUNT")
_NEW_IMAGE_GROUP = "CONFIG_MCUMGR_GRP_IMG"
_DOWNGRADE = ("CONFIG_MCUBOOT_DOWNGRADE_PREVENTION", "CONFIG_MCUBOOT_HW_DOWNGRADE_PREVENTION")


def knowledge_from_build(build: Build) -> Knowledge:
    """Collect what the build tells about the device that runs it."""
    application = build.application.kconfig
    bootloader = build.bootloader.kconfig if build.bootloader else None
    has_server = any(application.is_on(name) for name in _TRANSPORT)
    return Knowledge(
        mode=build.mode,
        slots={(s.image, s.index): (s.address.value, s.size.value) for s in build.slots},
        reassembly=any(application.is_on(name) for name in _REASSEMBLY) if has_server else None,
        buffer_size=_first(application, _BUFFER_SIZE),
        buffer_count=_first(application, _BUFFER_COUNT),
        compares_build_number=bootloader.is_on("CONFIG_BOOT_VERSION_CMP_USE_BUILD_NUMBER")
        if bootloader
        else None,
        rejects_downgrade=any(bootloader.is_on(name) for name in _DOWNGRADE)
        if bootloader
        else None,
        chunk_alignment=1 if application.is_on(_NEW_IMAGE_GROUP) else 4,
    )


def _first(kconfig: Kconfig, names: tuple[str, ...]) -> int | None:
    values = [kconfig.integer(name) for name in names]
    return next((value for value in values if value), None)
