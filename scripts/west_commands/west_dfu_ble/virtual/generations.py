# SPDX-License-Identifier: Apache-2.0
"""SMP servers of other Zephyr generations than 3.5, which `ServerProfile`'s defaults are.

A device that is made from a build takes all this from the build's own symbols and version.
"""

from __future__ import annotations

from .profile import ServerProfile

# SMP v1 whatever is asked, buffers of 384 bytes that hold one write each, echo and reset alone, and
# an upload in whole words of the flash (Zephyr 2.7 LTS, `modules/lib/mcumgr`).
ZEPHYR_2_7 = ServerProfile(
    buf_size=384,
    reassembly=False,
    info=False,
    parameters=False,
    bootloader_info=False,
    version_2=False,
    legacy_rc=True,
    whole_words=True,
    erase_empty_fails=False,
    kernel_version="2.7.0",
)
# SMP v2 alone (`MCUMGR_SMP_SUPPORT_ORIGINAL_PROTOCOL` is off), slot information with
# the largest size, an empty slot may be erased and so may a pending image, and only what runs can
# be confirmed (Zephyr 4.2, `subsys/mgmt/mcumgr/grp/img_mgmt`).
ZEPHYR_4 = ServerProfile(
    slot_info=True,
    size_limit=True,
    erase_empty_fails=False,
    allow_erase_pending=True,
    allow_confirm_inactive=False,
    version_1=False,
    kernel_version="4.2.0",
)
