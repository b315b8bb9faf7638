# SPDX-License-Identifier: Apache-2.0
"""Where SMP lives in a GATT database (Zephyr: `subsys/mgmt/mcumgr/transport/src/smp_bt.c`)."""

from __future__ import annotations

SMP_SERVICE = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
SMP_CHARACTERISTIC = "da2e7828-fbce-4e01-ae9e-261174997c48"
