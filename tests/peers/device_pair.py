# SPDX-License-Identifier: Apache-2.0
"""The same device twice: Zephyr 4.4 with MCUboot in QEMU, and the virtual device made like it.

Both take one request at a time and return what the answer's payload says; both know two ways to
start again: the reset command, and a power cut with power coming back.
"""

from __future__ import annotations

import base64
import binascii
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2

from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import HEADER_SIZE, Request, decode_header, os_group
from west_dfu_ble.virtual import DeviceProfile, ServerProfile, SlotProfile, VirtualDevice
from zephyr_build import SLOT_SIZE
from zephyr_qemu import ZephyrServer

TARGET = ("qemu_cortex_m0", "serial")
PRIMARY, SECONDARY = 0x8000, 0x22000
SECTOR = 0x400
# The server has two buffers for lines. An emulated UART delivers a frame at once, and on a busy
# machine the third line comes before the first was taken out; `LARGEST_FRAME` bytes fill two.
_LINE, _LINES = 124, 2
LARGEST_FRAME = _LINE * _LINES * 3 // 4 - 4
_ANSWER_TIME, _SILENCE = 5.0, 0.01
_UP = re.compile(rb"smp_sample: build time:[^\n]*\n")  # the application's first line of log
_SWAP_TYPE = re.compile(r"Starting bootloader\s.*?Swap type: (\w+)", re.DOTALL)
Answer = dict[str, Any]


class EmulatorHangsError(Exception):
    """The emulated UART sends and takes nothing any more.

    Seen now and then when a request comes while the log is being printed. Probably it is the
    answer, which breaks into the log: Zephyr's driver stops the transmitter behind each character,
    and waits for ever for one that was written to a transmitter that somebody else has stopped.
    This tells nothing of what is compared here.
    """


@dataclass
class RealDevice:
    """The emulator; `start` runs another one with the flash that this one leaves behind."""

    start: Callable[..., ZephyrServer]
    flash: Path
    log: str = field(default="", init=False)
    _sequence: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Power up."""
        self._connect()

    def request(self, request: Request) -> Answer:
        """Send one request and wait for its answer."""
        self._settle()
        self._sequence = (self._sequence + 1) % 256
        self._socket.sendall(_lines(request.encode(self._sequence, 1)))
        packet = b""
        while True:
            line = self._line()
            at = max(line.find(b"\x06\x09"), line.find(b"\x04\x14"))
            if at < 0:
                self.log += line.decode(errors="replace")
                continue
            packet = b"" if line[at] == 6 else packet
            packet += base64.b64decode(line[at + 2 :].strip())
            if len(packet) < 2 + int.from_bytes(packet[:2], "big"):
                continue
            assert binascii.crc_hqx(packet[2:], 0) == 0
            frame = packet[2:-2]
            assert decode_header(frame).sequence == self._sequence
            return _payload(frame)

    def reset(self) -> Answer:
        """Have the device reset itself, and wait until it is up again."""
        answer = self.request(os_group.reset())
        self._await_boot()
        return answer

    def power_cycle(self) -> None:
        """Cut the power, and give the flash to another emulator."""
        self._server.save_flash(self.flash)
        self.close()
        self._connect()

    def close(self) -> None:
        """Switch it off."""
        self._socket.close()
        self._server.kill()

    def _connect(self) -> None:
        self._server = self.start(*TARGET, self.flash)
        host, _, port = self._server.link.rpartition("/")[2].partition(":")
        self._socket = socket.create_connection((host, int(port)), _ANSWER_TIME)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def _settle(self) -> None:
        """Let the log come out, which is printed when ten lines have gathered."""
        self._socket.settimeout(_SILENCE)
        with suppress(TimeoutError):
            while received := self._socket.recv(4096):
                self._received += received
        self._socket.settimeout(_ANSWER_TIME)

    def _line(self) -> bytes:
        while b"\n" not in self._received:
            self._receive()
        line, _, self._received = self._received.partition(b"\n")
        return line + b"\n"

    def _await_boot(self) -> None:
        # Nothing may be sent before: what arrives too early silences the emulated UART for good.
        while (found := _UP.search(self._received)) is None:
            self._receive()
        self.log = self._received[: found.end()].decode(errors="replace")
        self._received = self._received[found.end() :]

    def _receive(self) -> None:
        try:
            received = self._socket.recv(4096)
        except TimeoutError:
            raise EmulatorHangsError(self.log) from None
        assert received, "the emulator ended"
        self._received += received


class OurDevice:
    """The virtual device in the real one's form."""

    def __init__(self, *factory: bytes) -> None:
        """Program the factory image, and the one in the secondary slot if there is one."""
        self.device = VirtualDevice(
            DeviceProfile(
                BootloaderMode.SWAP_USING_OFFSET,
                (SlotProfile(0, 0, PRIMARY, SLOT_SIZE), SlotProfile(0, 1, SECONDARY, SLOT_SIZE)),
                {(0, index): data for index, data in enumerate(factory)},
                erase_block=SECTOR,
                server=ServerProfile(
                    buf_size=384,
                    buf_count=4,
                    slot_info=True,
                    bootloader_info=False,
                    erase_empty_fails=False,
                    allow_erase_pending=True,
                    kernel_version="4.4.0",
                ),
            )
        )
        self._sequence = 0

    @property
    def log(self) -> str:
        """What bootloader and application said."""
        return "\n".join(self.device.log)

    def request(self, request: Request) -> Answer:
        """Send one request; the answer is there at once."""
        self._sequence = (self._sequence + 1) % 256
        (frame,) = self.device.receive(request.encode(self._sequence, 1))
        return _payload(frame)

    def reset(self) -> Answer:
        """Have the device reset itself."""
        answer = self.request(os_group.reset())
        self.device.log.clear()
        assert self.device.reset_at is not None
        assert self.device.tick(self.device.reset_at)
        return answer

    def power_cycle(self) -> None:
        """Start again, whatever was going on."""
        self.device.boot()


def swap_type(log: str) -> str | None:
    """Return the first swap type that a bootloader told of."""
    found = _SWAP_TYPE.search(log)
    return found and found[1]


def _payload(frame: bytes) -> Answer:
    payload: Answer = cbor2.loads(frame[HEADER_SIZE:])
    return payload


def _lines(frame: bytes) -> bytes:
    """Put a frame into lines as Zephyr's serial transport takes them (`smp_uart.c`)."""
    assert len(frame) <= LARGEST_FRAME, "the server may lose such a frame"
    body = frame + struct.pack(">H", binascii.crc_hqx(frame, 0))
    text = base64.b64encode(struct.pack(">H", len(body)) + body)
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return b"".join(
        (b"\x04\x14" if number else b"\x06\x09") + line + b"\n" for number, line in enumerate(lines)
    )
