# SPDX-License-Identifier: Apache-2.0
"""The machine's Bluetooth adapter: the kernel's `/dev/vhci` here, a serial port there.

Both carry HCI packets with their type before them (H4). The kernel takes and gives exactly one
packet a call; the port is a stream.
"""

from __future__ import annotations

import os
import select
import threading

# Type: length of the header, where the length of the rest stands in it, its bytes, its bits.
_KINDS = {
    2: (4, 2, 2, 0xFFFF),  # ACL data
    3: (3, 2, 1, 0xFF),  # synchronous data
    4: (2, 1, 1, 0xFF),  # event
    5: (4, 2, 2, 0x3FFF),  # isochronous data
}
_VENDOR = 0xFF
_CREATE_PRIMARY = bytes([_VENDOR, 0])


class Bridge:
    """Carries packets for as long as the machine runs; without an adapter they are dropped."""

    def __init__(self, port: int) -> None:
        """Take the file descriptor of the serial port."""
        self._port = port
        self._adapter: int | None = None
        self._lock = threading.Lock()
        self._wake, self._waker = os.pipe()
        self._buffer = b""
        threading.Thread(target=self._run, daemon=True).start()

    def plug(self) -> None:
        """Plug the adapter in: the kernel finds a new one."""
        with self._lock:
            assert self._adapter is None
            adapter = os.open("/dev/vhci", os.O_RDWR)
            os.write(adapter, _CREATE_PRIMARY)
            self._adapter = adapter
        os.write(self._waker, b"\0")

    def unplug(self) -> None:
        """Pull the adapter out."""
        with self._lock:
            adapter, self._adapter = self._adapter, None
            assert adapter is not None
            os.close(adapter)
        os.write(self._waker, b"\0")

    def _run(self) -> None:
        while True:
            readable = [self._port, self._wake]
            with self._lock:
                if self._adapter is not None:
                    readable.append(self._adapter)
            ready, _, _ = select.select(readable, [], [])
            if self._wake in ready:
                os.read(self._wake, 64)
            if self._port in ready:
                self._buffer += os.read(self._port, 4096)
                self._to_kernel()
            with self._lock:
                if self._adapter in ready:
                    packet = os.read(self._adapter, 4096)
                    if packet[:1] != bytes([_VENDOR]):  # the kernel's answer to `plug`
                        write_all(self._port, packet)

    def _to_kernel(self) -> None:
        while self._buffer:
            header, at, width, mask = _KINDS[self._buffer[0]]
            if len(self._buffer) < 1 + header:
                return
            rest = int.from_bytes(self._buffer[1 + at : 1 + at + width], "little") & mask
            end = 1 + header + rest
            if len(self._buffer) < end:
                return
            packet, self._buffer = self._buffer[:end], self._buffer[end:]
            with self._lock:
                if self._adapter is not None:
                    os.write(self._adapter, packet)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`."""
    while data:
        data = data[os.write(descriptor, data) :]
