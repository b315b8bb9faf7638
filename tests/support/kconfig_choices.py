# SPDX-License-Identifier: Apache-2.0
"""Take a line into a configuration as Kconfig would: of a choice only one member is on."""

from __future__ import annotations

from collections.abc import Mapping

_CHOICES = (
    "MCUBOOT_BOOTLOADER_MODE_",
    "BOOT_SIGNATURE_TYPE_",
    "MCUMGR_TRANSPORT_BT_PERM_",
)


def with_lines(edits: Mapping[str, str | None], lines: Mapping[str, str]) -> dict[str, str | None]:
    """Return the edits of a small build with `lines` (without ``CONFIG_``) on top."""
    kept = dict(edits)
    for prefix in _CHOICES:
        if any(name.startswith(prefix) for name in lines):
            kept |= {name: "n" for name in edits if name.startswith(prefix)}
            if prefix == "MCUBOOT_BOOTLOADER_MODE_":
                # The good build has it, so that it is in no edit.
                kept["MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH"] = "n"
    return {**kept, **lines}
