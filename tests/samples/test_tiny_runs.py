# SPDX-License-Identifier: Apache-2.0
"""The sample's images run: signed by imgtool, started by the boot program, in QEMU.

QEMU has no nRF52840. Its `netduinoplus2` is another chip with the same processor (Cortex-M4), flash
that is seen at 0 and RAM at 0x20000000, and nothing that minds the writes to the nRF's LED pins.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TINY = Path(__file__).resolve().parents[2] / "samples" / "tiny"
QEMU = shutil.which("qemu-system-arm")
# struct report in samples/tiny/src/main.c, the first thing in RAM
REPORT, MAGIC = struct.Struct("<I16s4I"), 0x594E4954

pytestmark = pytest.mark.skipif(QEMU is None, reason="qemu-system-arm is not installed")


@dataclass(frozen=True)
class Report:
    """What the program found out about itself."""

    version: str
    slot: int
    passed: bool
    blinks: int


def signed(build: str, name: str, version: str, work: Path) -> Path:
    """Sign a binary of the sample as the build would, with the key of its bootloader."""
    swap = build == "build-swap"
    key = "sample-ecdsa-p256-never-use.pem" if swap else "sample-rsa-2048-never-use.pem"
    slot_size = "0x79000" if swap else "0x7a000"
    address = "0x82000" if "secondary" in name else "0x8000"
    target = work / f"{name}.signed.bin"
    subprocess.run(
        [
            *(sys.executable, "-m", "imgtool.main", "sign", "--key", str(TINY / "keys" / key)),
            *("--header-size", "0x200", "--align", "4", "--version", version, "--pad-header"),
            *("--slot-size", slot_size),
            *(() if swap else ("--rom-fixed", address)),
            *(str(TINY / build / "zephyr" / name), str(target)),
        ],
        check=True,
        capture_output=True,
    )
    return target


def boot(build: str, flash: dict[int, Path], work: Path) -> Report | None:
    """Start the boot program with `flash` (address -> image); `None` if no program reports.

    The program is given half a minute on a busy machine; it needs less than a second.
    """
    assert QEMU is not None
    images = [
        item
        for address, path in flash.items()
        for item in ("-device", f"loader,file={path},addr={address:#x},force-raw=on")
    ]
    kernel = str(TINY / build / "mcuboot/zephyr/zephyr.elf")
    machine = (QEMU, "-M", "netduinoplus2", "-display", "none", "-serial", "none")
    with subprocess.Popen(
        [*machine, "-qmp", "stdio", "-kernel", kernel, *images],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as qemu:
        try:
            command(qemu, "qmp_capabilities")
            return wait_for_report(qemu, work / "memory.bin")
        finally:
            qemu.kill()


def wait_for_report(qemu: subprocess.Popen[str], memory: Path) -> Report | None:
    """Look into the memory until the program has blinked twice or has plainly never started."""
    deadline = time.monotonic() + 30
    looks = 0
    while time.monotonic() < deadline:
        arguments = {"val": 0x20000000, "size": REPORT.size, "filename": str(memory)}
        command(qemu, "pmemsave", arguments)
        magic, version, slot, _, passed, blinks = REPORT.unpack(memory.read_bytes())
        if magic == MAGIC and blinks >= 2:
            return Report(version.rstrip(b"\0").decode(), slot, bool(passed), blinks)
        looks += 1
        if magic != MAGIC and looks > 30:
            return None
        time.sleep(0.1)
    raise AssertionError("the program started and did not come to its end")


def command(
    qemu: subprocess.Popen[str], name: str, arguments: dict[str, Any] | None = None
) -> None:
    """Run one command of QEMU's monitor and wait until it has answered."""
    assert qemu.stdin
    assert qemu.stdout
    qemu.stdin.write(json.dumps({"execute": name, "arguments": arguments or {}}) + "\n")
    qemu.stdin.flush()
    for line in qemu.stdout:
        answer = json.loads(line)
        assert "error" not in answer, answer
        if "return" in answer:
            return
    raise AssertionError("QEMU went away")


@pytest.mark.parametrize(
    ("build", "name", "slot"),
    [
        ("build-swap", "app_to_sign.bin", 0xC000),
        ("build-direct-xip", "app_to_sign.bin", 0x8000),
        ("build-direct-xip", "mcuboot_secondary_app_to_sign.bin", 0x82000),
    ],
)
def test_signed_image_runs_in_its_slot(build: str, name: str, slot: int, tmp_path: Path) -> None:
    report = boot(build, {slot: signed(build, name, "1.2.0+0", tmp_path)}, tmp_path)

    assert report is not None
    assert (report.version, report.slot, report.passed) == ("1.2.0+0", slot, True)


def test_direct_xip_runs_the_higher_version_where_it_lies(tmp_path: Path) -> None:
    build = "build-direct-xip"
    primary = signed(build, "app_to_sign.bin", "1.2.0+0", tmp_path)
    variant = signed(build, "mcuboot_secondary_app_to_sign.bin", "1.3.0+0", tmp_path)

    report = boot(build, {0x8000: primary, 0x82000: variant}, tmp_path)

    assert report is not None
    assert (report.slot, report.passed) == (0x82000, True)


def test_damaged_resource_is_reported(tmp_path: Path) -> None:
    image = signed("build-swap", "app_to_sign.bin", "1.2.0+0", tmp_path)
    data = bytearray(image.read_bytes())
    data[100_000] ^= 1
    image.write_bytes(data)

    report = boot("build-swap", {0xC000: image}, tmp_path)

    assert report is not None
    assert report.passed is False


def test_image_for_the_other_slot_is_not_started(tmp_path: Path) -> None:
    image = signed("build-direct-xip", "mcuboot_secondary_app_to_sign.bin", "1.2.0+0", tmp_path)
    assert boot("build-direct-xip", {0x8000: image}, tmp_path) is None
