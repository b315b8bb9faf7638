# SPDX-License-Identifier: Apache-2.0
"""The frames of a real Zephyr 3.5.0 server, replayed: every recorded answer, byte for byte.

What is not compared, and why:

* Requests of bulk uploads were not recorded, their answers were. They are made anew from the
  offsets in the answers; the bytes between those that were recorded are made up, and with them the
  digest that a request for an image check carries.
* Bursts (scenario F, and the second half of the recording without reassembly) went out without
  waiting: which of them found a buffer depended on how fast the real server just was, and with that
  whether the slot was empty when it was erased afterwards. How full buffers are answered is tested
  apart from this, with the two bursts of scenario F that filled them before the first was served.
* The bootloader behind the recordings was a stand-in. What is believed here about images is put in
  its place: those that were uploaded whole are good, the one that was damaged on purpose is not.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2
import pytest

from smp_talk import encode_request
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import DeviceProfile, ServerProfile, SlotProfile, VirtualDevice
from west_dfu_ble.virtual.validate import Validator

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "transcripts"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")

SLOT_SIZE = 0x69000
# Digests of the recorded images, by version; the second one was also uploaded damaged.
DIGESTS = {
    (1, 0, 0): "764ca7c88d3afd0b446052c7ed02389e82f8c2d56bb591ebe6541d436e83ea5b",
    (2, 0, 0): "c59312620a87fad0edf24454c0f1b9a05e6fa09d731fc60c15782df4031efd58",
    (3, 0, 0): "4592f9622857c583d495cea549aad6beb5d155461095e4e54cc5a15f075504b6",
}
V2_SIZE, V3_SIZE = 204_751, 60_662
# What the client said of the third image, which was uploaded in one go and resumed in another.
SHAS = {V3_SIZE: bytes.fromhex("fb2696a71bb79d68f780550999f2cdec9428b80802485aba7e4856f916644762")}


def made_up(version: tuple[int, int, int], size: int, filler: bytes = b"\0") -> bytes:
    """An image of that size, version and digest; what is in it is of no account."""
    tlvs = struct.pack("<HHHH", 0x6907, 40, 0x10, 32) + bytes.fromhex(DIGESTS[version])
    payload = filler * (size - 0x200 - len(tlvs))
    header = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, 0x200, 0, len(payload), 0, *version, 0, 0)
    return header.ljust(0x200, b"\0") + payload + tlvs


@dataclass(frozen=True)
class Line:
    """One line of a recording."""

    kind: str
    frame: bytes
    note: str


def lines(name: str) -> list[Line]:
    found = []
    for text in (FOLDER / name).read_text().splitlines():
        entry = json.loads(text)
        found.append(Line(entry["dir"], bytes.fromhex(entry["hex"]), entry["note"]))
    return found


@dataclass
class Replay:
    """One recording against one device."""

    device: VirtualDevice
    images: dict[int, bytes]
    rewrite: Callable[[dict[str, Any]], dict[str, Any]] = lambda request: request
    mtu: int = 498
    now: float = 0.0
    compared: int = 0
    raced: bool = False
    answers: list[bytes] = field(default_factory=list)
    offset: int = 0
    image: bytes = b""
    sha: bytes = b""

    def play(self, recording: list[Line]) -> None:
        bursting = False
        for line in recording:
            self.now += 0.001
            if re.match(r"\d+ upload requests at once", line.note) or "burst 1/" in line.note:
                bursting = self.raced = True
            elif line.kind == "event" or (line.kind == "req" and "burst " not in line.note):
                bursting = False
            if line.kind == "event":
                self._event(line.note)
            elif line.kind == "rsp" and not bursting:
                self._answer(line, recording)
            elif line.kind != "rsp":
                assert not self.answers, line.note
                self._send(self._rewritten(line.frame))
                if bursting:
                    self.answers.clear()
        assert not self.answers

    def _event(self, note: str) -> None:
        assert not self.answers, f"{self.answers} before {note}"
        if note.startswith("disconnected"):
            self.device.disconnected()
            self.now += 10
            self.device.tick(self.now)
        connected = re.match(r"connected .* ATT MTU (\d+)", note)
        if connected:
            self.mtu = int(connected[1])

    def _answer(self, line: Line, recording: list[Line]) -> None:
        if not self.answers:
            self._send(self._missing_request(line, recording))
        answer = self.answers.pop(0)
        if self.raced and (line.frame[4:6], line.frame[7]) == (b"\0\1", 5):
            self.raced = False
            return
        assert answer.hex() == line.frame.hex(), line.note
        self.compared += 1

    def _missing_request(self, line: Line, recording: list[Line]) -> bytes:
        """Make the request that belongs to an answer, which is all that was recorded."""
        op, group, sequence, command = struct.unpack(">BxxxHBB", line.frame[:8])
        answer = cbor2.loads(line.frame[8:])
        if (group, command) != (1, 1):
            request: dict[str, Any] = {} if group else {"d": answer["r"]}
        elif self.image and answer["off"] == self.offset:
            # Nothing was added: it was asked where to go on.
            request = {"off": 0, "data": self.image[:300], "len": len(self.image), "sha": self.sha}
        else:
            if not self.image or answer["off"] < self.offset:
                self.image = self._image_of_upload(line, recording)
                self.sha = SHAS.get(len(self.image), hashlib.sha256(self.image).digest())
                self.offset = 0
            request = {"off": self.offset, "data": self.image[self.offset : answer["off"]]}
            if self.offset == 0:
                request |= {"len": len(self.image), "sha": self.sha}
        return encode_request((op & 7) - 1, group, command, request, sequence=sequence)

    def _image_of_upload(self, line: Line, recording: list[Line]) -> bytes:
        """Return the image whose length the upload that begins with this answer reaches."""
        last = 0
        position = next(n for n, one in enumerate(recording) if one is line)
        for one in recording[position:]:
            if one.kind == "rsp" and one.frame[4:6] == b"\0\1" and one.frame[7] == 1:
                offset = cbor2.loads(one.frame[8:]).get("off", 0)
                if offset < last:
                    break
                last = offset
        corrupt = "corrupt" in next(
            (one.note for one in recording[position:] if one.kind == "req"), ""
        )
        if last > V3_SIZE:
            return self.images[-V2_SIZE if corrupt else V2_SIZE]
        return self.images[V3_SIZE if last else V2_SIZE]

    def _rewritten(self, frame: bytes) -> bytes:
        if frame[4:6] != b"\0\1" or frame[7:8] != b"\1" or len(frame) < 12:
            return frame
        try:
            request = cbor2.loads(frame[8:])
        except cbor2.CBORDecodeError:
            return frame
        if isinstance(request, dict):
            changed = self.rewrite(dict(request))
            if changed != request:
                body = cbor2.dumps(changed)
                return frame[:2] + len(body).to_bytes(2, "big") + frame[4:8] + body
        return frame

    def _note(self, frame: bytes, answers: list[bytes]) -> None:
        """Keep in mind how far the upload is."""
        if frame[4:6] != b"\0\1" or frame[7] not in (1, 5) or not answers:
            return
        if frame[7] == 5:
            self.image = b""
            return
        with suppress(cbor2.CBORDecodeError):
            request = cbor2.loads(frame[8:])
            if not isinstance(request, dict):  # cbor2 before 6.1 reads a lone "break"
                return
            if request.get("off") == 0 and request.get("len") in self.images:
                self.image = self.images[request["len"]]
                self.sha = request.get("sha", b"")
        answer = cbor2.loads(answers[-1][8:])
        self.offset = answer.get("off", 0)
        if self.offset >= len(self.image):
            self.image = b""

    def _send(self, frame: bytes) -> None:
        two_frames = len(frame) > 8 and 8 + int.from_bytes(frame[2:4], "big") < len(frame)
        size = len(frame) if two_frames else self.mtu - 3
        answers = []
        for start in range(0, len(frame), size):
            answers += self.device.receive(frame[start : start + size], self.now)
        self._note(frame, answers)
        self.answers += answers


def device(server: ServerProfile) -> VirtualDevice:
    return VirtualDevice(
        DeviceProfile(
            BootloaderMode.SWAP_USING_MOVE,
            (SlotProfile(0, 0, 0xC000, SLOT_SIZE), SlotProfile(0, 1, 0x75000, SLOT_SIZE)),
            {(0, 0): made_up((1, 0, 0), 30_000)},
            check_reset_vector=False,
            server=server,
        )
    )


@pytest.fixture(autouse=True)
def _stand_in_bootloader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Validator, "_judge", lambda _self, data: "damaged" if b"\x55" * 1000 in data else None
    )


def known_pieces(name: str) -> dict[int, bytes]:
    """The bytes of the third image that were recorded, by offset."""
    notes = ("off 0 of ANOTHER", "chunk of 2000", "chunk of 2302", "resumed upload")
    requests = [
        cbor2.loads(line.frame[8:])
        for line in lines(name)
        if line.kind == "req" and line.note.startswith(notes)
    ]
    return {request["off"]: request["data"] for request in requests}


def images() -> dict[int, bytes]:
    third = bytearray(made_up((3, 0, 0), V3_SIZE))
    for offset, data in known_pieces("zephyr-3.5.0-reassembly.jsonl").items():
        third[offset : offset + len(data)] = data
    return {
        V2_SIZE: made_up((2, 0, 0), V2_SIZE),
        -V2_SIZE: made_up((2, 0, 0), V2_SIZE, b"\x55"),
        V3_SIZE: bytes(third),
    }


SERVER_35 = ServerProfile(bootloader_info=False, kernel_version="3.5.0")


def test_the_server_with_reassembly() -> None:
    replay = Replay(device(SERVER_35), images())
    replay.play(lines("zephyr-3.5.0-reassembly.jsonl"))
    assert replay.compared == 1897  # of 1979; the others were raced for


def test_the_server_without_reassembly() -> None:
    server = ServerProfile(buf_size=384, reassembly=False, bootloader_info=False)
    recording = lines("zephyr-3.5.0-no-reassembly.jsonl")
    # From the first offset on that was answered twice the client had more than two in flight.
    raced = next(
        n
        for n, line in enumerate(recording)
        if n and "'off'" in line.note and line.frame[8:] == recording[n - 1].frame[8:]
    )
    assert raced == 584
    replay = Replay(device(server), images(), mtu=252)
    replay.play(recording[:raced])
    assert replay.compared == 577


def test_the_server_that_checks_images() -> None:
    known = images()
    third = bytearray(known[V3_SIZE])
    right = hashlib.sha256(bytes(third)).digest()

    def rewrite(request: dict[str, Any]) -> dict[str, Any]:
        # The right digest of what was made up, in place of the right digest of what was recorded.
        if request.get("sha") == SHAS[V3_SIZE]:
            request["sha"] = right
        return request

    server = ServerProfile(image_check=True, verbose_errors=True)
    recording = lines("zephyr-3.5.0-image-check.jsonl")
    replay = Replay(device(server), known, rewrite)
    replay.play(recording)
    assert replay.compared == sum(line.kind == "rsp" for line in recording)


@pytest.mark.parametrize("count", [5, 8])
def test_a_burst_of_echoes_that_fills_all_buffers(count: int) -> None:
    recording = lines("zephyr-3.5.0-reassembly.jsonl")
    start = next(n for n, one in enumerate(recording) if one.note == f"echo burst 1/{count}")
    requests = recording[start : start + count]
    answers = [one.frame for one in recording[start + count : start + count + 4]]
    board = device(SERVER_35)
    kept = [board.take(one.frame, 0.0) for one in requests]
    assert kept == [True] * 4 + [False] * (count - 4)
    served = []
    while (answer := board.serve(0.0)) is not None:
        served.append(answer.frame)
        board.sent()
    assert served == answers
