# SPDX-License-Identifier: Apache-2.0
"""The command line as a user types it, and images to give to it, for tests with real servers."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

from running import Result
from west_dfu_ble import image
from zephyr_qemu import ZephyrServer

REPOSITORY = Path(__file__).resolve().parents[2]
SLOT0 = 0x8000
HEADER_SIZE = 0x200


def dfu_ble(*arguments: object) -> Result:
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=200, env=environment()
    )
    return Result(done.returncode, done.stdout, done.stderr)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "west_dfu_ble", *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts" / "west_commands")}


def sign(build: Path, version: str) -> image.McubootImage:
    signed = dfu_ble("sign", "-d", build, "--image-version", version)
    assert signed.status == 0, signed.err
    return image.read(build / "zephyr" / "app_update.bin")


def program_that_resets_itself() -> bytes:
    """Assemble the smallest firmware that never comes up: it asks the core for a reset at once.

    Vector table, then `ldr r0, =SCB_AIRCR; ldr r1, =SYSRESETREQ; str r1, [r0]; b .`.
    """
    entry = SLOT0 + HEADER_SIZE + 0x100
    vectors = struct.pack("<64I", 0x20004000, *[entry | 1] * 63)
    code = struct.pack("<4H2I", 0x4801, 0x4902, 0x6001, 0xE7FE, 0xE000ED0C, 0x05FA0004)
    return vectors + code + bytes(4096)


def sign_elsewhere(tmp_path: Path, program: bytes, *options: object) -> Path:
    """Sign with imgtool itself, for another device than the one at hand."""
    source, target = tmp_path / "program.bin", tmp_path / "elsewhere.bin"
    source.write_bytes(program)
    words = ["-m", "imgtool.main", "sign", "--pad-header", "--align", "4", *map(str, options)]
    subprocess.run([sys.executable, *words, str(source), str(target)], check=True)
    return target


def rebuilt(server: ZephyrServer, tmp_path: Path) -> Path:
    """Sign a RAM-load server's own program once more, as version 2.0.0."""
    original = image.read(server.signed_image)
    header, address = hex(original.header_size), hex(original.load_address)
    sizes = ("--header-size", header, "--slot-size", "0x80000", "--load-addr", address)
    return sign_elsewhere(tmp_path, original.payload, "--version", "2.0.0", *sizes)
