# SPDX-License-Identifier: Apache-2.0
"""Verify, sign and update Zephyr and nRF Connect SDK firmware over Bluetooth LE."""

__version__ = "0.1.0"
