# SPDX-License-Identifier: Apache-2.0
"""The options of the logs, for the actions that talk with a device."""

from __future__ import annotations

from pathlib import Path

from .option import Option

PACKETS = {
    "logs": (
        Option(
            ("--hci-log",),
            {
                "type": Path,
                "metavar": "FILE",
                "help": "write every packet of the Bluetooth controller to a btsnoop file, for "
                "Wireshark (not over --link ble, where the system has it)",
            },
        ),
    )
}
FRAMES = {
    "logs": (
        Option(
            ("-v", "--verbose"),
            {
                # `verbose` is west's own.
                "dest": "log_frames",
                "action": "store_true",
                "default": False,
                "help": "tell every SMP frame on standard error, decoded",
            },
        ),
        Option(
            ("--log-file",),
            {"type": Path, "metavar": "FILE", "help": "write every SMP frame to FILE, decoded"},
        ),
    )
}
LOGS = (FRAMES, PACKETS)
