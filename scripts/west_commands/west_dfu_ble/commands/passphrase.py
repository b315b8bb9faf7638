# SPDX-License-Identifier: Apache-2.0
"""Ask for the passphrase of a locked key: the environment first, then the user."""

from __future__ import annotations

import sys
from pathlib import Path

from ..image import passphrase_from_environment


def ask_passphrase(path: Path) -> str | None:
    """Return the passphrase of the key at `path`; `None` if nobody is there to ask."""
    given = passphrase_from_environment(path)
    if given is not None or not sys.stdin.isatty():
        return given
    import getpass

    return getpass.getpass(f"passphrase of {path.name}: ", sys.stderr) or None
