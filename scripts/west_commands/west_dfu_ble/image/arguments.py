# SPDX-License-Identifier: Apache-2.0
"""The arguments that the build itself would give to imgtool, by layout and version.

Each function is one generation of build scripts and keeps the order of its options:
`modules/mcuboot/CMakeLists.txt` (NCS up to 2.6), `cmake/sysbuild/image_signing.cmake` (NCS from
2.7), `scripts/west_commands/sign.py` (Zephyr up to 3.5) and `cmake/mcuboot.cmake` (Zephyr later).
"""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Layout
from ..mcuboot import BootloaderMode
from .argument_parts import (
    Signer,
    alignment,
    dependencies,
    extra_arguments,
    hash_options,
    header_size,
    key_option,
    ncs_release,
    network_core_size,
    ram_address,
    require_slot,
    security_counter,
    uses_partition_manager,
    uuid_options,
    zephyr_release,
)
from .encryption import encryption_arguments
from .version import parse_version

_DIRECT_XIP = (
    "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP",
    "CONFIG_MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT",
)


def sign_arguments(
    build: Build,
    slot: int,
    *,
    source: Path,
    target: Path,
    image: int = 0,
    key: Signer = None,
    version: str | None = None,
    encrypt: Path | None = None,
) -> list[str]:
    """Return the arguments of ``imgtool`` that sign `source` for a slot (0 primary, 1 secondary).

    `key` and `version` default to the build's own; without any key the image is not signed. A
    tuple is options that take the key's place, for example those of a detached signature.
    `image` is MCUboot's image number. `encrypt` is a key to encrypt with, also where the build
    itself does not; the build's own images only, not the network core's.

    Raises `DfuBleError` IM314 if the version is none that MCUboot knows, IM315 if the build asks
    for something that can't work.
    """
    text = version if version is not None else build.version or "0.0.0+0"
    parse_version(text, build, is_own=version is None)
    if key is None and build.key is not None:
        key = build.key.path
    if build.layout is Layout.NCS_CHILD_IMAGE:
        options = _ncs_child_image(build, slot, image, key, text, encrypt)
    elif build.layout is Layout.NCS_SYSBUILD:
        options = _ncs_sysbuild(build, slot, image, key, text, encrypt)
    elif zephyr_release(build) < (3, 6):
        options = _west_sign(build, image, key, text, encrypt)
    else:
        options = _zephyr(build, image, key, text, encrypt)
    return ["sign", *options, str(source), str(target)]


def _ncs_child_image(
    build: Build, slot: int, image: int, key: Signer, version: str, encrypt: Path | None
) -> list[str]:
    options = key_option("--key", build, key)
    options += ["--header-size", f"0x{header_size(build):x}", "--align", str(alignment(build))]
    options += ["--version", version, "--pad-header"]
    # The choice of modes in the application came with NCS 2.4, and `--rom-fixed` with it.
    if build.variant and any(build.application.kconfig.is_on(name) for name in _DIRECT_XIP):
        options += ["--rom-fixed", f"0x{require_slot(build, slot, image).address.value:x}"]
    # The network core's primary slot is in RAM; the secondary one counts.
    size = require_slot(build, 1 if image else 0, image).size
    options += ["--slot-size", f"0x{size.value:x}"]
    options += dependencies(build, image, version)
    options += security_counter(build) + extra_arguments(build, slot)
    return options + ([] if image else encryption_arguments(build, encrypt))


def _ncs_sysbuild(
    build: Build, slot: int, image: int, key: Signer, version: str, encrypt: Path | None
) -> list[str]:
    if image:
        return _ncs_sysbuild_network_core(build, image, key, version)
    kconfig = build.application.kconfig
    primary = require_slot(build, 0, image)
    align = 4 if ncs_release(build) == (2, 7) else alignment(build)
    options = ["--version", version, "--align", str(align)]
    if uses_partition_manager(primary):
        options += ["--slot-size", f"0x{primary.size.value:x}", "--pad-header"]
        options += ["--header-size", f"0x{header_size(build):x}"]
    else:
        options += ["--slot-size", str(primary.size.value)]
        options += ["--header-size", f"0x{header_size(build):x}"]
    if any(kconfig.is_on(name) for name in _DIRECT_XIP):
        options += ["--rom-fixed", f"0x{require_slot(build, slot, image).address.value:x}"]
    options += key_option("-k", build, key) + security_counter(build) + hash_options(build)
    options += (
        extra_arguments(build, slot) + uuid_options(kconfig) + encryption_arguments(build, encrypt)
    )
    if kconfig.is_on("CONFIG_MCUBOOT_COMPRESSED_IMAGE_SUPPORT_ENABLED"):
        options += ["--compression", "lzma2armthumb"]
    return options


def _ncs_sysbuild_network_core(build: Build, image: int, key: Signer, version: str) -> list[str]:
    """As `cmake/sysbuild/b0_mcuboot_signing.cmake` does; `version` is the application's."""
    sysbuild = build.sysbuild
    own = sysbuild.text("SB_CONFIG_SECURE_BOOT_MCUBOOT_VERSION") if sysbuild else ""
    options = ["--version", own or version, "--align", "4"]
    options += ["--slot-size", f"0x{network_core_size(build, image):x}", "--pad-header"]
    options += ["--header-size", f"0x{header_size(build):x}"]
    return options + key_option("-k", build, key) + security_counter(build) + hash_options(build)


def _west_sign(
    build: Build, image: int, key: Signer, version: str, encrypt: Path | None
) -> list[str]:
    overwrite = build.application.kconfig.is_on("CONFIG_MCUBOOT_IMGTOOL_OVERWRITE_ONLY")
    options = ["--version", version]
    # `west sign` gave both alignments; the last one, 1, is what imgtool took.
    options += [] if overwrite else ["--align", str(alignment(build))]
    options += ["--header-size", str(header_size(build))]
    options += ["--slot-size", str(require_slot(build, 0, image).size.value)]
    options += ["--overwrite-only", "--align", "1"] if overwrite else []
    options += key_option("--key", build, key) + extra_arguments(build, 0)
    return options + encryption_arguments(build, encrypt)


def _zephyr(build: Build, image: int, key: Signer, version: str, encrypt: Path | None) -> list[str]:
    kconfig = build.application.kconfig
    slot = build.slot(1, image) if build.mode and build.mode.has_two_slots else None
    slot = slot or require_slot(build, 0, image)
    options = ["--version", version, "--header-size", f"0x{header_size(build):x}"]
    options += ["--slot-size", str(slot.size.value)]
    if kconfig.is_on("CONFIG_MCUBOOT_IMGTOOL_OVERWRITE_ONLY"):
        options += ["--overwrite-only", "--align", "1"]
    elif build.mode in (BootloaderMode.RAM_LOAD, BootloaderMode.SINGLE_SLOT_RAM_LOAD):
        options += ["--align", "1", "--load-addr", ram_address(build)]
    else:
        options += ["--align", str(alignment(build))]
    options += (
        key_option("--key", build, key)
        + hash_options(build)
        + extra_arguments(build, 0)
        + uuid_options(kconfig)
    )
    return options + encryption_arguments(build, encrypt)
