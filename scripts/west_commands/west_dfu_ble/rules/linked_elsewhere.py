# SPDX-License-Identifier: Apache-2.0
"""IM351: application and variant are linked for their slots."""

from __future__ import annotations

from ..builddir import Build, ElfFacts, Image, Role, Slot, read_elf
from ..diagnostics import DfuBleError, Help, Location, Note
from ..mcuboot import BootloaderMode
from .flash_layout import region_of
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
    unknown,
)

DOC = RuleDoc(
    code="IM351",
    name="linked-for-another-place",
    category=Category.BROKEN,
    summary="the firmware is linked for another place than its slot",
    checks=(
        "The ELF file of the application against the primary slot, and in direct-xip that of the "
        "variant against the secondary: the vector table stands behind the image's header, the "
        "reset vector points into the slot, and no segment is stored elsewhere in the same flash. "
        "With secure firmware in front (TF-M) the vector table may stand anywhere in the slot."
    ),
    why=(
        "MCUboot starts the image in its slot; linked for another place, it runs into whatever is "
        "there."
    ),
    fix=(
        "Build again from scratch (`west build --pristine`). Static partitions that were changed "
        "reach the linker only then. A variant that is linked for the primary slot is a copy of "
        "the application: build it as the SDK does, by its own option."
    ),
    bad="_vector_table = 0x0000c200   # slot at 0x8000, header of 0x200",
    good="_vector_table = 0x00008200",
    applies="every build with an ELF file, but for modes that load images to RAM",
    references=("mcuboot boot/zephyr/main.c", "zephyr include/zephyr/linker"),
)
# The secure firmware stands first in the slot, the application behind it.
_SHARES_SLOT = (
    "CONFIG_TRUSTED_EXECUTION_NONSECURE",
    "CONFIG_BUILD_WITH_TFM",
    "CONFIG_SPM",
    "CONFIG_ARM_NONSECURE_FIRMWARE",
)
_RAM_MODES = (BootloaderMode.RAM_LOAD, BootloaderMode.SINGLE_SLOT_RAM_LOAD)


def check(context: Context, image: Image) -> Verdict:
    """Compare the ELF file with the slot."""
    build = context.build
    if build.mode in _RAM_MODES:
        return not_applicable("the image is copied to RAM before it runs")
    slot = build.slot(1 if image.role is Role.VARIANT else 0)
    if slot is None:
        return unknown("the build does not tell where the slot is")
    if image.elf is None:
        return unknown("there is no ELF file of this image in the build directory")
    try:
        elf = read_elf(image.elf)
    except DfuBleError as error:
        return unknown(f"the ELF file can't be read: {error.diagnostic.message}")
    problem = _vector_table(build, slot, elf, image) or _outside(build, slot, elf)
    if problem is None:
        return passed(f"linked for the {slot.title} slot at {slot.address.value:#x}")
    return Finding(
        message=problem,
        location=Location(image.elf),
        notes=(
            Note(f"the {slot.title} slot is at {slot.address.value:#x}", slot.address.location),
            *_other_slot(build, slot, elf),
        ),
        helps=(Help("build again from scratch", edit="west build --pristine\n"),),
        data={"slot_address": slot.address.value, "vector_table": elf.vector_table},
    )


def _vector_table(build: Build, slot: Slot, elf: ElfFacts, image: Image) -> str | None:
    if elf.vector_table is None or build.header_size is None:
        return None
    if any(image.kconfig.is_on(name) for name in _SHARES_SLOT):
        if _contains(slot, elf.vector_table):
            return None
        return f"the vector table is at {elf.vector_table:#x}, outside the {slot.title} slot"
    expected = slot.address.value + build.header_size.value
    if elf.vector_table != expected:
        return f"the vector table is at {elf.vector_table:#x}, the slot wants it at {expected:#x}"
    reset = elf.reset_vector
    if reset is not None and not _contains(slot, reset & ~1):
        return f"the reset vector is {reset & ~1:#x}, outside the {slot.title} slot"
    return None


def _outside(build: Build, slot: Slot, elf: ElfFacts) -> str | None:
    region = region_of(build, slot)
    if region is None:
        return None
    for segment in elf.segments:
        end = segment.address + segment.file_size
        # What goes elsewhere (RAM, external flash, one-time memory) is not this slot's matter.
        if not segment.file_size or not (
            region.address <= segment.address < region.address + region.size
        ):
            continue
        if not _contains(slot, segment.address) or end > slot.address.value + slot.size.value:
            return (
                f"a segment is stored at {segment.address:#x} to {end:#x}, outside the "
                f"{slot.title} slot"
            )
    return None


def _other_slot(build: Build, slot: Slot, elf: ElfFacts) -> list[Note]:
    other = build.slot(1 - slot.index)
    table = elf.vector_table
    if other is None or table is None or not _contains(other, table):
        return []
    return [Note(f"that is in the {other.title} slot", other.address.location)]


def _contains(slot: Slot, address: int) -> bool:
    return slot.address.value <= address < slot.address.value + slot.size.value


RULE = Rule(DOC, check, roles=(Role.APPLICATION, Role.VARIANT), follows=("DT250",))
