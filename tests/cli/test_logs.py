# SPDX-License-Identifier: Apache-2.0
"""`--verbose`, `--log-file` and `--hci-log`: what went over the link, for people and Wireshark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cbor2
import pytest

from running import RunDfuBle
from serving import serving
from west_dfu_ble.smp import HEADER_SIZE, decode_header

UPDATE = ("--link", "virtual", "--speed", "max")
LINE = re.compile(r"^ *\d+\.\d{3} (->|<-|--) (.+)$", re.MULTILINE)
tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def test_verbose_tells_every_frame(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("-d", tiny / "build-swap", *UPDATE, "-v")
    assert result.status == 0, result.err
    lines = LINE.findall(result.err)
    size = (tiny / "build-swap/zephyr/app_update.bin").stat().st_size
    sent = [text for direction, text in lines if direction == "->"]
    data = [int(n) for text in sent for n in re.findall(r"data=<(\d+) bytes>", text)]
    assert sum(data) == size
    offsets = [int(o) for text in sent for o in re.findall(r"upload .* off=(\d+) .*data=<", text)]
    assert offsets[0] == 0
    assert max(offsets) + data[-1] == size
    words = " ".join(sent)
    for command in ("read os mcumgr parameters", "write image state", "write os reset"):
        assert f"{command} seq " in words
    # Every request is there with its answer, or what became of the link.
    received = [text for direction, text in lines if direction == "<-"]
    assert len(received) == len(sent)
    assert "-- the link was lost: " in result.err
    assert "MGMT_ERR_ENOTSUP" in result.err
    assert LINE.findall(result.out) == []


def test_a_log_file_leaves_the_terminal_alone(dfu_ble: RunDfuBle, tiny: Path) -> None:
    log = tiny / "frames.log"
    result = dfu_ble(
        *("status", "-d", tiny / "build-swap", *UPDATE, "--log-file", log, "--format", "json")
    )
    assert result.status == 0
    json.loads(result.out)
    assert LINE.findall(result.err) == []
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(LINE.match(line) for line in lines)
    assert any("<- read response image state seq" in line for line in lines)


@pytest.mark.parametrize("option", ["--log-file", "--hci-log"])
def test_a_log_that_can_not_be_written(dfu_ble: RunDfuBle, tiny: Path, option: str) -> None:
    place = tiny / "nowhere" / "log"
    result = dfu_ble("status", "-d", tiny / "build-swap", *UPDATE, option, place)
    assert result.status == 2
    assert "error[EN008] bad-configuration: the log can't be written" in result.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("option", ["--log-file", "--hci-log"])
def test_a_full_disk_does_not_stop_an_update(dfu_ble: RunDfuBle, tiny: Path, option: str) -> None:
    result = dfu_ble("-d", tiny / "build-swap", *UPDATE, option, "/dev/full")
    assert result.status == 0
    assert "runs 1.2.0" in result.last_line
    assert "the log can't be written: No space left on device" in result.err


@pytest.mark.parametrize(
    ("link", "said"), [("ble", "btmon -w FILE"), ("udp:127.0.0.1:1", "has no HCI packets")]
)
def test_packets_that_pass_elsewhere(
    dfu_ble: RunDfuBle, tmp_path: Path, link: str, said: str
) -> None:
    log = tmp_path / "log.btsnoop"
    result = dfu_ble("status", "--link", link, "--hci-log", log)
    assert result.status == 2
    assert "error[LK408]" in result.err
    assert said in result.err
    assert not log.exists()


@pytest.mark.parametrize("option", ["--verbose", "--hci-log=x", "--log-file=x", "--report=html:x"])
def test_the_matrix_of_faults_has_no_log(dfu_ble: RunDfuBle, tiny: Path, option: str) -> None:
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--faults", option)
    assert result.status == 2
    assert "error[EN008]" in result.err


def fields(log: Path, display_filter: str, *names: str) -> list[list[str]]:
    """What tshark makes of the packets that fit the filter."""
    wanted = [part for name in names for part in ("-e", name)]
    done = subprocess.run(
        ["tshark", "-r", log, "-Y", display_filter, "-T", "fields", *wanted],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


SERVICE = "8d53dc1d1db74cd3868b8a527460aa84"
CHARACTERISTIC = "da2e7828fbce4e01ae9e261174997c48"


def uploaded(log: Path) -> bytes:
    """The image, put together from the ATT writes that Wireshark's dissector shows."""
    writes = fields(log, "btatt.opcode == 0x52", "btatt.uuid128", "btatt.value")
    assert {uuid for uuid, _ in writes} == {CHARACTERISTIC}
    stream = bytes.fromhex("".join(value for _, value in writes).replace(":", ""))
    image = bytearray()
    while stream:
        header = decode_header(stream)
        end = HEADER_SIZE + header.length
        values = cbor2.loads(stream[HEADER_SIZE:end])
        if (header.group, header.command) == (1, 1) and values["data"]:
            assert values["off"] == len(image)
            image += values["data"]
        stream = stream[end:]
    return bytes(image)


@tshark
def test_wireshark_shows_service_writes_and_answers(dfu_ble: RunDfuBle, tiny: Path) -> None:
    log = tiny / "log.btsnoop"
    result = dfu_ble("-d", tiny / "build-swap", *UPDATE, "--hci-log", log)
    assert result.status == 0, result.err
    assert uploaded(log) == (tiny / "build-swap/zephyr/app_update.bin").read_bytes()
    # The service is asked for by its UUID, and found.
    asked = fields(log, "btatt.opcode == 0x06", "btatt.uuid16", "btatt.value")
    assert ["0x2800", bytes.fromhex(SERVICE)[::-1].hex()] in asked
    assert fields(log, "btatt.opcode == 0x07", "btatt.group_end_handle") != []
    answers = fields(log, "btatt.opcode == 0x1b", "btatt.uuid128")
    assert {uuid for (uuid,) in answers} == {CHARACTERISTIC}
    assert fields(log, "_ws.malformed", "frame.number") == []
    if os.name == "posix":
        assert log.stat().st_mode & 0o077 == 0, "it holds the keys of a pairing"


@tshark
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child process")
def test_both_ends_of_a_served_device_have_a_log(dfu_ble: RunDfuBle, tiny: Path) -> None:
    build = tiny / "build-swap"
    ours, theirs = tiny / "ours.btsnoop", tiny / "theirs.btsnoop"
    assert dfu_ble("sign", "-d", build).status == 0
    with serving("-d", build, "--hci", "127.0.0.1:0", "--hci-log", theirs) as served:
        paired = ("--device", "Tiny swap", "--passkey", "271828", "--hci-log", ours)
        assert dfu_ble("upload", "-d", build, "--link", served.link, *paired).status == 0
    image = (build / "zephyr/app_update.bin").read_bytes()
    assert uploaded(ours) == image
    # A device's own side: it knows its service without asking, so that only values are decoded.
    values = fields(theirs, "btatt.opcode == 0x52", "btatt.value")
    assert image[:400].hex() in "".join(value for (value,) in values).replace(":", "")
