# SPDX-License-Identifier: Apache-2.0
"""Make a build directory of real size: `python benchmarks/real_size_build.py FOLDER [--builds N]`.

A direct-xip build like `samples/tiny/build-direct-xip`, with the bulk of a real application: an ELF
file of 8 MB with 11,000 symbols and its variant for the other slot, a `.config` of 4,000 lines, a
devicetree of 900 lines, and a bootloader beside them. The same on every run; it needs no compiler.
The contents are made up: it can be read, checked and signed, and not run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import struct
import sys
from pathlib import Path

from elf_writer import Kind, Section, Symbol, write_elf

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "tiny"
BUILD = "build-direct-xip"

HEADER_SIZE, RAM = 0x200, 0x20000000
ELF_SIZE = 8_000_000
SYMBOLS = 11_000
CONFIG_LINES, BOOTLOADER_CONFIG_LINES = 4_000, 1_700
DEVICETREE_LINES = 900
CACHE_ENTRIES = 200
CODE_SIZE, DATA_SIZE, BSS_SIZE = 360_000, 5_000, 50_000
VECTORS = 64

# How the debug information of a Zephyr application is shared out, in parts of a hundred.
DEBUG = {
    ".debug_info": 46,
    ".debug_abbrev": 8,
    ".debug_loclists": 14,
    ".debug_line": 18,
    ".debug_str": 9,
    ".debug_frame": 5,
}


def noise(name: str, size: int) -> bytes:
    """Return `size` bytes that look random and are the same for the same `name`."""
    return hashlib.shake_128(name.encode()).digest(size)


def make_elf(path: Path, start: int, size: int, symbols: int) -> bytes:
    """Write an ELF of about `size` bytes linked for `start`; return what would be the `.bin`."""
    code_start = start + VECTORS * 4
    reset = code_start + 1
    vectors = struct.pack(f"<{VECTORS}I", RAM + 0x40000, *[reset] * (VECTORS - 1))
    code_size = min(CODE_SIZE, size // 4)
    code, data = noise("code", code_size), noise("data", DATA_SIZE)
    stored = code_start + len(code)
    bss = RAM + len(data)
    sections = [
        Section("rom_start", vectors, start),
        Section("text", code, code_start, code=True),
        Section("datas", data, RAM, writable=True, stored_at=stored),
        Section("bss", b"", bss, size=BSS_SIZE, writable=True),
    ]
    names = [f"subsystem_{n // 100:03}_function_with_a_name_{n:05}" for n in range(symbols)]
    symbol_bytes = sum(len(name) + 1 for name in names) + 16 * symbols
    debug_size = max(0, size - symbol_bytes - len(code) - len(data))
    sections += [
        Section(name, noise(name, debug_size * part // 100), loaded=False)
        for name, part in DEBUG.items()
    ]
    found = [
        Symbol("_vector_table", start, "rom_start", len(vectors), Kind.OBJECT, True),
        Symbol("z_arm_reset", reset, "text", 16, Kind.FUNCTION, True),
        Symbol("upload_confirm_cb", reset + 16, "text", 16, Kind.FUNCTION),
    ]
    step = max(2, code_size // symbols & ~1)
    for number, name in enumerate(names[len(found) :]):
        place, is_global = number * step % code_size, number % 3 == 0
        if number % 4 == 3:
            value = RAM + place % DATA_SIZE
            found.append(Symbol(name, value, "datas", 4, Kind.OBJECT, is_global))
        else:
            value = code_start + place + 1
            found.append(Symbol(name, value, "text", step, Kind.FUNCTION, is_global))
    write_elf(path, reset, sections, found)
    return vectors + code + data


def longer_config(config: Path, lines: int) -> None:
    """Fill a `.config` up to `lines` with the log levels of modules that there are not."""
    text = config.read_text(encoding="utf-8")
    head, mark, tail = text.partition("\n#\n# Build Options\n#\n")
    more: list[str] = []
    count = text.count("\n")
    module = 0
    while count + len(more) < lines:
        name = f"CONFIG_BENCHMARK_MODULE_{module:04}"
        more += ["", "#", f"# Module {module}", "#", f"{name}=y", f'{name}_NAME="module {module}"']
        more += [f"# {name}_LOG_LEVEL_{level} is not set" for level in ("OFF", "ERR", "WRN", "DBG")]
        more += [f"{name}_LOG_LEVEL_DEFAULT=y", f"{name}_LOG_LEVEL=3", f"# end of Module {module}"]
        module += 1
    more = more[: lines - count]
    # Never in the middle of a pair of lines that belong together: a comment more or less is all.
    config.write_bytes((head + "\n".join(["", *more]) + mark + tail).encode())


def longer_devicetree(dts: Path, lines: int) -> None:
    """Fill a `zephyr.dts` up to about `lines` with disabled peripherals."""
    text = dts.read_text(encoding="utf-8")
    head, mark, tail = text.rpartition("\t\tgpio0: ")
    nodes = []
    for number in range((lines - text.count("\n")) // 7):
        address = f"{0x40100000 + 0x1000 * number:x}"
        nodes.append(
            f"\t\tspare{number}: spare@{address} {{\n"
            '\t\t\tcompatible = "nordic,nrf-spare";\n'
            f"\t\t\treg = < 0x{address} 0x1000 >;\n"
            f"\t\t\tinterrupts = < {number % 48:#x} 0x1 >;\n"
            '\t\t\tstatus = "disabled";\n'
            f'\t\t\tlabel = "SPARE_{number}";\n'
            "\t\t};\n"
        )
    dts.write_bytes((head + "".join(nodes) + mark + tail).encode())


def longer_cache(cache: Path, entries: int) -> None:
    """Fill a `CMakeCache.txt` up to `entries` with the internal ones that CMake adds."""
    text = cache.read_text(encoding="utf-8")
    more = [f"BENCHMARK_TOOL_{n:03}-ADVANCED:INTERNAL=1" for n in range(entries)]
    there = sum("=" in line for line in text.splitlines())
    cache.write_bytes((text + "\n".join([*more[there:], ""])).encode())


def make_build(folder: Path) -> Path:
    """Make `folder`/build-direct-xip with its sources beside it; return the build directory."""
    for name in ("child_image", "keys"):
        shutil.copytree(SAMPLE / name, folder / name, dirs_exist_ok=True)
    shutil.copy(SAMPLE / "prj_direct_xip.conf", folder)
    build = folder / BUILD
    shutil.rmtree(build, ignore_errors=True)
    left_by_runs = shutil.ignore_patterns("*_update.bin", "dfu_application.zip*", "*.hex")
    shutil.copytree(SAMPLE / BUILD, build, ignore=left_by_runs)
    for image, slot, name in (
        (build, 0x8000, "app_to_sign.bin"),
        (build / "mcuboot_secondary_app", 0x82000, "mcuboot_secondary_app_to_sign.bin"),
    ):
        zephyr = image / "zephyr"
        binary = make_elf(zephyr / "zephyr.elf", slot + HEADER_SIZE, ELF_SIZE, SYMBOLS)
        (zephyr / "zephyr.bin").write_bytes(binary)
        (build / "zephyr" / name).write_bytes(binary)
        longer_config(zephyr / ".config", CONFIG_LINES)
        longer_devicetree(zephyr / "zephyr.dts", DEVICETREE_LINES)
        longer_cache(image / "CMakeCache.txt", CACHE_ENTRIES)
    bootloader = build / "mcuboot/zephyr"
    binary = make_elf(bootloader / "zephyr.elf", 0, 1_000_000, 1_500)[:0x7000]
    (bootloader / "zephyr.bin").write_bytes(binary)
    longer_config(bootloader / ".config", BOOTLOADER_CONFIG_LINES)
    longer_cache(build / "mcuboot/CMakeCache.txt", CACHE_ENTRIES)
    return build


def make_more(first: Path, number: int) -> Path:
    """Make another build directory from the first; what is large and never changed is linked."""
    build = first.with_name(f"{BUILD}-{number:03}")
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(first, build, copy_function=_link_or_copy)
    return build


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith((".elf", ".bin")):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copy2(source, target)


def main() -> None:
    """Make the build directories and say where they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--builds", type=int, default=1, help="how many (default: 1)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    first = make_build(arguments.folder)
    for number in range(2, arguments.builds + 1):
        make_more(first, number)
    print(f"{arguments.builds} in {arguments.folder}, the first is {first}", file=sys.stderr)


if __name__ == "__main__":
    main()
