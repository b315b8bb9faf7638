# SPDX-License-Identifier: Apache-2.0
"""Reading images: what is one, what is none, and what is said about it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpclient_sdist import smpclient_sdist
from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError

HERE = Path("some/where.bin")


def make(
    payload: bytes = b"firmware",
    *,
    entries: bytes = struct.pack("<HH32s", 0x10, 32, b"h" * 32),
    protected: bytes = b"",
    **header: int,
) -> bytes:
    """Make an image by hand, with any field of the header set to something else."""
    area = struct.pack("<HH", 0x6908, 4 + len(protected)) + protected if protected else b""
    fields = {
        "magic": 0x96F3B83D,
        "load": 0,
        "header_size": 32,
        "protected_size": len(area),
        "payload_size": len(payload),
        "flags": 0,
        **header,
    }
    head = struct.pack("<IIHHII", *fields.values()) + struct.pack("<BBHII", 1, 2, 3, 4, 0)
    head += bytes(max(0, fields["header_size"] - len(head)))
    return head + payload + area + struct.pack("<HH", 0x6907, 4 + len(entries)) + entries


def test_every_field() -> None:
    counter = struct.pack("<HHI", 0x50, 4, 7)
    vendor = struct.pack("<HH3s", 0x1A3, 3, b"abc")
    digest = struct.pack("<HH64s", 0x12, 64, b"d" * 64)
    data = make(
        b"payload!",
        protected=counter,
        entries=digest + vendor,
        header_size=512,
        flags=0x100,
        load=0x8000,
    )
    padded = data + b"\xff" * 1000

    parsed = image.parse(padded, HERE)

    assert parsed.version == image.ImageVersion(1, 2, 3, 4)
    assert parsed.payload == b"payload!"
    assert (parsed.header_size, parsed.load_address, parsed.flags) == (512, 0x8000, 0x100)
    assert parsed.is_rom_fixed
    assert parsed.size == len(data)
    assert (parsed.digest, parsed.digest_bits) == (b"d" * 64, 512)
    assert [(t.type, t.protected) for t in parsed.tlvs] == [
        (0x50, True),
        (0x12, False),
        (0x1A3, False),
    ]
    assert all(padded[t.offset : t.offset + len(t.value)] == t.value for t in parsed.tlvs)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file has 0 bytes, an image's header alone has 32"),
        (b"\x7fELF" + bytes(60), "the file is an ELF file, not an image"),
        (b"PK\x03\x04" + bytes(60), "the file is a zip file, not an image"),
        (b":020000040000FA\r\n" + bytes(60), "the file is an Intel HEX file, not an image"),
        (
            b"\x00\x20\x00\x20" + bytes(60),
            "the file begins with 0x20002000, an MCUboot image with 0x96f3b83d",
        ),
        (make(header_size=31), "the header says that it has 31 bytes, less than 32"),
        (make(b""), "the header says that there is no firmware behind it"),
        (
            make(payload_size=100_000),
            "the image is cut off: header and firmware have 100032 bytes and entries behind them, "
            "the file has 80",
        ),
        (
            make(payload_size=7),
            "the entries at offset 0x27 begin with 0x0765, not 0x6907",
        ),
        (
            make(protected_size=8),
            "the header says that the protected entries have 8 bytes, the area behind the firmware "
            "begins with 0x6907",
        ),
        (
            make(protected=struct.pack("<HHI", 0x50, 4, 7), protected_size=16),
            "the protected entries have 12 bytes, the header says 16",
        ),
        (
            make(protected=struct.pack("<HHI", 0x50, 4, 7), protected_size=0),
            "the header says that the protected entries have 0 bytes, the area behind the firmware "
            "begins with 0x6908",
        ),
        (
            make()[:-1],
            "the entries at offset 0x28 claim 40 bytes, the file has 39 left",
        ),
        (
            make(entries=struct.pack("<HH", 0x10, 32)),
            "the entry of type 0x10 at offset 0x2c claims 32 bytes, its area has 0 left",
        ),
        (make(entries=b"\x01\x00"), "the entries end in the middle of one, at offset 0x2c"),
        (
            make(entries=struct.pack("<HH31s", 0x10, 31, b"h" * 31)),
            "the SHA-256 entry has 31 bytes",
        ),
    ],
)
def test_no_image(data: bytes, message: str) -> None:
    with pytest.raises(DfuBleError) as caught:
        image.parse(data, HERE)
    assert caught.value.diagnostic.code == "IM305"
    assert caught.value.diagnostic.message == message
    assert caught.value.status == 5


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path / "none.bin", "the file can't be read: No such file or directory"),
        (tmp_path, "the file can't be read: Is a directory"),
    ):
        with pytest.raises(DfuBleError) as caught:
            image.read(path)
        assert caught.value.diagnostic.message == said


WHOLE = make(protected=struct.pack("<HHI", 0x50, 4, 7))


@given(position=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255), cut=st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_any_damage_is_an_image_or_one_diagnostic(position: int, value: int, cut: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[position] = value
    del damaged[len(damaged) - cut :]
    try:
        parsed = image.parse(bytes(damaged), HERE)
    except DfuBleError as error:
        assert error.diagnostic.code == "IM305"  # noqa: PT017 - either outcome is right
    else:
        assert parsed.size <= len(damaged)


REAL = (
    # file, header, payload and protected size, entries' types, digest
    ("examples/duts/nrf52840dk_nrf52840/ble/a_smp_dut.bin", 512, 224468, 0, [0x10, 1, 0x22]),
    ("examples/duts/nrf52dk_nrf52832/ble/a_smp_dut.bin", 512, 190404, 0, [0x10, 1, 0x20]),
    ("examples/duts/mimxrt1060_evkb/usb/a_smp_dut_8192_1_8192.bin", 1024, 77176, 0, [16, 1, 0x20]),
    (
        "tests/fixtures/smp-server/"
        "zephyr_4.4.0_smp_server_0eae053d_qemu_cortex_m0_serial.signed.bin",
        *(512, 49140, 0, [0x10]),
    ),
    (
        "tests/fixtures/smp-server/"
        "zephyr_4.4.0_smp_server_0eae053d_mps2_an385_serial_recovery_buf400.signed.bin",
        *(512, 131920, 0, [0x10]),
    ),
    (
        "tests/fixtures/tf-m-9a4cb1a28/tfm_s_signed.bin",
        *(1024, 115296, 123, [0x50, 0x60, 0x40, 0x10, 1, 0x22]),
    ),
)


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "header", "payload", "protected", "entries"),
    REAL,
    ids=["nrf52840", "nrf52832", "imxrt1060", "cortex-m0", "cortex-m3", "tf-m"],
)
def test_real_images(
    name: str, header: int, payload: int, protected: int, entries: list[int]
) -> None:
    path = smpclient_sdist() / name
    parsed = image.read(path)

    assert (parsed.header_size, parsed.payload_size, parsed.protected_size) == (
        header,
        payload,
        protected,
    )
    assert [t.type for t in parsed.tlvs] == entries
    assert parsed.version == image.ImageVersion(0, 0, 0)
    image.verify(parsed, path, None)
