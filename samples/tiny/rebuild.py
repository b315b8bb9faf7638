# SPDX-License-Identifier: Apache-2.0
"""Rebuild the two build directories from their sources: `python samples/tiny/rebuild.py [FOLDER]`.

Needs `arm-none-eabi-gcc`, and imgtool in the Python that runs it; the committed files were made
with the release of the compiler that `COMPILER` names. The same compiler gives the same bytes on
every run and in every folder. Without FOLDER the files beside this script are replaced.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

from parts import configuration
from parts.flash_layout import HEADER_SIZE, FlashLayout

HERE = Path(__file__).resolve().parent
COMPILER = "12.2.1"
RESOURCE_SIZE = 196_000

FLAGS = [
    *("-mcpu=cortex-m4", "-mthumb", "-Os", "-std=c11", "-ffreestanding", "-nostdlib"),
    *("-fno-common", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Werror"),
    "-fno-tree-loop-distribute-patterns",  # makes no calls of memset, which is not there
]
LINK_FLAGS = ["-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4"]


@dataclass(frozen=True)
class Build:
    """One of the build directories: its folder, `prj_<kind>.conf`, and where the slots are."""

    folder: str
    kind: str
    layout: FlashLayout


BUILDS = (
    Build("build-swap", "swap", FlashLayout(0xC000, 0x85000, 0x79000, False)),
    Build("build-direct-xip", "direct_xip", FlashLayout(0x8000, 0x82000, 0x7A000, True)),
)


def resource() -> bytes:
    """Return bytes that look random and never change: SHA-256 of a counter, one after the other."""
    blocks = (
        hashlib.sha256(b"tiny sample %d" % number).digest()
        for number in range(-(-RESOURCE_SIZE // 32))
    )
    return b"".join(blocks)[:RESOURCE_SIZE]


def run(*command: object) -> str:
    """Run a tool in the folder of the sources, apart from the clock and the locale."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "LC_ALL": "C"}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=HERE,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return result.stdout


def compile_sources(work: Path, name: str, sources: list[str], defines: list[str]) -> list[Path]:
    """Compile `sources` (paths from here) once; every image of the build links these objects."""
    objects = []
    for source in sources:
        made = work / f"{name}-{Path(source).stem}.o"
        include = f"-Wa,-I,{work}"
        run("arm-none-eabi-gcc", *FLAGS, *defines, include, "-Isrc", "-c", source, "-o", made)
        objects.append(made)
    return objects


def link(objects: list[Path], start: int, size: int, target: Path) -> None:
    """Link `objects` for `size` bytes of flash from `start`, into `target`.elf and .bin."""
    target.parent.mkdir(parents=True, exist_ok=True)
    elf, binary = target.with_suffix(".elf"), target.with_suffix(".bin")
    place = [f"-Wl,--defsym=rom_start={start:#x}", f"-Wl,--defsym=rom_size={size:#x}"]
    script = ["-T", "src/tiny.ld"]
    run("arm-none-eabi-gcc", *FLAGS, *LINK_FLAGS, *place, *script, *objects, "-lgcc", "-o", elf)
    run("arm-none-eabi-objcopy", "-O", "binary", "--gap-fill=0xff", elf, binary)
    for made in (elf, binary):
        made.chmod(0o644)  # no program of this machine


def write(path: Path, text: str) -> None:
    """Write a text file with Unix line ends on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def devicetree(code_partition: str) -> str:
    """Return `zephyr.dts` of the image that runs from `code_partition`.

    The partitions are the board's own: with Partition Manager they say nothing about the slots.
    """
    template = Template((HERE / "parts/nrf52840dk.dts").read_text(encoding="utf-8"))
    return template.substitute(code_partition=code_partition)


def make_application(work: Path, build: Build, folder: Path) -> None:
    """Make the application and, if the secondary slot is linked for, its variant."""
    fragment = HERE / f"prj_{build.kind}.conf"
    config = configuration.configured(HERE / "parts/application.config", fragment)
    version = configuration.assignments(fragment)["CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION"]
    crc = zlib.crc32((work / "resource.bin").read_bytes())
    sources = [f"src/{name}" for name in ("startup.c", "main.c", "board.c", "update_watch.c")]
    defines = [f"-DVERSION={version}", f"-DRESOURCE_CRC32={crc:#x}u"]
    objects = compile_sources(work, build.kind, [*sources, "src/resource.S"], defines)
    layout, has_variant = build.layout, build.layout.secondary_is_linked_for
    images = [(folder, layout.primary, "app_to_sign.bin")]
    if has_variant:
        name = "mcuboot_secondary_app"
        images.append((folder / name, layout.secondary, f"{name}_to_sign.bin"))
    for image, slot, to_sign in images:
        start, size = slot + HEADER_SIZE, layout.slot_size - HEADER_SIZE
        link(objects, start, size, image / "zephyr/zephyr")
        binary = (image / "zephyr/zephyr.bin").read_bytes()
        (folder / "zephyr" / to_sign).write_bytes(binary)
        write(image / "zephyr/.config", config)
        write(image / "zephyr/zephyr.dts", devicetree("slot0_partition"))
        for header, text in configuration.version_headers().items():
            write(image / "zephyr/include/generated" / header, text)
    cache = configuration.application_cache(build.folder, build.kind, with_variant=has_variant)
    write(folder / "CMakeCache.txt", cache)
    if has_variant:
        cache = configuration.variant_cache(build.folder, build.kind)
        write(folder / "mcuboot_secondary_app/CMakeCache.txt", cache)


def make_bootloader(work: Path, build: Build, folder: Path) -> None:
    """Make what a build directory holds of MCUboot, with the boot program in its place."""
    layout = build.layout
    slots = [f"-DPRIMARY_SLOT={layout.primary:#x}u", f"-DSECONDARY_SLOT={layout.secondary:#x}u"]
    if layout.secondary_is_linked_for:
        slots.append("-DDIRECT_XIP")
    sources = ["src/startup.c", "bootloader/main.c"]
    objects = compile_sources(work, f"{build.kind}-boot", sources, slots)
    image = folder / "mcuboot"
    link(objects, 0, layout.primary, image / "zephyr/zephyr")
    elf, hexadecimal = image / "zephyr/zephyr.elf", image / "zephyr/zephyr.hex"
    run("arm-none-eabi-objcopy", "-O", "ihex", elf, hexadecimal)
    fragment = HERE / f"child_image/mcuboot/prj_{build.kind}.conf"
    config = configuration.configured(HERE / "parts/mcuboot.config", fragment)
    setting = configuration.assignments(fragment)["CONFIG_BOOT_SIGNATURE_KEY_FILE"].strip('"')
    # As MCUboot's build does; the boot program has no use for it.
    public = run(sys.executable, "-m", "imgtool.main", "getpub", "-k", fragment.parent / setting)
    write(image / "zephyr/autogen-pubkey.c", public)
    write(image / "zephyr/.config", config)
    write(image / "zephyr/zephyr.dts", devicetree("boot_partition"))
    write(image / "CMakeCache.txt", configuration.bootloader_cache(build.folder, build.kind))


def rebuild(target: Path) -> None:
    """Make both build directories in `target`."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "resource.bin").write_bytes(resource())
        for build in BUILDS:
            made = target / build.folder
            make_application(work, build, made)
            make_bootloader(work, build, made)
            write(made / "partitions.yml", build.layout.partitions_yml())
            write(made / "pm.config", build.layout.pm_config())
            write(made / "regions.yml", build.layout.regions_yml())


def main() -> None:
    """Rebuild, and say when the compiler is not the one that made the committed files."""
    version = run("arm-none-eabi-gcc", "-dumpversion").strip()
    if version != COMPILER:
        print(f"compiler {version}; the committed files were made with {COMPILER}", file=sys.stderr)
    rebuild(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE)


if __name__ == "__main__":
    main()
