# SPDX-License-Identifier: Apache-2.0
"""What CMake and Kconfig leave in a build directory: `.config` and `CMakeCache.txt`.

The machine that "built" the sample is `/home/user`: nothing of the real one gets into the files.
"""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = "/home/user/tiny"
WORKSPACE = "/home/user/ncs"
BOARD = "nrf52840dk_nrf52840"
NCS_VERSION, ZEPHYR_VERSION = "2.5.0", "3.4.99"
"""The SDK whose names and files the sample uses, and the Zephyr in it."""

_HELP = "No help, variable specified by the build."

_ASSIGNMENT = re.compile(r"(CONFIG_\w+)=(.*)")


def assignments(fragment: Path) -> dict[str, str]:
    """Return the symbols that a `prj.conf` sets, in its order."""
    lines = fragment.read_text(encoding="utf-8").splitlines()
    return {m[1]: m[2] for m in map(_ASSIGNMENT.fullmatch, lines) if m}


def configured(base: Path, fragment: Path) -> str:
    """Return the `.config` that `base` becomes with the settings of `fragment`.

    This is no Kconfig: `base` must hold every symbol that the fragment sets, and what follows
    from a symbol stands in the fragment too.
    """
    text = base.read_text(encoding="utf-8")
    for name, value in assignments(fragment).items():
        line = f"# {name} is not set" if value == "n" else f"{name}={value}"
        found = re.findall(rf"^(?:{name}=.*|# {name} is not set)$", text, re.MULTILINE)
        if len(found) != 1:
            raise SystemExit(f"{base.name} has {len(found)} lines for {name} of {fragment.name}")
        text = text.replace(f"\n{found[0]}\n", f"\n{line}\n")
    return text


def version_headers() -> dict[str, str]:
    """Return the generated headers, by name, that tell which SDK an image was built with."""
    return {
        "version.h": f'#define KERNEL_VERSION_STRING "{ZEPHYR_VERSION}"\n',
        "ncs_version.h": f'#define NCS_VERSION_STRING "{NCS_VERSION}"\n',
    }


def application_cache(build: str, kind: str, *, with_variant: bool) -> str:
    """Return the application's `CMakeCache.txt`; `kind` is the part of `prj_<kind>.conf`."""
    entries = _common(f"{SOURCE}/{build}", SOURCE, "tiny")
    entries |= {
        "BOARD:STRING": BOARD,
        "CACHED_CONF_FILE:STRING": f"prj_{kind}.conf",
        "CONF_FILE_BUILD_TYPE:INTERNAL": kind,
        "mcuboot_CONF_FILE:STRING": f"{SOURCE}/child_image/mcuboot/prj_{kind}.conf",
        "mcuboot_OVERLAY_CONFIG:STRING": _partition_manager_overlay(),
    }
    if with_variant:
        entries["mcuboot_secondary_app_OVERLAY_CONFIG:STRING"] = _partition_manager_overlay()
    return _cache(entries)


def variant_cache(build: str, kind: str) -> str:
    """Return the `CMakeCache.txt` of the application linked for the secondary slot."""
    entries = _common(f"{SOURCE}/{build}/mcuboot_secondary_app", SOURCE, "tiny")
    entries |= _child("mcuboot_secondary_app", build)
    entries |= {
        "CACHED_CONF_FILE:INTERNAL": f"prj_{kind}.conf",
        "CONF_FILE_BUILD_TYPE:INTERNAL": kind,
        # The only trace of the variant outside its ELF: its .config equals the primary's.
        "CONFIG_NCS_IS_VARIANT_IMAGE:UNINITIALIZED": "y",
    }
    return _cache(entries)


def bootloader_cache(build: str, kind: str) -> str:
    """Return the `CMakeCache.txt` of the bootloader."""
    source = f"{WORKSPACE}/bootloader/mcuboot/boot/zephyr"
    entries = _common(f"{SOURCE}/{build}/mcuboot", source, "NONE")
    entries |= _child("mcuboot", build)
    entries |= {
        "CACHED_CONF_FILE:STRING": f"{SOURCE}/child_image/mcuboot/prj_{kind}.conf",
        # MCUboot's project has no version of its own: CMake records Zephyr's.
        "CMAKE_PROJECT_VERSION:STATIC": ZEPHYR_VERSION,
        "OVERLAY_CONFIG:INTERNAL": _partition_manager_overlay(),
    }
    return _cache(entries)


def _partition_manager_overlay() -> str:
    return f";{WORKSPACE}/nrf/subsys/partition_manager/partition_manager_enabled.conf"


def _child(name: str, build: str) -> dict[str, str]:
    return {
        "BOARD:INTERNAL": BOARD,
        "CONFIG_NCS_MCUBOOT_IN_BUILD:UNINITIALIZED": "y",
        "IMAGE_NAME:UNINITIALIZED": name,
        "PRELOAD_BINARY_DIR:UNINITIALIZED": f"{SOURCE}/{build}",
    }


def _common(binary: str, source: str, project: str) -> dict[str, str]:
    return {
        "APPLICATION_BINARY_DIR:PATH": binary,
        "APPLICATION_SOURCE_DIR:PATH": source,
        "BOARD_DIR:PATH": f"{WORKSPACE}/zephyr/boards/arm/{BOARD}",
        "BYPRODUCT_KERNEL_BIN_NAME:FILEPATH": f"{binary}/zephyr/zephyr.bin",
        "BYPRODUCT_KERNEL_ELF_NAME:FILEPATH": f"{binary}/zephyr/zephyr.elf",
        "CACHED_BOARD:STRING": BOARD,
        "CMAKE_PROJECT_NAME:STATIC": project,
        "NRF_DIR:PATH": f"{WORKSPACE}/nrf",
        "ZEPHYR_BASE:PATH": f"{WORKSPACE}/zephyr",
        "Zephyr-Kernel_BINARY_DIR:STATIC": binary,
        "Zephyr-Kernel_SOURCE_DIR:STATIC": source,
        "Zephyr_DIR:PATH": f"{WORKSPACE}/zephyr/share/zephyr-package/cmake",
        f"{project}_BINARY_DIR:STATIC": binary,
        f"{project}_SOURCE_DIR:STATIC": source,
        "APPLICATION_CONFIG_DIR:INTERNAL": source,
        "CMAKE_CACHEFILE_DIR:INTERNAL": binary,
        "CMAKE_GENERATOR:INTERNAL": "Ninja",
        "CMAKE_HOME_DIRECTORY:INTERNAL": source,
        "ZEPHYR_TOOLCHAIN_VARIANT:INTERNAL": "gnuarmemb",
    }


def _cache(entries: dict[str, str]) -> str:
    # As CMake writes it: external entries first, each with its help, then the internal ones.
    external = sorted(key for key in entries if not key.endswith(":INTERNAL"))
    internal = sorted(key for key in entries if key.endswith(":INTERNAL"))
    folder = entries["CMAKE_CACHEFILE_DIR:INTERNAL"]
    lines = [f"# This is the CMakeCache file.\n# For build in directory: {folder}\n"]
    lines += [f"//{_HELP}\n{key}={entries[key]}\n" for key in external]
    lines.append("\n########################\n# INTERNAL cache entries\n########################\n")
    lines += [f"{key}={entries[key]}" for key in internal]
    return "\n".join(lines) + "\n"
