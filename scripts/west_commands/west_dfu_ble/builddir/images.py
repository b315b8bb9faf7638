# SPDX-License-Identifier: Apache-2.0
"""Find the images of a build directory and tell what each is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .cmakecache import CMakeCache, read_cmake_cache
from .domains import Domains
from .kconfig import read_kconfig
from .model import Image, Kconfig, Role
from .places import Places, path_exists
from .textfile import unreadable

# What NCS and Zephyr call the application linked for the secondary slot.
_VARIANT_NAMES = ("mcuboot_secondary_app", "{}_secondary_app", "{}_slot1_variant")
_VARIANT_ENDINGS = ("_secondary_app", "_slot1_variant")
_VARIANT_OPTION = "CONFIG_NCS_IS_VARIANT_IMAGE"


@dataclass(frozen=True)
class Found:
    """One image's own build folder, with what was read there."""

    name: str
    directory: Path
    kconfig: Kconfig
    cache: CMakeCache


def read_image(name: str, directory: Path) -> Found:
    """Read the configuration of the image in `directory`; raises EN003 and EN006."""
    kconfig = read_kconfig(directory / "zephyr" / ".config")
    return Found(name, directory, kconfig, read_cmake_cache(directory / "CMakeCache.txt"))


def sysbuild_images(build: Path, domains: Domains) -> tuple[Found, list[Found]]:
    """Return the application and the other images of a sysbuild build.

    Zephyr up to 3.3 leaves images that are only built (the variant is one) out of `domains.yaml`.
    """
    application: Found | None = None
    others = []
    for domain in domains.domains:
        if domain.name == domains.default:
            application = read_image(domain.name, domain.directory)
        elif _is_image(domain.directory):
            others.append(read_image(domain.name, domain.directory))
    assert application is not None, "read_domains() proved that the default domain is listed"
    listed = {domain.name for domain in domains.domains}
    for pattern in _VARIANT_NAMES:
        name = pattern.format(application.name)
        if name not in listed and _is_image(build / name):
            others.append(read_image(name, build / name))
    return application, others


def child_images(build: Path) -> list[Found]:
    """Return the child images in the sub-folders of an NCS build (up to 2.6)."""
    try:
        folders = sorted(path for path in build.iterdir() if path.is_dir() and _is_image(path))
    except OSError as error:
        raise unreadable(
            "EN006", build, f"the build directory can't be listed: {error.strerror}"
        ) from None
    return [read_image(path.name, path) for path in folders]


def _is_image(directory: Path) -> bool:
    if path_exists(directory / "zephyr" / ".config"):
        return True
    # An image that lost its configuration is worth an error; any other CMake project is not, though
    # it may be given Zephyr's path (TF-M is).
    cache = directory / "CMakeCache.txt"
    return path_exists(cache) and bool(read_cmake_cache(cache).text("IMAGE_NAME", "SYSBUILD"))


def classify(
    application: Found, others: list[Found], sysbuild: Kconfig | None, places: Places, app_dir: str
) -> tuple[Image, ...]:
    """Give each image its role and number, the application first."""
    bootloader = next((o for o in others if o.kconfig.is_on("CONFIG_MCUBOOT")), None)
    images = []
    for found in (application, *others):
        role = Role.APPLICATION
        if found is not application:
            role = _role(found, application, bootloader)
        source = found.cache.text("APPLICATION_SOURCE_DIR")
        if role is Role.APPLICATION and app_dir:
            source = source or app_dir
        images.append(
            Image(
                name=found.name,
                role=role,
                number=_number(role, bootloader, sysbuild),
                directory=found.directory,
                kconfig=found.kconfig,
                elf=_elf(found),
                application_source=places.local(source) if source else None,
            )
        )
    return tuple(images)


def _role(other: Found, application: Found, bootloader: Found | None) -> Role:
    if other is bootloader:
        return Role.BOOTLOADER
    if other.kconfig.is_on("CONFIG_MCUBOOT") or _is_secure_bootloader(other.kconfig):
        return Role.OTHER  # MCUboot for NSIB's other slot (s1_image), NSIB itself (b0, b0n)
    if is_network_core(other.kconfig) and not is_network_core(application.kconfig):
        is_variant = other.name.endswith(_VARIANT_ENDINGS) or other.kconfig.is_on(_VARIANT_OPTION)
        return Role.OTHER if is_variant else Role.NETWORK_CORE
    names = [pattern.format(application.name) for pattern in _VARIANT_NAMES]
    # In a child-image build the variant's .config is the application's to the byte: only the
    # cache (and the ELF) tells.
    if (
        other.name in names
        or other.cache.is_on(_VARIANT_OPTION)
        or other.kconfig.is_on(_VARIANT_OPTION)
    ):
        return Role.VARIANT
    return Role.OTHER


def _is_secure_bootloader(kconfig: Kconfig) -> bool:
    return kconfig.is_on("CONFIG_IS_SECURE_BOOTLOADER")


def is_network_core(kconfig: Kconfig) -> bool:
    """Whether the image is for the radio's own core (nRF5340 `cpunet`, nRF54H20 `cpurad`)."""
    target = kconfig.text("CONFIG_BOARD_TARGET") or "/".join(
        kconfig.text(name) for name in ("CONFIG_BOARD", "CONFIG_BOARD_QUALIFIERS")
    ).rstrip("/")
    # Boards of one's own are called anything; up to Zephyr 3.6 the SoC's name has the core in it.
    if "CPUNET" in kconfig.text("CONFIG_SOC"):
        return True
    return target.endswith(("cpunet", "cpurad")) or any(
        kconfig.is_on(name) for name in ("CONFIG_SOC_NRF5340_CPUNET", "CONFIG_SOC_NRF54H20_CPURAD")
    )


def _number(role: Role, bootloader: Found | None, sysbuild: Kconfig | None) -> int | None:
    if role in (Role.APPLICATION, Role.VARIANT):
        told = sysbuild.integer("SB_CONFIG_MCUBOOT_APPLICATION_IMAGE_NUMBER") if sysbuild else None
        return told if told is not None and told >= 0 else 0
    if role is Role.NETWORK_CORE:
        told = sysbuild.integer("SB_CONFIG_MCUBOOT_NETWORK_CORE_IMAGE_NUMBER") if sysbuild else None
        if told is not None:
            return told if told >= 0 else None
        updateable = (
            bootloader.kconfig.integer("CONFIG_UPDATEABLE_IMAGE_NUMBER") if bootloader else None
        )
        return 1 if updateable and updateable > 1 else None
    return None


def kernel_name(kconfig: Kconfig) -> str:
    """Return the base name of the image's binaries (`CONFIG_KERNEL_BIN_NAME`)."""
    name = kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr")
    # It becomes part of a path: a name only.
    return name if name and not set(name) & set("/\\:\0") and name not in (".", "..") else "zephyr"


def _elf(found: Found) -> Path | None:
    path = found.directory / "zephyr" / f"{kernel_name(found.kconfig)}.elf"
    return path if path_exists(path) else None
