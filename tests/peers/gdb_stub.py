# SPDX-License-Identifier: Apache-2.0
"""Write an emulator's memory through its GDB stub, which can write flash as well.

QEMU's own `loader` device would do for a program that never changes: it writes what it loaded
again at every reset, so that an update in flash would be undone by the very reset that starts it.
"""

from __future__ import annotations

import socket
from types import TracebackType

_PIECE = 1024  # bytes a packet; the stub takes 4096 characters


class GdbStub:
    """One connection with the stub; the processor stands still while it lasts."""

    def __init__(self, port: int) -> None:
        """Connect to the stub at `port` of this machine."""
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, address: int, data: bytes) -> None:
        """Write `data` to the processor's memory."""
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            answer = self._ask(f"M{address + start:x},{len(piece):x}:{piece.hex()}")
            assert answer == "OK", f"the emulator does not take the memory: {answer}"

    def __enter__(self) -> GdbStub:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Detach, which lets the processor run."""
        if kind is None:
            self._ask("D")
        self._socket.close()

    def _ask(self, text: str) -> str:
        checksum = sum(text.encode()) & 0xFF
        self._socket.sendall(f"${text}#{checksum:02x}".encode())
        answer = b""
        while b"#" not in answer[:-2]:
            received = self._socket.recv(4096)
            assert received, "the emulator ended"
            answer += received
        self._socket.sendall(b"+")
        return answer.partition(b"$")[2].partition(b"#")[0].decode()
