# SPDX-License-Identifier: Apache-2.0
"""Read a build directory once and put its facts together."""

from __future__ import annotations

from pathlib import Path, PurePath

from ..faults import fault
from .artifacts import find_artifacts
from .cmakecache import CMakeCache, read_cmake_cache
from .devicetree import DeviceTree, read_devicetree
from .domains import read_domains
from .images import Found, child_images, classify, read_image, sysbuild_images
from .kconfig import read_kconfig
from .layout import (
    refuse_part_of_build,
    require_application,
    require_build_directory,
    single_layout,
    sysbuild_layout,
)
from .mode import mode_believed, mode_built
from .model import Build, Image, Kconfig, Layout, ModeFact, Role
from .partitions import read_other_domains, read_partitions
from .places import Places, is_absolute, path_exists, recorded_path
from .signing import KeyPlaces, application_key, bootloader_key, signature_type
from .slots import flash_facts
from .version import ncs_version, sign_version, zephyr_version
from .westconfig import west_topdir


def load(path: Path) -> Build:
    """Read the build directory `path`.

    Raises `DfuBleError`, exit status 4: EN001 nothing there, EN002 no build directory, EN003 to
    EN006 a file of it can't be read, EN007 it boots with something else than MCUboot.
    """
    require_build_directory(path)
    top_cache = read_cmake_cache(path / "CMakeCache.txt")
    places = Places(path, _recorded_directory(top_cache))
    domains = read_domains(path)
    if domains is not None:
        sysbuild = _read_sysbuild(path)
        application, others = sysbuild_images(path, domains)
        layout = sysbuild_layout(path, sysbuild, application.cache)
    else:
        refuse_part_of_build(path, top_cache)
        sysbuild = None
        application = read_image(_application_name(top_cache), path)
        require_application(path, application.kconfig)
        layout = single_layout(path, application.kconfig)
        others = child_images(path) if layout is Layout.NCS_CHILD_IMAGE else []
    return _assemble(path, layout, top_cache, places, sysbuild, application, others)


def _assemble(
    path: Path,
    layout: Layout,
    top_cache: CMakeCache,
    places: Places,
    sysbuild: Kconfig | None,
    application: Found,
    others: list[Found],
) -> Build:
    _refuse_other_bootloaders(application.kconfig, sysbuild)
    images = classify(application, others, sysbuild, places, top_cache.text("APP_DIR"))
    bootloader = _found(Role.BOOTLOADER, images, others)
    bootloader_cache = bootloader.cache if bootloader else CMakeCache(path, {})
    built = mode_built(bootloader.kconfig if bootloader else None)
    believed = mode_believed(application.kconfig, sysbuild)
    mode = built or believed
    if not _builds_variant(mode, application.kconfig, sysbuild):
        images = tuple(image for image in images if image.role is not Role.VARIANT)
    flash = flash_facts(
        application.kconfig,
        read_partitions(path),
        _devicetree(application),
        mode.mode if mode else None,
    )
    where = KeyPlaces(places, top_cache, application.cache, bootloader_cache, west_topdir(path))
    boot_key = bootloader_key(bootloader.kconfig if bootloader else None, where)
    own_key = application_key(application.kconfig, sysbuild, where)
    # NCS up to 2.6 signs with MCUboot's key and ignores the application's setting.
    key = (boot_key or own_key) if layout is Layout.NCS_CHILD_IMAGE else (own_key or boot_key)
    version, version_location = sign_version(application.kconfig)
    return Build(
        path=path,
        layout=layout,
        board=_board(application, top_cache),
        zephyr_version=zephyr_version(application.directory, application.cache, bootloader_cache),
        ncs_version=ncs_version(application.directory, application.cache, places),
        images=images,
        slots=flash.slots if application.kconfig.is_on("CONFIG_BOOTLOADER_MCUBOOT") else (),
        partitions=flash.partitions,
        flash=flash.regions,
        header_size=flash.header_size,
        write_block=flash.write_block,
        mode_built=built,
        mode_believed=believed,
        signature_type=signature_type(
            bootloader.kconfig if bootloader else None, sysbuild, application.kconfig
        ),
        key=key,
        version=version,
        version_location=version_location,
        sysbuild=sysbuild,
        artifacts=find_artifacts(path, layout, images),
        bootloader_key=boot_key,
        devicetree_slots=flash.devicetree_slots,
        domain_partitions={
            domain: tuple(table.partitions.values())
            for domain, table in read_other_domains(path, [o.directory for o in others]).items()
        },
    )


def _recorded_directory(cache: CMakeCache) -> PurePath | None:
    text = cache.text("CMAKE_CACHEFILE_DIR", "APPLICATION_BINARY_DIR")
    return recorded_path(text) if text and is_absolute(text) else None


def _read_sysbuild(path: Path) -> Kconfig | None:
    config = path / "zephyr" / ".config"
    return read_kconfig(config) if path_exists(config) else None


def _application_name(cache: CMakeCache) -> str:
    source = cache.text("APPLICATION_SOURCE_DIR")
    return (recorded_path(source).name if source else "") or "app"


def _refuse_other_bootloaders(application: Kconfig, sysbuild: Kconfig | None) -> None:
    if application.is_on("CONFIG_BOOTLOADER_MCUBOOT"):
        return
    for kconfig, name, title in (
        (application, "CONFIG_SUIT", "SUIT"),
        (sysbuild, "SB_CONFIG_SUIT_ENVELOPE", "SUIT"),
        (application, "CONFIG_SECURE_BOOT", "the nRF Secure Immutable Bootloader alone"),
        (sysbuild, "SB_CONFIG_SECURE_BOOT_APPCORE", "the nRF Secure Immutable Bootloader alone"),
        (application, "CONFIG_BOOTLOADER_BOSSA", "BOSSA"),
        (application, "CONFIG_BOOTLOADER_ESP_IDF", "the ESP-IDF bootloader"),
    ):
        if kconfig is not None and kconfig.is_on(name):
            raise fault(
                "EN007",
                f"the build boots with {title} (`{name}=y`)",
                location=kconfig.where(name),
                helps=["build the application with MCUboot (`CONFIG_BOOTLOADER_MCUBOOT=y`)"],
            )


def _found(role: Role, images: tuple[Image, ...], others: list[Found]) -> Found | None:
    image = next((i for i in images if i.role is role), None)
    return next((o for o in others if image and o.directory == image.directory), None)


def _builds_variant(mode: ModeFact | None, application: Kconfig, sysbuild: Kconfig | None) -> bool:
    # The folder of a variant stays behind when the same build directory is configured anew.
    if mode is None or not mode.mode.is_direct_xip:
        return False
    options = (
        (application, "CONFIG_BOOT_BUILD_DIRECT_XIP_VARIANT"),
        (sysbuild, "SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT"),
        (sysbuild, "SB_CONFIG_MCUBOOT_DIRECT_XIP_GENERATE_VARIANT"),
    )
    told = [kconfig.is_on(name) for kconfig, name in options if kconfig and name in kconfig]
    return any(told) if told else True


def _devicetree(application: Found) -> DeviceTree | None:
    path = application.directory / "zephyr" / "zephyr.dts"
    return read_devicetree(path) if path_exists(path) else None


def _board(application: Found, top_cache: CMakeCache) -> str:
    return (
        application.cache.text("CACHED_BOARD", "BOARD")
        or top_cache.text("CACHED_BOARD", "BOARD")
        or application.kconfig.text("CONFIG_BOARD_TARGET")
        or application.kconfig.text("CONFIG_BOARD")
    )
