# SPDX-License-Identifier: Apache-2.0
"""The pieces that imgtool's arguments are made of, each from the build's own settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ..builddir import Build, Image, Kconfig, Layout, Role, SignatureType, Slot
from ..faults import fault

Signer = Path | tuple[str, ...] | None
"""A private key's file, options that take its place, or nothing."""


def network_core_size(build: Build, image: int) -> int:
    """Return the size of the network core's own partition, or else of its secondary slot."""
    core = next((i for i in build.images if i.role is Role.NETWORK_CORE), None)
    for partition in build.domain_partitions.get("CPUNET", ()):
        if core is not None and partition.name == core.name:
            return partition.size.value
    return require_slot(build, 1, image).size.value


def key_option(option: str, build: Build, key: Signer) -> list[str]:
    """Return the option that names the key, or what takes its place."""
    if isinstance(key, tuple):
        return list(key)
    return [option, str(key)] if key and build.signature_type is not SignatureType.NONE else []


def header_size(build: Build) -> int:
    """`PM_MCUBOOT_PAD_SIZE` with Partition Manager, else `CONFIG_ROM_START_OFFSET`; in bytes."""
    if build.header_size is None:
        raise fault(
            "IM315",
            "the build does not say how large the image's header is",
            location=build.application.kconfig.where("CONFIG_ROM_START_OFFSET"),
            helps=["build the application with `CONFIG_BOOTLOADER_MCUBOOT=y`"],
        )
    return build.header_size.value


def alignment(build: Build) -> int:
    """Return the flash's write block, or the build scripts' own fallback; in bytes."""
    return build.write_block.value if build.write_block else 4


def require_slot(build: Build, index: int, image: int) -> Slot:
    """Return a slot. Raises `DfuBleError` IM315 if the build has none."""
    slot = build.slot(index, image)
    if slot is None:
        raise fault(
            "IM315",
            f"the build has no {'secondary' if index else 'primary'} slot for image {image}",
            location=build.path,
            helps=["define the slots in the devicetree or in the partitions, and build again"],
        )
    return slot


def uses_partition_manager(slot: Slot) -> bool:
    """Whether the slot is Partition Manager's, not the devicetree's."""
    return slot.name.startswith("mcuboot_")


def security_counter(build: Build) -> list[str]:
    """Return the option for hardware downgrade prevention, if that is on."""
    kconfig = build.application.kconfig
    if not kconfig.is_on("CONFIG_MCUBOOT_HARDWARE_DOWNGRADE_PREVENTION"):
        return []
    value = kconfig.text("CONFIG_MCUBOOT_HW_DOWNGRADE_PREVENTION_COUNTER_VALUE")
    return ["--security-counter", value] if value else []


def dependencies(build: Build, image: int, version: str) -> list[str]:
    """Return the option that ties both cores' images together, if that is on."""
    if not build.application.kconfig.is_on("CONFIG_NRF53_ENFORCE_IMAGE_VERSION_EQUALITY"):
        return []
    other = 0 if image else 1
    return ["--dependencies", f"({other},{version})"]


def hash_options(build: Build) -> list[str]:
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


def extra_arguments(build: Build, slot: int) -> list[str]:
    """Return `CONFIG_MCUBOOT_EXTRA_IMGTOOL_ARGS`, split as a shell does. Raises IM315."""
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


def uuid_options(kconfig: Kconfig) -> list[str]:
    """Return the options for vendor and class identifiers, where they are on."""
    options = []
    for name, option in (("VID", "--vid"), ("CID", "--cid")):
        value = kconfig.text(f"CONFIG_MCUBOOT_IMGTOOL_UUID_{name}_NAME")
        if kconfig.is_on(f"CONFIG_MCUBOOT_IMGTOOL_UUID_{name}") and value:
            options += [option, value]
    return options


def ram_address(build: Build) -> str:
    """Return where in RAM the image runs (RAM load). Raises IM315 if the build is silent."""
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


def zephyr_release(build: Build) -> tuple[int, int]:
    """Return Zephyr's release; (99, 0) if the build does not tell.

    Such a build was made by something newer than what is known to differ.
    """
    return _release(build.zephyr_version)


def _release(version: str | None) -> tuple[int, int]:
    match = re.match(r"v?(\d+)\.(\d+)", version or "")
    return (int(match[1]), int(match[2])) if match else (99, 0)
