# SPDX-License-Identifier: Apache-2.0
"""Frames in words: names, offsets, errors, and nothing of a hostile payload on the terminal."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from west_dfu_ble.smp import HEADER_SIZE, Header, decode_header, image_group, os_group
from west_dfu_ble.smp.describe import describe_frame


def described(frame: bytes) -> str:
    return describe_frame(decode_header(frame), frame[HEADER_SIZE:])


def response(values: object, group: int = 1, command: int = 1) -> str:
    payload = values if isinstance(values, bytes) else cbor2.dumps(values)
    return describe_frame(Header(3, 1, len(payload), group, 7, command), payload)


def test_requests_by_name_with_their_offsets() -> None:
    first = image_group.upload_first(bytes(400), 61_000, bytes(32), 0).encode(3, 1)
    assert described(first) == (
        f"write image upload seq 3 v2 {len(first)} bytes image=0 len=61000 off=0 "
        f"sha={'00' * 32} data=<400 bytes>"
    )
    assert described(os_group.reset().encode(255, 0)) == "write os reset seq 255 v1 9 bytes"


@pytest.mark.parametrize(
    ("values", "end"),
    [
        ({"off": 976}, "off=976"),
        ({"rc": 10}, "rc=10 (MGMT_ERR_EBUSY)"),
        ({"err": {"group": 1, "rc": 9}}, "err={group=1 rc=9} (IMG_MGMT_ERR_NO_FREE_SLOT)"),
        ({"images": [{"slot": 0, "active": True}]}, "images=[{slot=0 active=yes}]"),
        ({"r": "x" * 500}, "r=<500 characters>"),
    ],
)
def test_responses(values: object, end: str) -> None:
    text = response(values)
    assert text.startswith("write response image upload seq 7 v2 ")
    assert text.endswith(f" bytes {end}")


def test_what_has_no_name_has_its_number() -> None:
    assert response({}, 70, 9).startswith("write response group 70 command 9 seq 7 ")


def test_nonsense_is_said_and_shown() -> None:
    assert "[the device's answer is no CBOR map] 00" in response(b"\x00")


@given(st.binary(max_size=300), st.integers(0, 7), st.integers(0, 65535), st.integers(0, 255))
def test_any_frame_is_one_printable_line(
    payload: bytes, operation: int, group: int, command: int
) -> None:
    text = describe_frame(Header(operation, 1, 12, group, 7, command), payload)
    assert text.isprintable()
    assert len(text) < 1200


def test_a_terminal_is_not_driven_by_a_device() -> None:
    assert response({"d": "\x1b[2J\r\n"}).endswith("d='?[2J??'")
