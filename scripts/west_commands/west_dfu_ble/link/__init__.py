# SPDX-License-Identifier: Apache-2.0
"""What carries SMP frames: the one interface between the update and everything that moves bytes.

A link knows bytes and nothing of SMP but where a frame begins and ends on its medium. Each kind
stands in a module of its own and is imported when it is asked for.
"""

from .model import AskPasskey, Link, LinkLost, LinkTraits, Seen, plain_address
from .open import KINDS, open_link, open_links, require_hci, scan, silence

__all__ = [
    "KINDS",
    "AskPasskey",
    "Link",
    "LinkLost",
    "LinkTraits",
    "Seen",
    "open_link",
    "open_links",
    "plain_address",
    "require_hci",
    "scan",
    "silence",
]
