# SPDX-License-Identifier: Apache-2.0
"""Zephyr's own SMP servers, and a real MCUboot, in QEMU.

The programs come prebuilt with smpclient's source distribution (Zephyr 4.4.0; how they were made:
https://github.com/intercreate/smp-server-fixtures), whose manifest tells how each is started.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gdb_stub import GdbStub
from smpclient_sdist import smpclient_sdist

QEMU = "qemu-system-arm"
_START_TIME = 20.0
# The nRF51 has 256 kB of flash; the other targets keep their slots in RAM.
_WITH_FLASH = "qemu_cortex_m0"
FLASH_SIZE = 0x40000
_PLACEHOLDER = "<PORT>"
# What comes over the serial line while the Cortex-M0 target starts up, silences its UART for good;
# but it says when it is up. The others say nothing, and take no harm.
_UP = re.compile(rb"smp_sample: build time:[^\n]*\n")
_BOOT_TIME = 0.3


@dataclass
class ZephyrServer:
    """A running server: `link` is how the command line calls the way to it.

    `buffer_size` and `buffer_count` are what its manifest says of `CONFIG_MCUMGR_TRANSPORT_NETBUF`.
    """

    link: str
    buffer_size: int
    buffer_count: int
    folder: Path
    artifact: str
    _process: subprocess.Popen[bytes]
    _monitor: _Monitor

    @property
    def signed_image(self) -> Path:
        """The update image that the same build produced."""
        name = self.artifact.partition(".merged")[0].removesuffix(".hex")
        return self.folder / f"{name}.signed.bin"

    def reset(self) -> None:
        """Pull the reset line; flash stays, RAM too, as on the board."""
        self._monitor.execute("system_reset")

    def kill(self) -> None:
        """End the emulator at once."""
        self._process.kill()
        self._process.wait()

    def save_flash(self, path: Path) -> None:
        """Stop the processor where it is and write the flash, which begins at address 0.

        This is a power cut if the flash is given to another server afterwards.
        """
        self._monitor.execute("stop")
        self._monitor.execute("memsave", val=0, size=FLASH_SIZE, filename=str(path))


def artifact_of(target: str, config: str) -> dict[str, Any]:
    """Return the manifest's entry, or skip the test if that server is not in the archive."""
    folder = archive_folder()
    entries: list[dict[str, Any]] = json.loads((folder / "manifest.json").read_text())
    for entry in entries:
        if (entry["target"], entry["config"]) == (target, config):
            if not (folder / entry["artifact"]).is_file():
                pytest.skip(f"the archive does not hold {entry['artifact']}")
            return entry
    pytest.fail(f"the manifest knows no server {target} {config}")


@contextmanager
def zephyr_server(target: str, config: str, flash: Path | None = None) -> Iterator[ZephyrServer]:
    """Run a server in QEMU; with `flash`, power it up with the flash that `save_flash` wrote.

    Skips the test, with the reason, where there is no QEMU or no archive.
    """
    qemu = shutil.which(QEMU)
    if qemu is None:
        pytest.skip(f"{QEMU} is not installed")
    folder = archive_folder()
    entry = artifact_of(target, config)
    words, programs = _arguments(entry, folder)
    if flash is not None:
        assert target == _WITH_FLASH, "this target has no flash that stays"
        programs = [(0, flash.read_bytes())]
    elif target == _WITH_FLASH:
        programs = [(0, b"\xff" * FLASH_SIZE), *programs]
    with ExitStack() as stack:
        port, control, debug = _free_port(), _free_port(), _free_port()
        command = [qemu, *(word.replace(_PLACEHOLDER, str(port)) for word in words)]
        command += ["-qmp", f"tcp:127.0.0.1:{control},server=on,wait=off"]
        command += ["-S", "-gdb", f"tcp:127.0.0.1:{debug}"]
        with _on_one_cpu(port):
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        stack.callback(_end, process)
        monitor = stack.enter_context(_Monitor(control, process))
        with GdbStub(debug) as stub:
            for address, data in programs:
                stub.write(address, data)
            monitor.execute("system_reset")  # only now there is a reset vector
            console = socket.create_connection(("127.0.0.1", port), _START_TIME)
        # Nothing ran before the stub let go, so that nothing of what it says is missed.
        with console:
            _await_boot(console, says_so=target == _WITH_FLASH)
        yield ZephyrServer(
            f"serial:socket://127.0.0.1:{port}",
            entry["buf_size"],
            entry["buf_count"],
            folder,
            entry["artifact"],
            process,
            monitor,
        )


@contextmanager
def _on_one_cpu(number: int) -> Iterator[None]:
    """Let a program that is started meanwhile run on one of this machine's processors only.

    QEMU's serial line has no speed. With a processor for itself, the thread that feeds it keeps the
    firmware in its interrupt handler for as long as bytes come; nobody empties the two line buffers
    (`CONFIG_UART_MCUMGR_RX_BUF_COUNT`) meanwhile, and a third line is dropped ("Insufficient
    buffers, fragment dropped"). On one processor feeding and reading take turns, as on a real line,
    and about one in 2000 frames of five lines is lost instead of one in 100. Where the system can't
    do that (macOS, Windows) it stays at that.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[number % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _await_boot(console: socket.socket, *, says_so: bool) -> None:
    if not says_so:
        time.sleep(_BOOT_TIME)
        return
    said = b""
    while _UP.search(said) is None:
        try:
            received = console.recv(4096)
        except TimeoutError:
            received = b""
        if not received:
            pytest.fail(f"the server does not come up; it said {said!r}")
        said += received


def archive_folder() -> Path:
    """Return the folder with the servers, or skip the test."""
    return smpclient_sdist() / "tests" / "fixtures" / "smp-server"


def _arguments(entry: dict[str, Any], folder: Path) -> tuple[list[str], list[tuple[int, bytes]]]:
    """Return QEMU's arguments, and apart from them what they would load into memory."""
    # The answers leave the emulator byte by byte: without nodelay each waits for the one before.
    command = entry["qemu_cmd"].replace("server=on", "server=on,nodelay=on")
    words, programs = [], []
    for word in shlex.split(command)[1:]:
        if not word.startswith("loader,"):
            words.append(word)
            continue
        assert words.pop() == "-device"
        options = dict(option.partition("=")[::2] for option in word.split(",")[1:])
        programs += _segments(folder / options["file"], int(options.get("addr", "0"), 0))
    return words, programs


def _segments(file: Path, address: int) -> list[tuple[int, bytes]]:
    if file.suffix != ".hex":
        return [(address, file.read_bytes())]
    from intelhex import IntelHex

    program = IntelHex(str(file))
    return [
        (start, bytes(program.tobinarray(start=start, end=end - 1)))
        for start, end in program.segments()
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@dataclass
class _Monitor:
    """QEMU's own control connection (QMP: one JSON object a line)."""

    port: int
    process: subprocess.Popen[bytes]
    _stream: Any = field(default=None, init=False)

    def __enter__(self) -> _Monitor:
        end = time.monotonic() + _START_TIME
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", self.port), 5)
                break
            except OSError:
                if self.process.poll() is not None:
                    assert self.process.stdout is not None
                    said = self.process.stdout.read().decode(errors="replace")
                    pytest.fail(f"{QEMU} does not run: {said}")
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self._stream = self._socket.makefile("rwb")
        self._stream.readline()  # the greeting
        self.execute("qmp_capabilities")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def execute(self, command: str, **arguments: object) -> None:
        """Run one command and wait for its end; events that come before are passed over."""
        request = {"execute": command, "arguments": arguments}
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        while True:
            answer = json.loads(self._stream.readline())
            if "return" in answer:
                return
            assert "error" not in answer, answer
