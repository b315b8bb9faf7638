# SPDX-License-Identifier: Apache-2.0
"""A device made from a build directory, or from nothing but the image that it runs."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from .. import image
from ..builddir import Build, Kconfig, Partition
from ..diagnostics import DfuBleError, Help
from ..faults import fault
from ..image import ImageVersion, McubootImage, PublicKey
from ..mcuboot import BootloaderMode
from .build_symbols import flash_times, radio_profile, server_profile
from .from_file import image_from_file
from .profile import DeviceProfile, RadioProfile, ServerProfile, SlotProfile

# nRF52840 DK of upstream Zephyr (boards/nordic/nrf52840dk/*.dts, slot0_partition, slot1_partition).
_DK_SLOTS = (SlotProfile(0, 0, 0xC000, 0x76000), SlotProfile(0, 1, 0x82000, 0x76000))
_SECTOR = 4096
_MAX_SECTORS = 128
_SCRATCH_NAMES = ("mcuboot_scratch", "scratch_partition", "image-scratch", "image_scratch")
_RUNNING = Path("the running image")


def profile_from_build(
    build: Build,
    running: Path | bytes | None = None,
    *,
    version: str | None = None,
    real_flash: bool = False,
) -> DeviceProfile:
    """Describe the device that a build is for, with its own slots, mode, key and server.

    `running` is the image that the device runs now, or the file with it, be it a package or not;
    by default this build's application, signed with the next lower version, or with `version`. With
    `real_flash` erasing and writing take the time that the SoC's data sheet gives, else none.

    Raises `DfuBleError` DV513 if the build has no slots, or a mode that can't be played; IM3xx if
    the image can't be signed or `running` is none that this device could run.
    """
    mode = build.mode
    if mode is None or not build.slots:
        raise fault(
            "DV513",
            "the build does not say " + ("where its slots are" if mode else "how MCUboot boots"),
            why="A virtual device is made of the build's own slots and bootloader mode.",
            location=build.path,
            helps=["build the application together with MCUboot"],
        )
    key = image.build_key(build)
    bootloader = build.bootloader.kconfig if build.bootloader else None
    erase_time, write_time = flash_times(build) if real_flash else (0.0, 0.0)
    profile = DeviceProfile(
        mode,
        _slots(build),
        {},
        key=key,
        erase_block=_erase_block(build),
        write_block=build.write_block.value if build.write_block else 4,
        max_sectors=_max_sectors(build, bootloader),
        scratch=_scratch(build.partitions),
        check_reset_vector=_flag(bootloader, "MCUBOOT_VERIFY_IMG_ADDRESS", default=True),
        prevent_downgrade=_flag(bootloader, "MCUBOOT_DOWNGRADE_PREVENTION")
        or _flag(bootloader, "BOOT_DOWNGRADE_PREVENTION"),
        compare_build_number=_flag(bootloader, "BOOT_VERSION_CMP_USE_BUILD_NUMBER"),
        validate_primary=_flag(bootloader, "BOOT_VALIDATE_SLOT0", default=True),
        erase_time=erase_time,
        write_time=write_time,
        server=server_profile(build),
        radio=radio_profile(build),
    )
    return _with_running(profile, _older(build, version) if running is None else running, key)


def profile_for_image(running: Path | bytes) -> DeviceProfile:
    """Describe an nRF52840 DK that runs `running`, in swap using move, with Zephyr's own slots.

    Its bootloader takes every image that is signed with the key of `running`. Raises `DfuBleError`
    IM305 or IM306 if that is no whole MCUboot image, IM312 if it is not linked for such a device.
    """
    profile = DeviceProfile(
        BootloaderMode.SWAP_USING_MOVE,
        _DK_SLOTS,
        {},
        server=ServerProfile(
            slot_info=True, size_limit=True, erase_empty_fails=False, kernel_version="4.4.0"
        ),
        radio=RadioProfile(),
    )
    return _with_running(profile, running, None)


def _with_running(
    profile: DeviceProfile, running: Path | bytes, key: PublicKey | None
) -> DeviceProfile:
    if isinstance(running, Path):
        path, data = running, image_from_file(running)
    else:
        path, data = _RUNNING, running
    parsed = image.parse(data, path)
    try:
        image.verify(parsed, path, key)
    except DfuBleError as error:
        raise _would_not_run(error) from error
    slot = _slot_of(profile, parsed, path)
    if len(data) > slot.size:
        raise fault(
            "IM304",
            f"the running image has {len(data)} bytes, its slot {slot.size}",
            helps=["give the image that the device runs now, as it was signed"],
        )
    return replace(profile, factory={(0, slot.index): data})


def _would_not_run(error: DfuBleError) -> DfuBleError:
    """Say what a bad image means for a device that is to run it, not for a build."""
    told = replace(
        error.diagnostic,
        why="It is to be what the device runs now, and the device's bootloader would not start it.",
        helps=(Help("give the image that is out there, signed for this device's bootloader"),),
    )
    return DfuBleError(told, error.status)


def _slot_of(profile: DeviceProfile, parsed: McubootImage, path: Path) -> SlotProfile:
    """Return the slot that an image is linked for, told by its header or its reset vector."""
    places = [slot for slot in profile.slots if slot.image == 0]
    if not profile.mode.is_direct_xip:
        places = [slot for slot in places if slot.index == 0]
    if parsed.is_rom_fixed:
        address = parsed.load_address
        found = [slot for slot in places if slot.address == address]
    else:
        address = struct.unpack_from("<I", parsed.payload.ljust(8, b"\0"), 4)[0]
        found = [slot for slot in places if slot.address <= address < slot.address + slot.size]
    if found:
        return found[0]
    where = ", ".join(f"{slot.address:#x} to {slot.address + slot.size - 1:#x}" for slot in places)
    raise fault(
        "IM312",
        f"the running image is linked for {address:#x}, this device runs images at {where}",
        location=path,
        helps=["give an image of this board with --from FILE"],
    )


def _older(build: Build, version: str | None) -> bytes:
    binary = image.binary_for(build, 0)
    current = image.parse_version(build.version or "0.0.0", build)
    older = version or str(_lower(current))
    payload = binary.firmware
    if older == str(current):
        # There is no lower version: at least it is another image, with another hash.
        payload += bytes(16)
    return image.sign_payload(payload, build, 0, older)


def _lower(version: ImageVersion) -> ImageVersion:
    if version.revision:
        return ImageVersion(version.major, version.minor, version.revision - 1)
    if version.minor:
        return ImageVersion(version.major, version.minor - 1, 0)
    if version.major:
        return ImageVersion(version.major - 1, 0, 0)
    return ImageVersion(0, 0, 0, max(0, version.build - 1))


def _slots(build: Build) -> tuple[SlotProfile, ...]:
    """Return the slots of every image that has both."""
    block = _erase_block(build)
    found = []
    for number in sorted({slot.image for slot in build.slots}):
        pair = build.slot(0, number), build.slot(1, number)
        for slot in pair:
            if slot is None:
                if number == 0:
                    missing = "primary" if pair[0] is None else "secondary"
                    raise fault("DV513", f"the build has no {missing} slot", location=build.path)
                continue
            if None in pair:
                continue
            if slot.size.value % block:
                raise fault(
                    "DV513",
                    f"the {slot.title} slot has {slot.size.value} bytes, which is no whole number "
                    f"of {block}-byte sectors",
                    location=slot.size.location,
                    helps=["make the slot's size a multiple of the flash's sectors"],
                )
            found.append(SlotProfile(number, slot.index, slot.address.value, slot.size.value))
    return tuple(found)


def _erase_block(build: Build) -> int:
    regions = {region.name: region.erase_block for region in build.flash}
    sizes = [regions.get(slot.region) or _SECTOR for slot in build.slots]
    return max(sizes, default=_SECTOR)


def _max_sectors(build: Build, bootloader: Kconfig | None) -> int:
    largest = max(slot.size.value for slot in build.slots)
    needed = -(-largest // _erase_block(build))
    told = bootloader.integer("CONFIG_BOOT_MAX_IMG_SECTORS") if bootloader else None
    if bootloader and bootloader.is_on("CONFIG_BOOT_MAX_IMG_SECTORS_AUTO"):
        return needed
    return told or max(_MAX_SECTORS, needed)


def _scratch(partitions: Iterable[Partition]) -> SlotProfile | None:
    found = next((one for one in partitions if one.name in _SCRATCH_NAMES), None)
    return SlotProfile(0, 2, found.address.value, found.size.value) if found else None


def _flag(symbols: Kconfig | None, name: str, *, default: bool = False) -> bool:
    if symbols is None or f"CONFIG_{name}" not in symbols:
        return default
    return symbols.is_on(f"CONFIG_{name}")
