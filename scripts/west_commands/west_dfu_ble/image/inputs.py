# SPDX-License-Identifier: Apache-2.0
"""The binaries that are signed, one for each slot: where the build put them, and proof of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..builddir import Build, Image, Layout, Role, Slot, read_elf
from ..diagnostics import Location, Note
from ..faults import fault
from .binary_file import read_binary
from .linkage import require_linked_for
from .variant import variant_missing


@dataclass(frozen=True)
class Binary:
    """What is to be signed for `slot`.

    `padding` is the number of zero bytes in front of the firmware that the linker left for the
    header.
    """

    slot: Slot
    path: Path
    data: bytes
    padding: int

    @property
    def firmware(self) -> bytes:
        """The firmware alone, as it will stand behind the image's header."""
        return self.data[self.padding :]


def binaries_to_sign(build: Build) -> list[Binary]:
    """Return the binaries of every image that MCUboot updates, the application's first.

    The secondary slot has a binary of its own in direct-xip only: the variant's.

    Raises `DfuBleError` IM308 if direct-xip's variant was not built, IM309 if there is no binary,
    IM312 if one is linked for another place, IM315 if the build has no slots, IM316 if one makes
    no sense.
    """
    binaries = [binary_for(build, 0)]
    if build.mode is not None and build.mode.is_direct_xip:
        binaries.append(binary_for(build, 1))
        _require_different(*binaries)
    core = network_core(build)
    if core is not None and core.number is not None:
        binaries.append(_binary(build, core, _slot(build, 0, core.number)))
    return binaries


def binary_for(build: Build, slot: int) -> Binary:
    """Return the application's binary for the primary slot (0), or its variant's for the other.

    Raises what `binaries_to_sign` raises.
    """
    owner = build.variant if slot else build.application
    if owner is None:
        raise variant_missing(build)
    return _binary(build, owner, _slot(build, slot, build.application.number or 0))


def network_core(build: Build) -> Image | None:
    """Return the network core's image, if MCUboot of the application core updates it.

    Its binary is one that the network core's own bootloader (b0n) takes; without that there is
    nothing to update.
    """
    core = next((i for i in build.images if i.role is Role.NETWORK_CORE), None)
    if core is None or core.number is None:
        return None
    wanted = build.application.kconfig.is_on("CONFIG_NRF53_UPGRADE_NETWORK_CORE") or (
        build.sysbuild is not None and build.sysbuild.is_on("SB_CONFIG_NETCORE_APP_UPDATE")
    )
    there = any(path.is_file() for path in _candidates(build, core))
    return core if wanted or there else None


def pads_header(build: Build) -> bool:
    """Whether imgtool makes the room for the header (`--pad-header`); else the linker left it."""
    primary = build.slot(0)
    is_pm = primary is not None and primary.name.startswith("mcuboot_")
    return build.layout is Layout.NCS_CHILD_IMAGE or (build.layout is Layout.NCS_SYSBUILD and is_pm)


def _binary(build: Build, owner: Image, slot: Slot) -> Binary:
    path = _first_file(_candidates(build, owner), build, owner)
    data = read_binary(path)
    padding = 0 if pads_header(build) else _room(build, data, path)
    binary = Binary(slot, path, data, padding)
    if owner.role is not Role.NETWORK_CORE:
        require_linked_for(build, slot, binary.firmware, path)
        _require_whole(build, owner, binary)
    return binary


def _require_whole(build: Build, owner: Image, binary: Binary) -> None:
    """Raise `DfuBleError` IM316 if the ELF file has more to load into the slot than the binary."""
    if owner.elf is None or not owner.elf.is_file():
        return
    slot = binary.slot
    first, last = slot.address.value, slot.address.value + slot.size.value
    header = build.header_size.value if build.header_size else 0
    start = first + (header if pads_header(build) else 0)
    ends = [
        segment.address + segment.file_size
        for segment in read_elf(owner.elf, symbols=False).segments
        if segment.file_size and first <= segment.address < last
    ]
    missing = max(ends, default=start) - start - len(binary.data)
    if missing > 0:
        raise fault(
            "IM316",
            f"the binary ends {missing} bytes before the program that it was made from does",
            why="It would be signed, uploaded and started, and crash where its end is missing.",
            location=binary.path,
            notes=[Note("the program", Location(owner.elf))],
            helps=["build it again: west build"],
        )


def _slot(build: Build, index: int, number: int) -> Slot:
    slot = build.slot(index, number)
    if slot is None:
        raise fault(
            "IM315",
            f"the build has no {'secondary' if index else 'primary'} slot for image {number}",
            location=build.path,
            helps=["define the slots in the devicetree or in the partitions, and build again"],
        )
    return slot


def _candidates(build: Build, owner: Image) -> Sequence[Path]:
    """Return where the binary may be, the one that the build itself signs first."""
    zephyr, top = owner.directory / "zephyr", build.path / "zephyr"
    is_child = build.layout is Layout.NCS_CHILD_IMAGE
    name = owner.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr") or "zephyr"
    own = [zephyr / f"{name}.bin", zephyr / f"{name}.hex"]
    if owner.role is Role.NETWORK_CORE:
        if is_child:
            return [top / "net_core_app_to_sign.bin", zephyr / "signed_by_b0_app.hex"]
        signed = [build.path / f"signed_by_b0_{owner.name}.{suffix}" for suffix in ("bin", "hex")]
        # nRF54H20's radio core has no bootloader of its own.
        return signed if owner.kconfig.text("CONFIG_SOC").startswith("nRF53") else [*signed, *own]
    if is_child and owner.role is Role.VARIANT:
        return [top / "mcuboot_secondary_app_to_sign.bin", *own]
    if is_child:
        # The application together with SPM or TF-M, if there is one.
        return [top / "app_to_sign.bin", top / "mcuboot_primary_app.hex", *own]
    if owner.kconfig.is_on("CONFIG_BUILD_WITH_TFM"):
        return [zephyr / "tfm_merged.hex"]
    return own


def _first_file(paths: Sequence[Path], build: Build, owner: Image) -> Path:
    for path in paths:
        if path.is_file():
            return path
    raise fault(
        "IM309",
        f"there is no binary of the image `{owner.name}`",
        location=build.path,
        notes=[f"looked for {', '.join(str(p.relative_to(build.path)) for p in paths)}"],
        helps=["build it: west build"],
    )


def _room(build: Build, data: bytes, path: Path) -> int:
    """Return the header's size, proving that the linker left room for it."""
    size = build.header_size.value if build.header_size else 0
    if len(data) <= size or any(data[:size]):
        raise fault(
            "IM312",
            f"the binary does not begin with {size} zero bytes of room for the header",
            why="It was linked without MCUboot's header in front, so it would start at the wrong "
            "address.",
            location=path,
            helps=["build it with `CONFIG_BOOTLOADER_MCUBOOT=y`"],
        )
    return size


def _require_different(primary: Binary, variant: Binary) -> None:
    """Raise `DfuBleError` IM312 if the variant is a copy of the primary slot's binary."""
    if primary.firmware == variant.firmware:
        raise fault(
            "IM312",
            f"`{variant.path.name}` is a copy of `{primary.path.name}`",
            why="In direct-xip each slot needs the application linked for it: a copy would be "
            "started at addresses of the other slot.",
            location=variant.path,
            helps=["build the variant again"],
        )
