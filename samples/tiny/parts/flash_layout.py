# SPDX-License-Identifier: Apache-2.0
"""The flash of the two builds, and Partition Manager's three files that tell of it."""

from __future__ import annotations

from dataclasses import dataclass

HEADER_SIZE = 0x200
"""Bytes in front of an image for MCUboot's header: the partition `mcuboot_pad`."""

FLASH_SIZE = 0x100000
SRAM_ADDRESS, SRAM_SIZE = 0x20000000, 0x40000


@dataclass(frozen=True)
class Partition:
    """A stretch of flash; `span` names the smaller partitions that it consists of."""

    name: str
    address: int
    size: int
    span: tuple[str, ...] = ()
    region: str = "flash_primary"

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + self.size


@dataclass(frozen=True)
class FlashLayout:
    """Two slots of the same size behind the bootloader, and what is left for the settings."""

    primary: int
    secondary: int
    slot_size: int
    secondary_is_linked_for: bool

    def partitions(self) -> tuple[Partition, ...]:
        """Return all partitions in order of address, as Partition Manager names them."""
        payload = self.slot_size - HEADER_SIZE
        end = self.secondary + self.slot_size
        found = [
            Partition("mcuboot", 0, self.primary),
            Partition("mcuboot_pad", self.primary, HEADER_SIZE),
            Partition("mcuboot_primary", self.primary, self.slot_size, ("app", "mcuboot_pad")),
            Partition("app", self.primary + HEADER_SIZE, payload),
            Partition("mcuboot_primary_app", self.primary + HEADER_SIZE, payload, ("app",)),
        ]
        if self.secondary_is_linked_for:
            pad, application = "mcuboot_secondary_pad", "mcuboot_secondary_app"
            span = (application, pad)
            found += [
                Partition("mcuboot_secondary", self.secondary, self.slot_size, span),
                Partition(pad, self.secondary, HEADER_SIZE),
                Partition(application, self.secondary + HEADER_SIZE, payload),
            ]
        else:
            found.append(Partition("mcuboot_secondary", self.secondary, self.slot_size))
        found.append(Partition("settings_storage", end, FLASH_SIZE - end))
        found.append(Partition("sram_primary", SRAM_ADDRESS, SRAM_SIZE, region="sram_primary"))
        return tuple(found)

    def partitions_yml(self) -> str:
        """Return `partitions.yml`: every partition, by name."""
        lines = []
        for part in sorted(self.partitions(), key=lambda p: p.name):
            lines += [f"{part.name}:", f"  address: {part.address:#x}"]
            lines.append(f"  end_address: {part.end:#x}")
            if part.span:
                lines += ["  orig_span:", *(f"  - {name}" for name in part.span)]
            lines.append(f"  region: {part.region}")
            lines.append(f"  size: {part.size:#x}")
            if part.span:
                lines += ["  span:", *(f"  - {name}" for name in part.span)]
        return "\n".join(lines) + "\n"

    def pm_config(self) -> str:
        """Return `pm.config`: the same as ``KEY=VALUE``, with a number for each flash partition."""
        lines = []
        parts = self.partitions()
        for number, part in enumerate(parts):
            key = f"PM_{part.name.upper()}"
            region_base = SRAM_ADDRESS if part.region == "sram_primary" else 0
            lines += [
                f"{key}_OFFSET={part.address - region_base:#x}",
                f"{key}_ADDRESS={part.address:#x}",
                f"{key}_END_ADDRESS={part.end:#x}",
                f"{key}_SIZE={part.size:#x}",
                f"{key}_NAME={part.name}",
            ]
            if part.region == "flash_primary":
                lines += [
                    f"{key}_ID={number}",
                    f"PM_{part.name}_ID={key}_ID",
                    f"PM_{part.name}_IS_ENABLED=1",
                    f"PM_{number}_LABEL={part.name.upper()}",
                ]
            if part.span:
                lines.append(f'{key}_SPAN="{" ".join(part.span)}"')
        lines.append(f"PM_NUM={len(parts) - 1}")
        by_size = " ".join(part.name for part in sorted(parts, key=lambda p: p.size))
        lines.append(f'PM_ALL_BY_SIZE="{by_size}"')
        return "\n".join(lines) + "\n"

    def regions_yml(self) -> str:
        """Return `regions.yml`: the memories that hold the partitions."""
        return f"""\
flash_primary:
  base_address: 0x0
  default_driver_kconfig: CONFIG_SOC_FLASH_NRF
  device: flash_controller
  dynamic_partition: null
  name: flash_primary
  placement_strategy: complex
  size: {FLASH_SIZE:#x}
sram_primary:
  base_address: {SRAM_ADDRESS:#x}
  default_driver_kconfig: ''
  device: ''
  dynamic_partition: sram_primary
  name: sram_primary
  placement_strategy: complex
  size: {SRAM_SIZE:#x}
"""
