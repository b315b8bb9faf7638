# SPDX-License-Identifier: Apache-2.0
"""The command line on a real Linux: kernel, BlueZ, D-Bus and bleak as Debian ships them.

It runs inside a virtual machine as it is installed from the wheel; the devices that it updates are
virtual ones on this side, so that what it claims is held against what the device holds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bluez import RELEASES, Finished, LinuxVm, Release, WatchedDevice, linux_vm
from sample_builds import copy_tiny
from west_dfu_ble.builddir import load
from west_dfu_ble.image import McubootImage, read
from west_dfu_ble.virtual import Access, RadioProfile, profile_from_build

pytestmark = [pytest.mark.peer, pytest.mark.timeout(400)]

REPOSITORY = Path(__file__).resolve().parents[2]
NEW = "1.3.0"
NEVER_REACHED = "the state of the device is not known: it was never reached"


@dataclass(frozen=True)
class Subject:
    """A build and its update image, here and (below `/work`) in the machine."""

    build: Path
    update: McubootImage

    def device(self, number: int, **radio: Any) -> WatchedDevice:
        """Return a device of this build that runs version 1.2.0; BlueZ knows each by its number."""
        profile = profile_from_build(load(self.build), version="1.2.0")
        radio = {"name": f"Board {number}", "address": f"C0:FF:EE:00:00:{number:02X}", **radio}
        return WatchedDevice(replace(profile, radio=RadioProfile(**radio)))

    def stays_on(self, device: WatchedDevice) -> bool:
        """Whether the device itself runs the update, and will do so after its next reset."""
        running = device.running()
        ran = running.digest if running else b""
        device.boot()
        after = device.running()
        return ran == self.update.digest and after is not None and after.digest == ran


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    tiny = copy_tiny(tmp_path_factory.mktemp("bluez") / "tiny")
    build = tiny / "build-swap"  # the key is where it looks for it
    words = [sys.executable, "-m", "west_dfu_ble", "sign", "-d", str(build)]
    subprocess.run([*words, "--image-version", NEW], check=True, capture_output=True, timeout=60)
    return Subject(build, read(build / "zephyr" / "app_update.bin"))


@pytest.fixture(scope="module", params=RELEASES, ids=lambda release: release.name)
def machine(request: pytest.FixtureRequest, subject: Subject) -> Iterator[LinuxVm]:
    release: Release = request.param
    tiny, update = subject.build.parent, subject.build / "zephyr" / "app_update.bin"
    with linux_vm(release, {"tiny": tiny, "update.bin": update}) as machine:
        print(machine.versions, f"booted in {machine.boot_seconds:.0f} s")
        yield machine
        print(machine.console())


@pytest.fixture
def linux(machine: LinuxVm) -> Iterator[LinuxVm]:
    """The machine with its Bluetooth adapter plugged in and switched on."""
    machine.plug()
    yield machine
    machine.unplug()


@pytest.mark.parametrize("action", ["scan", "upload"])
def test_no_adapter(action: str, machine: LinuxVm) -> None:
    done = run(machine, action)
    assert done.status == 6, done.err
    assert "error[LK401] no-adapter: this computer has no Bluetooth adapter" in done.err
    assert "the system says: No Bluetooth adapters found." in done.err
    if action == "upload":
        assert done.last_line == NEVER_REACHED


@pytest.mark.parametrize("action", ["scan", "upload"])
def test_no_message_bus(action: str, machine: LinuxVm) -> None:
    # As in a container.
    done = run(machine, action, env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"})
    assert done.status == 6, done.err
    assert "error[LK401] no-adapter: the system's message bus (D-Bus) cannot be" in done.err


def test_an_adapter_that_is_off(linux: LinuxVm) -> None:
    assert linux.run("/usr/bin/bluetoothctl", "power", "off").status == 0
    for action in ("scan", "upload"):
        done = run(linux, action)
        assert done.status == 6, done.err
        assert "error[LK401] no-adapter: Bluetooth is off" in done.err
        assert "bluetoothctl power on" in done.err
    assert linux.run("/usr/bin/bluetoothctl", "power", "on").status == 0
    assert run(linux, "scan").status == 0


def test_nobody_there(linux: LinuxVm) -> None:
    done = run(linux, "upload", "--timeout", 3)
    assert done.status == 6, done.err
    assert "error[LK402]" in done.err
    assert "no device at all was seen" in done.err
    assert done.last_line == NEVER_REACHED


def test_the_whole_job_on_an_open_device(linux: LinuxVm, subject: Subject) -> None:
    """All that the tool does, in there: check, sign, upload, test, reset, verify, confirm."""
    device = subject.device(1)
    with linux.air.put(device) as board, linux.air.put(subject.device(2, name="Neighbour")):
        scan = linux.dfu_ble("scan", "--timeout", 4, "--format", "json")
        assert scan.status == 0, scan.err
        seen = {one["name"]: one["address"] for one in json.loads(scan.out)}
        assert seen == {board.name: device.address, "Neighbour": "C0:FF:EE:00:00:02"}

        before = linux.dfu_ble("status", "--device", board.name)
        assert before.status == 0, before.err
        assert before.last_line.startswith("the device runs 1.2.0 (slot 0")

        # BlueZ has known the device since the last command: bleak alone would say 20 bytes now.
        arguments = ("-d", "/work/tiny/build-swap", "--image-version", NEW, "--device", board.name)
        done = linux.dfu_ble(*arguments)
        assert done.status == 0, done.err
        assert f"connect  {board.name}, 495 bytes a write" in done.err
        assert done.last_line.startswith(f"the device runs {NEW} (slot 0")
        assert "will run it again after a reset" in done.last_line
    assert device.boots == 2
    assert subject.stays_on(device)


def test_what_is_not_confirmed_is_reverted(linux: LinuxVm, subject: Subject) -> None:
    device = subject.device(3, advertise_service=True)
    with linux.air.put(device):
        tried = run(linux, "upload", "--no-confirm")  # no name: the only one with the service
        assert tried.status == 0, tried.err
        assert f"the device runs {NEW}" in tried.last_line
        assert "will go back to 1.2.0" in tried.last_line
        back = run(linux, "reset")
        assert back.status == 0, back.err
        assert back.last_line.startswith("the device runs 1.2.0 (slot 0")
    assert not subject.stays_on(device)


def test_a_device_that_wants_encryption_is_paired(linux: LinuxVm, subject: Subject) -> None:
    device = subject.device(4, access=Access.ENCRYPTED)
    with linux.air.put(device) as board:
        done = run(linux, "upload", "--device", board.name)
        assert done.status == 0, done.err
        assert "Paired: yes" in linux.run("/usr/bin/bluetoothctl", "info", device.address).out
        again = run(linux, "status", "--device", board.name)  # with the keys of that pairing
        assert again.status == 0, again.err
        assert again.last_line.startswith(f"the device runs {NEW}")
    assert subject.stays_on(device)


def test_a_device_with_a_display_wants_its_passkey(linux: LinuxVm, subject: Subject) -> None:
    device = subject.device(5, access=Access.AUTHENTICATED, passkey=141421)
    with linux.air.put(device) as board:
        refused = run(linux, "upload", "--device", board.name)
        assert refused.status == 6, refused.err
        assert "error[LK405]" in refused.err
        assert "--passkey" in refused.err
        assert refused.last_line == NEVER_REACHED
        assert device.bytes_taken == 0

        linux.wait_until_powered()
        # BlueZ has a pairing without a passkey now, and makes a better one of it.
        done = run(linux, "upload", "--device", board.name, "--passkey", "141421")
        assert done.status == 0, done.err
    assert subject.stays_on(device)


def test_a_device_that_goes_out_of_range_and_comes_back(linux: LinuxVm, subject: Subject) -> None:
    device = subject.device(6)
    with linux.air.put(device) as board:
        board.vanish_after(80_000)
        running = linux.start("upload", "--image", "/work/update.bin", "--device", board.name)
        assert board.gone.wait(90), what_came_of(running)
        time.sleep(3)
        board.come_back()
        done = running.result(200)
        assert done.status == 0, done.err
        assert "connecting again (1 of 5)" in done.err
    # What had arrived before is not sent again, but for what was in flight.
    assert device.bytes_taken < subject.update.size + 20_000
    assert subject.stays_on(device)


def test_a_device_that_goes_out_of_range_for_good(linux: LinuxVm, subject: Subject) -> None:
    device = subject.device(7)
    with linux.air.put(device) as board:
        board.vanish_after(80_000)
        done = run(linux, "upload", "--device", board.name, "--timeout", 4, "--retries", 1)
        assert board.gone.is_set()
        assert done.status == 7, done.err  # it holds a part of the image now
        assert (
            f"error[LK402] device-not-found: no device {board.name!r} was seen in 4 s" in done.err
        )
        assert done.last_line.startswith("when last seen, the device runs 1.2.0 (slot 0")
    assert device.running() is not None
    assert device.bytes_taken >= 80_000
    assert not subject.stays_on(device)


def test_two_devices_at_once_both_to_be_paired_and_one_lost(
    linux: LinuxVm, subject: Subject
) -> None:
    # BlueZ asks one question at a time, and the agent that came last.
    door = subject.device(9, access=Access.AUTHENTICATED, passkey=141421)
    roof = subject.device(10, access=Access.AUTHENTICATED, passkey=141421)
    with linux.air.put(door) as first, linux.air.put(roof) as second:
        second.vanish_after(80_000)
        names = ("--device", first.name, "--device", second.name, "--passkey", "141421")
        running = linux.start("upload", "--image", "/work/update.bin", *names)
        assert second.gone.wait(120), what_came_of(running)
        second.come_back()
        done = running.result(200)
    assert done.status == 0, done.err
    assert done.last_line == "2 devices: 2 done"
    assert f"{second.name}  note     " in done.err
    assert subject.stays_on(door)
    assert subject.stays_on(roof)


def test_bluetooth_that_is_switched_off_in_the_middle(linux: LinuxVm, subject: Subject) -> None:
    device = subject.device(8)
    with linux.air.put(device) as board:
        device.when_taken(80_000, board.reached.set)
        running = linux.start("upload", "--image", "/work/update.bin", "--device", board.name)
        assert board.reached.wait(90), what_came_of(running)
        assert linux.run("/usr/bin/bluetoothctl", "power", "off").status == 0
        done = running.result(200)
    assert done.status == 7, done.err
    assert "error[LK401] no-adapter: Bluetooth is off" in done.err
    assert done.last_line.startswith("when last seen, the device runs 1.2.0 (slot 0")


def what_came_of(running: Future[Finished]) -> str:
    """Return what a command that was started said, for a test that waits in vain."""
    done = running.result(200)
    return f"{done}\n{done.out}\n{done.err}"


def run(
    linux: LinuxVm, action: str, *arguments: object, env: Mapping[str, str] | None = None
) -> Finished:
    """Run an action, an upload with the update image."""
    image = ("--image", "/work/update.bin") if action == "upload" else ()
    patience = ("--timeout", 2) if action == "scan" else ()
    return linux.dfu_ble(action, *image, *patience, *arguments, env=env)
