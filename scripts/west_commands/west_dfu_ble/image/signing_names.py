# SPDX-License-Identifier: Apache-2.0
"""What update images are called in the build directory."""

from __future__ import annotations

from collections.abc import Mapping

UPDATE_FILE_NAMES: Mapping[tuple[int, int], str] = {
    (0, 0): "app_update.bin",
    (0, 1): "mcuboot_secondary_app_update.bin",
    (1, 0): "net_core_app_update.bin",
}
"""The names by (image number, slot index): those of NCS up to 2.6, here in every layout."""
