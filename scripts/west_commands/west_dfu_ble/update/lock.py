# SPDX-License-Identifier: Apache-2.0
"""One update at a time on one device: a lock on this host, held while a run of this tool is at it.

Two clients can share one Bluetooth connection on one host without noticing each other, and the
second upload takes the slot from the first without a word. The lock is the operating system's, so
that it does not outlive its process.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..faults import fault
from .events import Listener, Remark

if TYPE_CHECKING:
    from ..link import LinkTraits


def lock_device(traits: LinkTraits, listener: Listener) -> DeviceLock:
    """Take the lock of a device; what can't be locked is remarked. Raises `DfuBleError` LK410."""
    lock = DeviceLock(traits)
    if not lock.acquire():
        listener(Remark("no lock can be kept on this host: see that no other run updates"))
    return lock


class DeviceLock:
    """The lock of one device; `folder` holds the lock files (default: the user's cache)."""

    def __init__(self, traits: LinkTraits, folder: Path | None = None) -> None:
        """Name the lock after the link and the device's address, or else its name."""
        from filelock import FileLock

        if folder is None:
            from platformdirs import user_cache_path

            folder = user_cache_path("west-dfu-ble") / "locks"
        self.peer = traits.peer
        self.is_needed = not traits.in_process
        identity = traits.address or traits.peer
        readable = re.sub(r"[^A-Za-z0-9]+", "-", identity).strip("-")[:40]
        digest = hashlib.sha256(f"{traits.kind}\n{identity}".encode()).hexdigest()[:12]
        self.path = folder / f"{readable}-{digest}.lock"
        self._lock = FileLock(str(self.path))

    def acquire(self) -> bool:
        """Take the lock; false where no lock can be kept (a folder that can't be written).

        Raises `DfuBleError` LK410 if another run holds it.
        """
        from filelock import Timeout

        if not self.is_needed:
            return True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise fault(
                "LK410",
                f"another run of this tool is at work on {self.peer}",
                notes=[f"it holds {self.path}"],
                helps=["wait until it is done; a run that was killed holds nothing"],
            ) from None
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        self._lock.release()
