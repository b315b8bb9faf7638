# SPDX-License-Identifier: Apache-2.0
"""The command line as a user types it, and images to give to it, for tests with real servers."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relay import Relay
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


def interrupted_upload(
    build: Path, link: str, interrupt: Callable[[], None]
) -> list[dict[str, Any]]:
    """Upload, call `interrupt` behind the first 10 kB, and return all events; it must succeed."""
    events: list[dict[str, Any]] = []
    with subprocess.Popen(
        command("upload", "-d", build, "--link", link, "--format", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            events.append(json.loads(line))
            if events[-1].get("offset", 0) > 10_000:
                break
        interrupt()
        rest, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    return events + [json.loads(line) for line in rest.splitlines()]


def cut_power(server: ZephyrServer, relay: Relay, start: Callable[..., ZephyrServer]) -> None:
    """End the Cortex-M0 server behind `relay`, and start another with the flash that it left."""
    with tempfile.TemporaryDirectory() as folder:
        flash = Path(folder) / "flash.bin"
        server.save_flash(flash)
        server.kill()
        relay.cut()
        relay.join(start("qemu_cortex_m0", "serial", flash).link)
