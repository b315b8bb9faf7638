# SPDX-License-Identifier: Apache-2.0
"""SMP frames among the output of a console; the packing itself is the `smp` package's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from west_dfu_ble.link.console_framing import FRAME_LIMIT, ConsoleReader, to_lines

# Zephyr: `doc/services/device_mgmt/smp_transport.rst`; an os/echo request for "hello"
# as AuTerm and mcumgr put it on the wire.
HELLO = bytes.fromhex("0a0000090000000 0a1616465 68656c6c6f".replace(" ", ""))


def read(data: bytes) -> list[bytes]:
    return ConsoleReader().feed(data)


def wire(frame: bytes) -> bytes:
    return b"".join(to_lines(frame))


def test_a_line_is_delimiter_length_frame_crc_and_newline() -> None:
    import base64

    [line] = to_lines(HELLO)
    assert line[:2] == b"\x06\x09"
    assert line[-1:] == b"\n"
    packet = base64.b64decode(line[2:-1])
    assert packet[:2] == (len(HELLO) + 2).to_bytes(2, "big")
    assert packet[2:-2] == HELLO
    assert len(packet) == len(HELLO) + 4


@pytest.mark.parametrize("size", [1, 86, 87, 256, 384, 2048, FRAME_LIMIT])
def test_no_line_is_longer_than_a_server_takes(size: int) -> None:
    frame = bytes(index % 251 for index in range(size))
    lines = to_lines(frame)
    assert max(map(len, lines)) <= 127
    assert all(line.startswith(b"\x04\x14") for line in lines[1:])
    assert read(b"".join(lines)) == [frame]


def test_a_frame_beyond_the_length_field_is_refused() -> None:
    with pytest.raises(ValueError, match="a serial frame has at most 65533 bytes, not 65534"):
        to_lines(bytes(FRAME_LIMIT + 1))


LONG = bytes(range(256))
FIRST, *REST = to_lines(LONG)
DAMAGED = wire(LONG)[:50] + b"AAAA" + wire(LONG)[54:]
LOG = b"[00:00:01.234,000] \x1b[0m<inf> smp: busy\x1b[0m\r\n"


@pytest.mark.parametrize(
    ("received", "frames"),
    [
        (LOG + wire(HELLO) + LOG, [HELLO]),
        (b"uart:~$ " + wire(HELLO), [HELLO]),
        (wire(HELLO).replace(b"\n", b"\r\n"), [HELLO]),
        (FIRST + LOG + LOG.join(REST), [LONG]),
        (wire(HELLO) + wire(LONG), [HELLO, LONG]),
        (FIRST + wire(HELLO), [HELLO]),  # the rest of the first never came
        (FIRST + REST[0] + wire(LONG), [LONG]),
        (b"".join(REST) + wire(HELLO), [HELLO]),  # the first line was lost
        (DAMAGED + wire(HELLO), [HELLO]),
        (FIRST[:40] + b"\n" + wire(HELLO), [HELLO]),
        (b"\x06\x09\n\x06\x09A\n\x06\x09AA==\n\x06\x09!!!!\n" + wire(HELLO), [HELLO]),
        (b"\x06\x09AAA=\n" + wire(HELLO), [HELLO]),  # a length of 0
        (b"\n\n\r\n\x00\xff\xfe\n" + wire(HELLO), [HELLO]),
        (b"x" * 10_000 + b"\n" + wire(HELLO), [HELLO]),
        (b"x" * 5000 + wire(HELLO) + wire(LONG), [LONG]),
    ],
)
@pytest.mark.parametrize("cut", [1, 7, 64, 100_000])
def test_frames_are_found_in_whatever_a_console_prints(
    received: bytes, frames: list[bytes], cut: int
) -> None:
    reader = ConsoleReader()
    found = []
    for start in range(0, len(received), cut):
        found += reader.feed(received[start : start + cut])
    assert found == frames


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_noise_of_any_kind_does_no_harm(noise: list[bytes]) -> None:
    reader = ConsoleReader()
    for piece in noise:
        reader.feed(piece)
    assert reader.feed(b"\n" + wire(HELLO))[-1:] == [HELLO]
