# SPDX-License-Identifier: Apache-2.0
"""SMP frames as lines of text on a serial console, among whatever else the console prints.

A frame with its length and CRC-16 is sent in base64, cut into lines that each begin with two
control characters (Zephyr: `doc/services/device_mgmt/smp_transport.rst`, "UART/serial and
console"). Packing one frame and unpacking the lines of one is `smp.packet`'s work; finding those
lines in a console's output is ours.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Generator

from smp.exceptions import SMPException
from smp.packet import CONTINUE_DELIMITER, END_DELIMITER, START_DELIMITER, decode, encode

# Zephyr's `CONFIG_UART_MCUMGR_RX_BUF_SIZE` is 128 and takes a line with its newline and a zero.
_LINE_LENGTH = 127
# Longer than any line of a frame, and than any sensible line of a log.
_LINE_LIMIT = 4096
# The length field has 16 bits and counts the CRC's two bytes in.
FRAME_LIMIT = 0xFFFF - 2
# Zephyr decodes the length and the CRC into the buffer that then holds the frame
# (`subsys/mgmt/mcumgr/transport/src/serial_util.c`): with 384 bytes, 380 pass and 381 do not.
BUFFER_OVERHEAD = 4
# Two lines: Zephyr's default of receive buffers (`CONFIG_UART_MCUMGR_RX_BUF_COUNT`). A port that
# delivers more of them at once than the device has time to empty (USB, a terminal of native_sim,
# a high baud rate) loses the third line and so the frame. A line holds 120 characters of base64.
SURE_FRAME = 2 * 120 * 3 // 4 - BUFFER_OVERHEAD


def to_lines(frame: bytes) -> list[bytes]:
    """Cut a frame into the lines that carry it, each at most 127 bytes with its newline.

    Raises `ValueError` for a frame longer than `FRAME_LIMIT`.
    """
    if len(frame) > FRAME_LIMIT:
        raise ValueError(f"a serial frame has at most {FRAME_LIMIT} bytes, not {len(frame)}")
    return list(encode(frame, line_length=_LINE_LENGTH))


class ConsoleReader:
    """Finds the frames in what a console prints; everything else is passed over.

    Log lines may stand between the lines of a frame, and a prompt before one on the same line. A
    frame that is cut off or damaged is dropped: that it is missing shows where it is waited for.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._frame: Generator[None, bytes, bytes] | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes, return the frames that they complete."""
        frames = []
        *whole, rest = data.split(END_DELIMITER)
        for piece in whole:
            self._line += piece
            frame = None if len(self._line) > _LINE_LIMIT else self._take(bytes(self._line))
            if frame is not None:
                frames.append(frame)
            self._line.clear()
        # One byte beyond the limit is kept as the mark of a line that is too long.
        self._line = (self._line + rest)[: _LINE_LIMIT + 1]
        return frames

    def _take(self, line: bytes) -> bytes | None:
        start, more = line.rfind(START_DELIMITER), line.rfind(CONTINUE_DELIMITER)
        if start > more:
            self._frame = decode()
            next(self._frame)
        elif more < 0 or self._frame is None:
            return None
        assert self._frame is not None
        packet = line[max(start, more) :].rstrip(b"\r") + END_DELIMITER
        try:
            self._frame.send(packet)
        except StopIteration as complete:
            frame: bytes = complete.value
        except (SMPException, binascii.Error, struct.error):
            self._frame = None
            return None
        else:
            return None
        self._frame = None
        return frame
