# SPDX-License-Identifier: Apache-2.0
"""The virtual machine itself: QEMU with two serial ports, and programs that run inside."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .air import HostAir
from .image import BootFiles, boot_files
from .release import Release

_QEMU = "qemu-system-x86_64"
_BOOT_TIME = 240
_POWER_TIME = 60
_GRACE = 30
# No KVM even where there is one: what is tested has to be the same everywhere.
_MACHINE = """
-nodefaults -no-user-config -no-reboot -display none -accel tcg -machine q35 -cpu max -smp 2 -m 1024
-device virtio-rng-pci -device virtio-serial-pci
"""
_KERNEL_LINE = "console=ttyS0 quiet panic=-1 mitigations=off"


@dataclass(frozen=True)
class Finished:
    """How a program in the machine ended; `status` is `None` if it did not end in time."""

    status: int | None
    out: str
    err: str
    seconds: float

    @property
    def last_line(self) -> str:
        """The last line of standard output."""
        return self.out.rstrip().rpartition("\n")[2]


class LinuxVm:
    """A running machine; `air` is what surrounds its Bluetooth adapter."""

    def __init__(
        self, process: subprocess.Popen[bytes], control: socket.socket, air: HostAir, console: Path
    ) -> None:
        """For `linux_vm`."""
        self.air = air
        self.versions: Mapping[str, str] = {}
        self.boot_seconds = 0.0
        self._process = process
        self._control = control
        self._console = console
        self._futures: dict[int, Future[dict[str, Any]]] = {0: Future()}
        threading.Thread(target=self._listen, daemon=True).start()

    def wait_until_up(self) -> None:
        """Wait for the end of the boot."""
        started = time.monotonic()
        self._await(self._futures[0], _BOOT_TIME)
        self.boot_seconds = time.monotonic() - started

    def dfu_ble(
        self, *arguments: object, seconds: float = 150, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Run our command line inside, as its console script was installed."""
        words = ["/usr/bin/python3", "/site/bin/dfu-ble", *map(str, arguments)]
        return self.run(*words, seconds=seconds, env=env)

    def run(
        self, *argv: str, seconds: float = 30, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Run a program inside to its end, with `env` on top of its usual environment."""
        started = time.monotonic()
        settings = {"argv": argv, "seconds": seconds, "env": env or {}}
        answer = self._order("run", seconds + _GRACE, settings)
        took = time.monotonic() - started
        return Finished(answer["status"], answer["out"], answer["err"], took)

    def start(self, *arguments: object, seconds: float = 150) -> Future[Finished]:
        """Run our command line inside and go on."""
        future: Future[Finished] = Future()

        def work() -> None:
            try:
                future.set_result(self.dfu_ble(*arguments, seconds=seconds))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future

    def plug(self) -> None:
        """Plug the Bluetooth adapter in, and wait until BlueZ has switched it on."""
        self.air.plug()
        self._order("plug", _GRACE)
        self.wait_until_powered()

    def wait_until_powered(self) -> None:
        """Wait until BlueZ has switched its adapter on, as it does by itself."""
        end = time.monotonic() + _POWER_TIME
        while time.monotonic() < end:
            if "Powered: yes" in self.run("/usr/bin/bluetoothctl", "show", seconds=5).out:
                return
            time.sleep(0.5)
        raise AssertionError(f"BlueZ does not switch its adapter on\n{self.console()}")

    def unplug(self) -> None:
        """Pull the Bluetooth adapter out."""
        self._order("unplug", _GRACE)
        self.air.unplug()

    def console(self) -> str:
        """Return the end of what the machine wrote to its console."""
        files = (self._console, self._console.with_suffix(".qemu"))
        return "".join(f.read_text(errors="replace")[-4000:] for f in files if f.is_file())

    def _order(
        self, do: str, seconds: float, settings: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        number = len(self._futures)
        future = self._futures[number] = Future()
        order = {"id": number, "do": do, "with": settings or {}}
        self._control.sendall(json.dumps(order).encode() + b"\n")
        return self._await(future, seconds)

    def _await(self, future: Future[dict[str, Any]], seconds: float) -> dict[str, Any]:
        try:
            answer = future.result(seconds)
        except TimeoutError:
            problem = f"the machine says nothing for {seconds} s"
            raise AssertionError(f"{problem}\n{self.console()}") from None
        assert "failure" not in answer, answer["failure"]
        return answer

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                answer = json.loads(line)
                self._futures[answer["id"]].set_result(answer)
        for future in list(self._futures.values()):
            if not future.done():
                future.set_exception(AssertionError(f"the machine ended\n{self.console()}"))


@contextmanager
def linux_vm(release: Release, files: Mapping[str, Path]) -> Iterator[LinuxVm]:
    """Boot a machine with `files` in `/work`; it ends with the block. Skips where that can't be."""
    if sys.platform != "linux":
        pytest.skip(f"the machine is made on Linux only, this is {sys.platform}")
    if shutil.which(_QEMU) is None:
        pytest.skip(f"there is no {_QEMU} (Debian: qemu-system-x86)")
    with tempfile.TemporaryDirectory() as scratch:
        boot = boot_files(release, Path(scratch), files)
        with _running(boot, Path(scratch, "console")) as machine:
            machine.versions = boot.versions
            machine.wait_until_up()
            yield machine


@contextmanager
def _running(boot: BootFiles, console: Path) -> Iterator[LinuxVm]:
    ends = {name: socket.socketpair() for name in ("hci", "control")}
    command = [_QEMU, *_MACHINE.split(), "-serial", f"file:{console}"]
    command += ["-kernel", str(boot.kernel), "-initrd", str(boot.initramfs)]
    command += ["-append", _KERNEL_LINE]
    for name, (_, theirs) in ends.items():
        command += ["-chardev", f"socket,id={name},fd={theirs.fileno()}"]
        command += ["-device", f"virtserialport,chardev={name},name={name}"]
    with console.with_suffix(".qemu").open("wb") as complaints:
        process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno() for _, theirs in ends.values()],
            stdin=subprocess.DEVNULL,
            stdout=complaints,
            stderr=complaints,
        )
    for _, theirs in ends.values():
        theirs.close()
    air = HostAir(ends["hci"][0])
    air.start()
    try:
        yield LinuxVm(process, ends["control"][0], air, console)
    finally:
        process.kill()
        process.wait(_GRACE)
        air.close()
        for ours, _ in ends.values():
            ours.close()
