# SPDX-License-Identifier: Apache-2.0
"""The options of `device` that put a front before a real server."""

from __future__ import annotations

from .option import Option
from .types import frame_size

FORWARD = {
    "front for a real server": (
        Option(
            ("--forward",),
            {
                "metavar": "LINK",
                "help": "be a front for the server that this link leads to (serial:PORT[@BAUD], "
                "udp:HOST:PORT ...) instead of a device of one's own: a GATT service, and behind "
                "it that server; name and access rights are those of --build-dir",
            },
        ),
        Option(
            ("--frame-size",),
            {
                "type": frame_size,
                "metavar": "BYTES",
                "help": "the longest SMP frame that reaches that server, 128 or more (default: the "
                "server is asked, and it is tried)",
            },
        ),
    )
}
