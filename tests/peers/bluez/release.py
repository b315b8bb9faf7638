# SPDX-License-Identifier: Apache-2.0
"""Which Debian releases the virtual machine is made of, and which of their packages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

_LISTS = Path(__file__).with_name("packages")


@dataclass(frozen=True)
class Release:
    """A Debian release by its name, and its Python (`3.11`)."""

    name: str
    python: str

    @property
    def packages(self) -> tuple[str, ...]:
        """All packages of the machine but for the kernel."""
        lines = [
            line.strip()
            for name in ("common", self.name)
            for line in (_LISTS / f"{name}.txt").read_text().splitlines()
        ]
        return tuple(line for line in lines if line and not line.startswith("#"))

    @property
    def folder(self) -> Path:
        """Where what is downloaded and made for it is kept, outside the repository."""
        named = os.environ.get("WEST_DFU_BLE_PEERS")
        cache = Path(named) if named else user_cache_path("west-dfu-ble-peers", appauthor=False)
        return cache / f"debian-{self.name}"


BOOKWORM = Release("bookworm", "3.11")
TRIXIE = Release("trixie", "3.13")
RELEASES = (BOOKWORM, TRIXIE)
