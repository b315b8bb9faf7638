# SPDX-License-Identifier: Apache-2.0
"""A socket that stays where it is while what stands behind it is exchanged."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Hear = Callable[[bool, bytes], None]


class Relay:
    """Passes bytes between one client at a time and the server at `target`.

    Without a target nobody listens, as with a device that has no power. `hear` is told what passes,
    and whether the client sent it.
    """

    def __init__(self, hear: Hear | None = None) -> None:
        self._hear = hear
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def link(self) -> str:
        """How the command line calls the way through."""
        return f"serial:socket://127.0.0.1:{self.port}"

    def join(self, link: str) -> None:
        """Let clients through to the server that the command line would call `link`."""
        target = int(link.rpartition(":")[2])
        if self._listener.fileno() < 0:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        self._run(self._serve, self._listener, target)

    def cut(self) -> None:
        """Close everything."""
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(5)
        self._ends.clear()
        self._threads.clear()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut()

    def _run(self, function: object, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)  # type: ignore[arg-type] # any of ours
        self._threads.append(thread)
        thread.start()

    def _serve(self, listener: socket.socket, target: int) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", target), 5)
                self._ends += [client, server]
                for one, other in ((client, server), (server, client)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    one.settimeout(None)
                    words = one, other, one is client
                    threading.Thread(target=self._pump, args=words, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if self._hear is not None:
                    self._hear(from_client, data)
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
