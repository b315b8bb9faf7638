# SPDX-License-Identifier: Apache-2.0
"""The binary that is signed for a slot: where the build put it, and whether it belongs there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..builddir import Build, Image, Layout
from ..diagnostics import DfuBleError, Help, Location
from ..faults import fault
from ..mcuboot import BootloaderMode
from .linkage import require_linked_for

_LARGEST_SPAN = 64 * 1024 * 1024
_LARGEST_FILE = 256 * 1024 * 1024


@dataclass(frozen=True)
class Binary:
    """What is to be signed; `data` begins where the firmware does, without room for a header.

    `padding` is the number of zero bytes that the linker left in front for the header.
    """

    path: Path
    data: bytes
    padding: int

    @property
    def firmware(self) -> bytes:
        """The firmware alone, as it will stand behind the image's header."""
        return self.data[self.padding :]


def binary_for(build: Build, slot: int, image: int = 0) -> Binary:
    """Return the binary that the build made for a slot (0 primary, 1 secondary).

    The secondary slot has a binary of its own in direct-xip only: the variant's.

    Raises `DfuBleError` IM308 if direct-xip's variant was not built, IM309 if there is no binary,
    IM312 if it is linked for another place, IM316 if it makes no sense.
    """
    owner = build.application if slot == 0 else build.variant
    if owner is None:
        raise variant_missing(build)
    path = _first_file(_candidates(build, owner, slot), build, owner)
    data = _read(path)
    padding = 0 if pads_header(build) else _room(build, data, path)
    binary = Binary(path, data, padding)
    place = build.slot(slot, image)
    if place is not None:
        require_linked_for(build, place, binary.firmware, path)
    return binary


def require_different(primary: Binary, variant: Binary) -> None:
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


def pads_header(build: Build) -> bool:
    """Whether imgtool makes the room for the header (`--pad-header`); else the linker left it."""
    primary = build.slot(0)
    is_pm = primary is not None and primary.name.startswith("mcuboot_")
    return build.layout is Layout.NCS_CHILD_IMAGE or (build.layout is Layout.NCS_SYSBUILD and is_pm)


def variant_missing(build: Build) -> DfuBleError:
    """Return the error IM308, naming the option that builds the variant in this generation."""
    kconfig = build.application.kconfig
    location: Location | None
    why = (
        "In direct-xip the image runs from the slot that it was uploaded to, so each slot needs "
        "the application linked for it; the primary's binary can't be signed for the other slot."
    )
    if build.layout in (Layout.ZEPHYR, Layout.ZEPHYR_SYSBUILD):
        location = kconfig.where("CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP")
        cure = Help(
            "build the application a second time, linked for the other slot "
            "(`zephyr,code-partition = &slot1_partition`)"
        )
    elif build.layout is Layout.NCS_SYSBUILD:
        name = "SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT"
        location = build.sysbuild.where(name) if build.sysbuild else None
        cure = Help("enable it and build again", edit=f"{name}=y", file="sysbuild.conf")
    elif any(name.startswith("CONFIG_MCUBOOT_BOOTLOADER_MODE_") for name in kconfig):
        name = "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT"
        mode = "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP"
        if build.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT:
            mode += "_WITH_REVERT"
        # NCS 2.5 derives the variant from the application's mode, NCS 2.4 the other way round.
        edit = f"{mode}=y\n{name}=y" if not kconfig.is_on(mode) else f"{name}=y"
        location = kconfig.where(name if name in kconfig else mode)
        cure = Help("enable it and build again", edit=edit, file="prj.conf")
    else:
        name = "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT"
        location = kconfig.where(name)
        cure = Help("enable it and build again", edit=f"{name}=y", file="prj.conf")
    return fault(
        "IM308",
        "the bootloader is built for direct-xip, the application for the primary slot alone",
        why=why,
        location=location,
        helps=[cure],
    )


def _candidates(build: Build, owner: Image, slot: int) -> Sequence[Path]:
    zephyr = owner.directory / "zephyr"
    name = owner.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr") or "zephyr"
    own = [zephyr / f"{name}.bin", zephyr / f"{name}.hex"]
    if build.layout is Layout.NCS_CHILD_IMAGE:
        top = build.path / "zephyr"
        if slot:
            return [top / "mcuboot_secondary_app_to_sign.bin", *own]
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


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _senseless(path, f"can't be read: {reason}") from None
    if len(data) > _LARGEST_FILE:
        raise _senseless(path, f"has more than {_LARGEST_FILE} bytes")
    if path.suffix.lower() == ".hex":
        data = _from_hex(data, path)
    if not data:
        raise _senseless(path, "is empty")
    return data


def _from_hex(data: bytes, path: Path) -> bytes:
    """Return the bytes that a hex file describes, gaps filled as erased flash."""
    # imgtool depends on intelhex and reads hex files with it too.
    from intelhex import IntelHex, IntelHexError

    try:
        parsed = IntelHex(io.StringIO(data.decode("ascii")))
    except UnicodeDecodeError:
        raise _senseless(path, "is no Intel HEX file") from None
    except IntelHexError as error:
        text = str(error)
        raise _senseless(
            path, f"is no sound Intel HEX file: {text[:1].lower()}{text[1:]}"
        ) from None
    if not len(parsed):
        return b""
    first, last = parsed.minaddr(), parsed.maxaddr()
    if last - first >= _LARGEST_SPAN:
        raise _senseless(path, f"spans {last - first + 1} bytes, from 0x{first:x} to 0x{last:x}")
    parsed.padding = 0xFF
    return bytes(parsed.tobinarray())


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


def _senseless(path: Path, what: str) -> DfuBleError:
    return fault("IM316", f"`{path.name}` {what}", location=path, helps=["build it again"])
