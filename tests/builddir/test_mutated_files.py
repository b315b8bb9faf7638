# SPDX-License-Identifier: Apache-2.0
"""Whatever a file of the build holds, the answer is a `Build` or one error of the EN family.

``DFU_BLE_EXAMPLES`` sets how many damaged files each test tries (default 300).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from made_builds import (
    FLASH,
    RECORDED,
    SLOTS,
    SRAM,
    cache,
    child_image_build,
    devicetree,
    domains,
    write,
)
from made_builds import kconfig as kconfig_text
from west_dfu_ble.builddir import Build, load
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus

EXAMPLES = settings(
    max_examples=int(os.environ.get("DFU_BLE_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
REAL = Path(__file__).resolve().parents[3] / "shared" / "builds"

PM_CONFIG = "".join(
    f"PM_{name}_ADDRESS={address:#x}\nPM_{name}_SIZE=0x1000\nPM_{name}_NAME={name.lower()}\n"
    f"PM_{name}_ID={number}\n"
    for number, (name, address) in enumerate(
        [("MCUBOOT", 0), ("MCUBOOT_PRIMARY", 0x1000), ("MCUBOOT_SECONDARY", 0x2000)]
    )
)
ORIGINALS = {
    "zephyr/.config": kconfig_text(
        "BOOTLOADER_MCUBOOT",
        "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP",
        'MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.3+4"',
        'MCUBOOT_SIGNATURE_KEY_FILE="${APPLICATION_CONFIG_DIR}/own.pem"',
        'KERNEL_BIN_NAME="zephyr"',
        "-CAF",
        "ROM_START_OFFSET=0x200",
    ),
    "CMakeCache.txt": cache(f"CMAKE_CACHEFILE_DIR={RECORDED}", "APPLICATION_SOURCE_DIR=/a/b"),
    "domains.yaml": domains("app", "mcuboot"),
    "partitions.yml": SLOTS,
    "regions.yml": FLASH + SRAM,
    "pm.config": PM_CONFIG,
    "zephyr/zephyr.dts": devicetree(),
}
# Pieces that mean something to one reader or another, to be put where they do not belong.
PIECES = [
    b"\0", b"\xff", b"\r\n", b"\n", b'"',
    b"'", b"=", b":", b";", b"{", b"}", b"[", b"]", b"<", b">",
    b"&", b"*", b"&id001 ", b"*id001", b"!!int ", b"---\n", b"...", b"? ", b"- ", b"#", b"\\", b"/",
    b"//", b"/*", b"*/", b"/dts-v1/;", b"/delete-node/ ", b"0x", b"-1", b"99999999999999999999",
    b"0xffffffffffffffff", b"CONFIG_", b"SB_CONFIG_A=y\n", b"CONFIG_MCUBOOT=y\n", b"..", b"~",
    b"${ZEPHYR_BASE}", b"slot0_partition: ", b"reg = < >;", b"\t", b" " * 40, "\u2028".encode(),
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, original: bytes) -> bytes:
    """`original` after some cuts, repetitions, exchanges and insertions."""
    data = original
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 60)))
        kind = draw(st.sampled_from(["cut", "drop", "repeat", "insert", "replace", "move"]))
        if kind == "cut":
            data = data[:start]
        elif kind == "drop":
            data = data[:start] + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[start:end] * draw(st.integers(1, 5)) + data[end:]
        elif kind == "insert":
            data = data[:start] + draw(st.sampled_from(PIECES)) + data[start:]
        elif kind == "replace":
            data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
        else:
            to = draw(st.integers(0, len(data)))
            data = data[:to] + data[start:end] + data[to:]
    return data


def prepared(build: Path, name: str) -> None:
    """Make the build in which the file `name` counts."""
    child_image_build(build)
    if name == "pm.config":
        (build / "partitions.yml").unlink()
    if name == "domains.yaml":
        write(
            build, {f"{image}/zephyr/.config": kconfig_text("BT") for image in ("app", "mcuboot")}
        )


def outcome(build: Path) -> str:
    """Load it; the code of the error, or nothing. Any other exception fails the test."""
    try:
        result = load(build)
    except DfuBleError as error:
        assert error.status is ExitStatus.UNDECIDED  # noqa: PT017 (both outcomes are looked at)
        message = error.diagnostic.message
        assert message.isprintable()
        assert len(message) < 400
        return error.diagnostic.code
    sane(result)
    return ""


def sane(build: Build) -> None:
    assert build.application.number == 0
    assert len({(slot.image, slot.index) for slot in build.slots}) == len(build.slots)
    for partition in build.partitions:
        assert partition.address.value >= 0
        assert partition.size.value >= 0
        assert partition.size.location.path.is_file()


@pytest.mark.parametrize("name", ORIGINALS)
def test_damaged_file(tmp_path: Path, name: str) -> None:
    prepared(tmp_path, name)
    codes = set()

    @EXAMPLES
    @given(damaged(ORIGINALS[name].encode()))
    def check(data: bytes) -> None:
        write(tmp_path, {name: data})
        codes.add(outcome(tmp_path))

    check()
    assert codes <= {"", "EN002", "EN003", "EN004", "EN005", "EN006", "EN007"}
    assert codes & {"EN003", "EN004", "EN005", "EN006"}  # the damage was noticed


@pytest.mark.parametrize("name", ORIGINALS)
def test_random_file(tmp_path: Path, name: str) -> None:
    prepared(tmp_path, name)

    @EXAMPLES
    @given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
    def check(data: bytes) -> None:
        write(tmp_path, {name: data})
        outcome(tmp_path)

    check()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zephyr/.config", "partitions.yml", "zephyr/zephyr.dts"])
def test_damaged_file_of_a_real_build(tmp_path: Path, name: str) -> None:
    real = REAL / "ncs-2.5.0-child-image-swap"
    if not real.is_dir():
        pytest.skip(f"no real build directories beside this checkout ({REAL})")
    write(
        tmp_path,
        {f.relative_to(real).as_posix(): f.read_bytes() for f in real.rglob("*.*") if f.is_file()},
    )
    original = (real / name).read_bytes()

    @settings(EXAMPLES, max_examples=EXAMPLES.max_examples // 4)
    @given(damaged(original))
    def check(data: bytes) -> None:
        write(tmp_path, {name: data})
        outcome(tmp_path)

    check()
