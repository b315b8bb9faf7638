# SPDX-License-Identifier: Apache-2.0
"""The arguments that the build itself would give to imgtool, by layout and version.

Each function is one generation of build scripts and keeps the order of its options:
`modules/mcuboot/CMakeLists.txt` (NCS up to 2.6), `cmake/sysbuild/image_signing.cmake` (NCS from
2.7), `scripts/west_commands/sign.py` (Zephyr up to 3.5) and `cmake/mcuboot.cmake` (Zephyr later).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ..builddir import Build, Image, Kconfig, Layout, Role, SignatureType, Slot
from ..faults import fault
from ..mcuboot import BootloaderMode
from .model import ImageVersion

_DIRECT_XIP = (
    "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP",
    "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT",
)
_NUMBER = r"(0|[1-9]\d*)"
_VERSION = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}(?:\+{_NUMBER})?)?)?")


def sign_arguments(
    build: Build,
    slot: int,
    *,
    source: Path,
    target: Path,
    image: int = 0,
    key: Path | None = None,
    version: str | None = None,
) -> list[str]:
    """Return the arguments of ``imgtool`` that sign `source` for a slot (0 primary, 1 secondary).

    `key` and `version` default to the build's own; without any key the image is not signed.
    `image` is MCUboot's image number.

    Raises `DfuBleError` IM314 if the version is none that MCUboot knows, IM315 if the build asks
    for something that can't work.
    """
    text = version if version is not None else build.version or "0.0.0+0"
    parse_version(text, build, is_own=version is None)
    if key is None and build.key is not None:
        key = build.key.path
    if build.layout is Layout.NCS_CHILD_IMAGE:
        options = _ncs_child_image(build, slot, image, key, text)
    elif build.layout is Layout.NCS_SYSBUILD:
        options = _ncs_sysbuild(build, slot, image, key, text)
    elif _zephyr_release(build) < (3, 6):
        options = _west_sign(build, image, key, text)
    else:
        options = _zephyr(build, image, key, text)
    return ["sign", *options, str(source), str(target)]


def parse_version(text: str, build: Build | None = None, *, is_own: bool = False) -> ImageVersion:
    """Read a version as imgtool does; `is_own` says that the build's configuration has it.

    Raises `DfuBleError` IM314 if it is none, or if a part does not fit its field in the header.
    """
    match = _VERSION.fullmatch(text)
    numbers = [int(part or 0) for part in match.groups()] if match else []
    limits = (0xFF, 0xFF, 0xFFFF, 0xFFFFFFFF)
    if not match or any(n > limit for n, limit in zip(numbers, limits, strict=True)):
        cure = "write it as major.minor.revision+build, at most 255.255.65535+4294967295"
        raise fault(
            "IM314",
            f"the version is `{text}`",
            location=build.version_location if build and is_own else None,
            helps=[cure],
        )
    return ImageVersion(*numbers)


def _ncs_child_image(
    build: Build, slot: int, image: int, key: Path | None, version: str
) -> list[str]:
    options = _key("--key", build, key)
    options += ["--header-size", f"0x{_header_size(build):x}", "--align", str(_align(build))]
    options += ["--version", version, "--pad-header"]
    # The choice of modes in the application came with NCS 2.4, and `--rom-fixed` with it.
    if build.variant and any(build.application.kconfig.is_on(name) for name in _DIRECT_XIP):
        options += ["--rom-fixed", f"0x{_slot(build, slot, image).address.value:x}"]
    # The network core's primary slot is in RAM; the secondary one counts.
    size = _slot(build, 1 if image else 0, image).size
    options += ["--slot-size", f"0x{size.value:x}"]
    options += _dependencies(build, image, version)
    return options + _security_counter(build) + _extra(build, slot)


def _ncs_sysbuild(build: Build, slot: int, image: int, key: Path | None, version: str) -> list[str]:
    if image:
        return _ncs_sysbuild_network_core(build, image, key, version)
    kconfig = build.application.kconfig
    primary = _slot(build, 0, image)
    align = 4 if ncs_release(build) == (2, 7) else _align(build)
    options = ["--version", version, "--align", str(align)]
    if _uses_partition_manager(primary):
        options += ["--slot-size", f"0x{primary.size.value:x}", "--pad-header"]
        options += ["--header-size", f"0x{_header_size(build):x}"]
    else:
        options += ["--slot-size", str(primary.size.value)]
        options += ["--header-size", f"0x{_header_size(build):x}"]
    if any(kconfig.is_on(name) for name in _DIRECT_XIP):
        options += ["--rom-fixed", f"0x{_slot(build, slot, image).address.value:x}"]
    options += _key("-k", build, key) + _security_counter(build) + _hash(build)
    options += _extra(build, slot) + _uuids(kconfig)
    if kconfig.is_on("CONFIG_MCUBOOT_COMPRESSED_IMAGE_SUPPORT_ENABLED"):
        options += ["--compression", "lzma2armthumb"]
    return options


def _ncs_sysbuild_network_core(
    build: Build, image: int, key: Path | None, version: str
) -> list[str]:
    """As `cmake/sysbuild/b0_mcuboot_signing.cmake` does; `version` is the application's."""
    sysbuild = build.sysbuild
    own = sysbuild.text("SB_CONFIG_SECURE_BOOT_MCUBOOT_VERSION") if sysbuild else ""
    options = ["--version", own or version, "--align", "4"]
    options += ["--slot-size", f"0x{_network_core_size(build, image):x}", "--pad-header"]
    options += ["--header-size", f"0x{_header_size(build):x}"]
    return options + _key("-k", build, key) + _security_counter(build) + _hash(build)


def _network_core_size(build: Build, image: int) -> int:
    """Return the size of the network core's own partition, or else of its secondary slot."""
    core = next((i for i in build.images if i.role is Role.NETWORK_CORE), None)
    for partition in build.domain_partitions.get("CPUNET", ()):
        if core is not None and partition.name == core.name:
            return partition.size.value
    return _slot(build, 1, image).size.value


def _west_sign(build: Build, image: int, key: Path | None, version: str) -> list[str]:
    overwrite = build.application.kconfig.is_on("CONFIG_MCUBOOT_IMGTOOL_OVERWRITE_ONLY")
    options = ["--version", version]
    # `west sign` gave both alignments; the last one, 1, is what imgtool took.
    options += [] if overwrite else ["--align", str(_align(build))]
    options += ["--header-size", str(_header_size(build))]
    options += ["--slot-size", str(_slot(build, 0, image).size.value)]
    options += ["--overwrite-only", "--align", "1"] if overwrite else []
    return options + _key("--key", build, key) + _extra(build, 0)


def _zephyr(build: Build, image: int, key: Path | None, version: str) -> list[str]:
    kconfig = build.application.kconfig
    slot = build.slot(1, image) if build.mode and build.mode.has_two_slots else None
    slot = slot or _slot(build, 0, image)
    options = ["--version", version, "--header-size", f"0x{_header_size(build):x}"]
    options += ["--slot-size", str(slot.size.value)]
    if kconfig.is_on("CONFIG_MCUBOOT_IMGTOOL_OVERWRITE_ONLY"):
        options += ["--overwrite-only", "--align", "1"]
    elif build.mode in (BootloaderMode.RAM_LOAD, BootloaderMode.SINGLE_SLOT_RAM_LOAD):
        options += ["--align", "1", "--load-addr", _ram_address(build)]
    else:
        options += ["--align", str(_align(build))]
    return options + _key("--key", build, key) + _hash(build) + _extra(build, 0) + _uuids(kconfig)


def _key(option: str, build: Build, key: Path | None) -> list[str]:
    return [option, str(key)] if key and build.signature_type is not SignatureType.NONE else []


def _header_size(build: Build) -> int:
    """`PM_MCUBOOT_PAD_SIZE` with Partition Manager, else `CONFIG_ROM_START_OFFSET`; in bytes."""
    if build.header_size is None:
        raise fault(
            "IM315",
            "the build does not say how large the image's header is",
            location=build.application.kconfig.where("CONFIG_ROM_START_OFFSET"),
            helps=["build the application with `CONFIG_BOOTLOADER_MCUBOOT=y`"],
        )
    return build.header_size.value


def _align(build: Build) -> int:
    # The build scripts' own fallback where the devicetree does not tell.
    return build.write_block.value if build.write_block else 4


def _slot(build: Build, index: int, image: int) -> Slot:
    slot = build.slot(index, image)
    if slot is None:
        raise fault(
            "IM315",
            f"the build has no {'secondary' if index else 'primary'} slot for image {image}",
            location=build.path,
            helps=["define the slots in the devicetree or in the partitions, and build again"],
        )
    return slot


def _uses_partition_manager(slot: Slot) -> bool:
    return slot.name.startswith("mcuboot_")


def _security_counter(build: Build) -> list[str]:
    kconfig = build.application.kconfig
    if not kconfig.is_on("CONFIG_MCUBOOT_HARDWARE_DOWNGRADE_PREVENTION"):
        return []
    value = kconfig.text("CONFIG_MCUBOOT_HW_DOWNGRADE_PREVENTION_COUNTER_VALUE")
    return ["--security-counter", value] if value else []


def _dependencies(build: Build, image: int, version: str) -> list[str]:
    if not build.application.kconfig.is_on("CONFIG_NRF53_ENFORCE_IMAGE_VERSION_EQUALITY"):
        return []
    other = 0 if image else 1
    return ["--dependencies", f"({other},{version})"]


def _hash(build: Build) -> list[str]:
    """Return what ED25519 images are hashed with: the image itself, SHA-512, or the default."""
    if build.signature_type is not SignatureType.ED25519:
        return []
    application = build.application.kconfig
    if _any_on(
        build,
        "CONFIG_MCUBOOT_BOOTLOADER_SIGNATURE_TYPE_PURE",
        "CONFIG_BOOT_SIGNATURE_TYPE_PURE",
        "SB_CONFIG_BOOT_SIGNATURE_TYPE_PURE",
    ):
        return ["--pure"]
    is_nrf54l = build.layout is Layout.NCS_SYSBUILD and any(
        application.is_on(f"CONFIG_SOC_SERIES_NRF54L{suffix}") for suffix in ("X", "")
    )
    if is_nrf54l or _any_on(
        build,
        "CONFIG_MCUBOOT_BOOTLOADER_USES_SHA512",
        "CONFIG_BOOT_IMG_HASH_ALG_SHA512",
        "SB_CONFIG_BOOT_IMG_HASH_ALG_SHA512",
    ):
        return ["--sha", "512"]
    return []


def _any_on(build: Build, *names: str) -> bool:
    configurations = [build.application.kconfig, build.sysbuild]
    configurations += [build.bootloader.kconfig] if build.bootloader else []
    return any(kconfig.is_on(name) for kconfig in configurations if kconfig for name in names)


def _extra(build: Build, slot: int) -> list[str]:
    image: Image = build.application
    if slot and build.layout is not Layout.NCS_CHILD_IMAGE and build.variant:
        image = build.variant
    name = "CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS"
    text = image.kconfig.text(name)
    try:
        return shlex.split(text)
    except ValueError:
        raise fault(
            "IM315",
            f"`{name}` is not a list of arguments: {text}",
            location=image.kconfig.where(name),
            helps=["close the quotation mark"],
        ) from None


def _uuids(kconfig: Kconfig) -> list[str]:
    options = []
    for name, option in (("VID", "--vid"), ("CID", "--cid")):
        value = kconfig.text(f"CONFIG_MCUBOOT_IMGTOOL_UUID_{name}_NAME")
        if kconfig.is_on(f"CONFIG_MCUBOOT_IMGTOOL_UUID_{name}") and value:
            options += [option, value]
    return options


def _ram_address(build: Build) -> str:
    value = build.application.kconfig.text("CONFIG_SRAM_BASE_ADDRESS")
    if not value:
        raise fault(
            "IM315",
            "the build does not say where in RAM the image runs",
            location=build.application.kconfig.where("CONFIG_SRAM_BASE_ADDRESS"),
        )
    return value


def ncs_release(build: Build) -> tuple[int, int]:
    """Return the nRF Connect SDK's release; (99, 0) if the build does not tell."""
    return _release(build.ncs_version)


def _zephyr_release(build: Build) -> tuple[int, int]:
    # A build that does not tell was made by something newer than what is known to differ.
    return _release(build.zephyr_version)


def _release(version: str | None) -> tuple[int, int]:
    match = re.match(r"v?(\d+)\.(\d+)", version or "")
    return (int(match[1]), int(match[2])) if match else (99, 0)
