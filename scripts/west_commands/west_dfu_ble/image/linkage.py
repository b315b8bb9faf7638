# SPDX-License-Identifier: Apache-2.0
"""For which slot a firmware is linked, told from its vector table."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Slot
from ..diagnostics import DfuBleError
from ..faults import fault
from ..mcuboot import BootloaderMode


def require_linked_for(build: Build, slot: Slot, firmware: bytes, path: Path) -> None:
    """Prove by its reset vector (second word, Cortex-M) that `firmware` runs in `slot`.

    Where the firmware does not run from the slot (RAM load) or has no vector table of this kind,
    nothing is to be proved. Raises `DfuBleError` IM312 if it is linked for another place, IM316
    if it is too short to be a firmware.
    """
    if not build.application.kconfig.is_on("CONFIG_CPU_CORTEX_M"):
        return
    if build.mode in (BootloaderMode.RAM_LOAD, BootloaderMode.SINGLE_SLOT_RAM_LOAD):
        return
    if len(firmware) < 8:
        raise fault(
            "IM316",
            f"the firmware has {len(firmware)} bytes, less than a vector table",
            location=path,
            helps=["build it again"],
        )
    reset = int.from_bytes(firmware[4:8], "little") & ~1
    if _contains(slot, reset):
        return
    raise _elsewhere(build, slot, reset, path)


def _elsewhere(build: Build, slot: Slot, reset: int, path: Path) -> DfuBleError:
    start, size = slot.address.value, slot.size.value
    other = next((s for s in build.slots if _contains(s, reset)), None)
    where = f"in the {other.title} slot" if other else "in neither slot"
    return fault(
        "IM312",
        f"the firmware starts at 0x{reset:x}, {where}, and is meant for the {slot.title} slot "
        f"(0x{start:x} to 0x{start + size:x})",
        location=path,
        helps=["build it again, linked for this slot"],
        data={"reset_vector": reset, "slot_address": start, "slot_size": size},
    )


def _contains(slot: Slot, address: int) -> bool:
    return slot.address.value <= address < slot.address.value + slot.size.value
