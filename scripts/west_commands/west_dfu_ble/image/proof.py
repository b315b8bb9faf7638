# SPDX-License-Identifier: Apache-2.0
"""Prove that the bootloader will accept an image, and run it, from a slot of this build."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Slot
from ..faults import fault
from ..mcuboot import BootloaderMode
from .capacity import require_fit
from .decryption import require_decryptable
from .keys import PublicKey
from .linkage import require_linked_for
from .model import ImageVersion, McubootImage
from .verification import verify

_RAM_LOAD = 0x20


def prove(
    image: McubootImage,
    path: Path,
    build: Build,
    slot: int,
    *,
    key: PublicKey | None,
    image_number: int = 0,
    baseline: ImageVersion | None = None,
) -> None:
    """Prove everything that MCUboot, or the processor, will ask of an image in a slot.

    Hash and signature (`verify`), header, the slot that the image says and the one that the
    firmware is linked for, that the bootloader can decrypt it, the size with what the bootloader
    keeps free, and, if there is a `baseline`, that the version is higher. In the modes that
    exchange or copy slots, `slot` is the primary slot, from where the image will run.

    Raises `DfuBleError` IM303, IM304, IM306, IM307, IM312, IM317, IM319.
    """
    verify(image, path, key)
    require_place(image, path, build, slot, image_number=image_number)
    if baseline is not None:
        _require_newer(image, path, build, baseline)


def require_place(
    image: McubootImage, path: Path, build: Build, slot: int, *, image_number: int = 0
) -> None:
    """Prove that an image whose content is sound runs from a slot: what `prove` asks besides.

    Raises `DfuBleError` IM304, IM312, IM316, IM319.
    """
    place = build.slot(slot, image_number)
    if place is None:
        raise fault(
            "IM312",
            f"the build has no slot {slot} for image {image_number}",
            location=path,
        )
    _require_header(image, path, build, place)
    if image.is_encrypted:
        require_decryptable(build, image, path)
    if not image.is_encrypted and not image.is_compressed and not image_number:
        require_linked_for(build, place, image.payload, path)
    require_fit(build, place, image.size, path)


def _require_header(image: McubootImage, path: Path, build: Build, slot: Slot) -> None:
    expected = build.header_size.value if build.header_size else image.header_size
    if image.header_size != expected:
        raise fault(
            "IM312",
            f"the image's header has {image.header_size} bytes, the application is linked for "
            f"one of {expected}",
            location=path,
            notes=[f"header size of the build: {build.header_size.location}"]
            if build.header_size
            else [],
            helps=["sign the build again"],
        )
    if image.is_rom_fixed and image.load_address != slot.address.value:
        raise fault(
            "IM312",
            f"the image says that it is for 0x{image.load_address:x}, the {slot.title} slot is at "
            f"0x{slot.address.value:x}",
            why="MCUboot skips an image that says it is for another slot.",
            location=path,
            helps=["upload it to the slot that it is linked for"],
            data={"load_address": image.load_address, "slot_address": slot.address.value},
        )
    loads = build.mode in (BootloaderMode.RAM_LOAD, BootloaderMode.SINGLE_SLOT_RAM_LOAD)
    if build.mode is not None and loads != bool(image.flags & _RAM_LOAD):
        says = "is to be copied to RAM" if image.flags & _RAM_LOAD else "runs from flash"
        raise fault(
            "IM312",
            f"the image says that it {says}, the bootloader is built for {build.mode.title}",
            location=path,
            helps=["sign the build again"],
        )


def _require_newer(image: McubootImage, path: Path, build: Build, baseline: ImageVersion) -> None:
    """Compare versions as the bootloader does, with the build number only if it looks at that."""
    new, old = image.version, baseline
    bootloader = build.bootloader
    if bootloader and not bootloader.kconfig.is_on("CONFIG_BOOT_VERSION_CMP_USE_BUILD_NUMBER"):
        new, old = new.without_build, old.without_build
    if new > old:
        return
    raise fault(
        "IM317",
        f"the image's version {image.version} is not higher than the baseline's {baseline}",
        location=path,
        helps=["raise the application's version and build again"],
        data={"version": str(image.version), "baseline": str(baseline)},
    )
