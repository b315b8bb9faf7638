# SPDX-License-Identifier: Apache-2.0
"""Frames, payloads and errors, against what a real Zephyr 3.5 sent and against garbage."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest

from west_dfu_ble import smp
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.smp import image_group, os_group

TRANSCRIPTS = Path(__file__).parents[3] / "shared" / "transcripts"
RECORDED = sorted(TRANSCRIPTS.glob("*.jsonl"))
FUZZ_ROUNDS = int(os.environ.get("DFU_BLE_FUZZ_ROUNDS", "3000"))

needs_transcripts = pytest.mark.skipif(not RECORDED, reason="the recorded frames are not here")


def records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@needs_transcripts
@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_every_recorded_answer_is_put_together_and_understood(path: Path) -> None:
    seen = 0
    assembler = smp.FrameAssembler()
    for record in records(path):
        if record["dir"] != "rsp":
            continue
        data = bytes.fromhex(record["hex"])
        # In pieces of a small ATT MTU; the recorded sizes are up to 495 bytes.
        frames = [
            frame for at in range(0, len(data), 20) for frame in assembler.feed(data[at : at + 20])
        ]
        assert [bytes(f.header) + f.payload for f in frames] == [data]
        payload = smp.decode_payload(frames[0].payload)
        error = smp.find_error(payload)
        group, command = frames[0].header.group, frames[0].header.command
        if error is None and (group, command) == (1, 0):
            assert image_group.parse_state(payload).active() is not None
        if error is None and (group, command) == (1, 1):
            assert image_group.parse_upload(payload).offset >= 0
        if error is None and (group, command) == (0, 6):
            assert os_group.parse_parameters(payload).buffer_count == 4
        seen += 1
    assert seen > 30
    assert assembler.dropped == 0


@needs_transcripts
def test_our_requests_are_those_that_the_real_server_understood() -> None:
    """The recorded client's requests, rebuilt by ours, are the same maps."""
    ours = {
        "MCUmgr parameters": os_group.parameters(),
        "image state": image_group.read_state(),
        "echo, SMP v2": os_group.echo("hello"),
    }
    path = TRANSCRIPTS / "zephyr-3.5.0-reassembly.jsonl"
    found: dict[str, bytes] = {}
    for record in records(path):
        if record["dir"] == "req" and record["note"] in ours:
            found.setdefault(record["note"], bytes.fromhex(record["hex"]))
    assert set(found) == set(ours)
    for note, frame in found.items():
        assert ours[note].encode(frame[6], 1) == frame


@pytest.mark.parametrize("frame_size", [128, 252, 384, 495, 1024, 2475])
@pytest.mark.parametrize("offset", [0, 23, 24, 255, 256, 40000, 65535, 65536, 204751])
def test_a_chunk_fills_its_frame(frame_size: int, offset: int) -> None:
    size = image_group.chunk_size(frame_size, offset)
    frame = image_group.upload_next(b"x" * size, offset).encode(7, 1)
    assert len(frame) <= frame_size
    longer = image_group.upload_next(b"x" * (size + 1), offset).encode(7, 1)
    assert len(longer) > frame_size
    digest = bytes(32)
    size = image_group.first_chunk_size(frame_size, 200_000, digest, 0)
    first = image_group.upload_first(b"x" * size, 200_000, digest, 0).encode(7, 1)
    assert frame_size - 1 <= len(first) <= frame_size


def test_a_full_frame_carries_what_the_facts_say() -> None:
    assert image_group.chunk_size(2475, 4602) == 2451


@pytest.mark.parametrize(
    ("payload", "name", "words"),
    [
        ({"rc": 8}, "MGMT_ERR_ENOTSUP", "built without this command"),
        ({"rc": 6, "rsn": "no slot"}, "MGMT_ERR_EBADSTATE", "the device says 'no slot'"),
        ({"err": {"group": 1, "rc": 9}}, "IMG_MGMT_ERR_NO_FREE_SLOT", "the slot is in use"),
        ({"ret": {"group": 1, "rc": 25}}, "IMG_MGMT_ERR_INVALID_FLASH_ADDRESS", "other slot"),
        ({"err": {"group": 0, "rc": 3}}, "OS_MGMT_ERR_QUERY_YIELDS_NO_ANSWER", "no answer"),
        ({"err": {"group": 1, "rc": 99}}, "group 1 error 99", "does not know"),
        ({"err": {"group": 64, "rc": 1}}, "group 64 error 1", "does not know"),
        ({"rc": 300}, "rc 300", "own application"),
        ({"rc": -5}, "rc -5", "does not know"),
    ],
)
def test_errors_have_names_and_words(payload: dict[str, object], name: str, words: str) -> None:
    error = smp.find_error(payload)
    assert error is not None
    assert error.name == name
    assert words in str(error)


@pytest.mark.parametrize("payload", [{}, {"rc": 0}, {"ret": 5}, {"err": {"group": 1, "rc": 0}}])
def test_success_in_all_its_shapes(payload: dict[str, object]) -> None:
    # `ret` as a plain number is the shell group's own exit code, not an error.
    assert smp.find_error(payload) is None


NONSENSE = {
    "no map": cbor2.dumps([1, 2]),
    "cut off": cbor2.dumps({"images": [1, 2, 3]})[:-1],
    "empty": b"",
    "deep": b"\x81" * 200 + b"\x00",
    "long string": b"\xa1\x61a\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "long array": b"\xa1\x61a\x9b\x00\x00\x00\x7f\xff\xff\xff\xff",
    "long map": b"\xbb\x00\x00\x00\x7f\xff\xff\xff\xff",
    "a million items": b"\xa1\x61a\x9f" + b"\xa0" * 60000 + b"\xff",
    "tag": cbor2.dumps({"a": cbor2.CBORTag(35, "(a+)+$")}),
    "cycle": bytes.fromhex("a16161d81c81d81d00"),
    "break": b"\xff\xff",
    "key is a list": b"\xa1\x80\x00",
    "half a pair": b"\xbf\x61a\xff",
    "bad text": b"\xa1\x61\xff\x00",
    "reserved": b"\xa1\x61a\x1c",
    "mixed pieces": b"\xa1\x61a\x7f\x41x\xff",
}


@pytest.mark.parametrize("payload", NONSENSE.values(), ids=NONSENSE)
def test_a_payload_that_no_server_sends_is_nonsense(payload: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(DfuBleError) as caught:
        smp.decode_payload(payload)
    assert caught.value.diagnostic.code == "DV511"
    assert caught.value.status is ExitStatus.DEVICE
    assert time.perf_counter() - started < 1


def test_pieces_of_strings_and_odd_keys_are_taken() -> None:
    payload = bytes.fromhex("bf 6161 7f 6162 6163 ff 01 02 6164 f7 ff".replace(" ", ""))
    assert smp.decode_payload(payload)["a"] == "bc"


BAD_STATES: dict[str, dict[str, Any]] = {
    "no list": {},
    "text for a list": {"images": "none"},
    "text for a slot": {"images": [{"slot": "0"}]},
    "no slot": {"images": [{"version": "1.0.0"}]},
    "negative": {"images": [{"slot": -1}]},
    "huge": {"images": [{"slot": 1 << 40}]},
    "flag is a number": {"images": [{"slot": 0, "active": 1}]},
    "slot is a flag": {"images": [{"slot": True}]},
    "version is a number": {"images": [{"slot": 0, "version": 1.5}]},
    "hash is text": {"images": [{"slot": 0, "hash": "a" * 32}]},
    "hash too short": {"images": [{"slot": 0, "hash": b"abc"}]},
    "same slot twice": {"images": [{"slot": 0}, {"slot": 0}]},
    "both run": {"images": [{"slot": 0, "active": True}, {"slot": 1, "active": True}]},
    "a hundred images": {"images": [{"slot": 0, "image": n} for n in range(100)]},
}


@pytest.mark.parametrize("payload", BAD_STATES.values(), ids=BAD_STATES)
def test_an_image_state_that_makes_no_sense(payload: dict[str, Any]) -> None:
    with pytest.raises(DfuBleError) as caught:
        image_group.parse_state(payload)
    assert caught.value.diagnostic.code == "DV511"


def test_image_state_leniently() -> None:
    """Missing flags are false, unknown keys nothing, the image's number 0, the hash any SHA-2."""
    state = image_group.parse_state(
        {
            "images": [
                {"slot": 0, "version": "1.2.3", "hash": bytes(64), "active": True, "x": [1]},
                {"image": 1, "slot": 1, "version": "\x1b[31mred"},
            ],
            "splitStatus": "who knows",
            "extra": {},
        }
    )
    assert state.active() == smp.ImageSlot(0, 0, "1.2.3", bytes(64), active=True)
    other = state.at(1, image=1)
    assert other is not None
    assert other.version == "?[31mred"
    assert state.at(1) is None


def test_slot_info_leaves_out_the_slots_with_errors() -> None:
    payload = {
        "images": [
            {
                "image": 0,
                "slots": [
                    {"slot": 0, "size": 1000},
                    {"slot": 1, "size": 1000, "upload_image_id": 0},
                ],
                "max_image_size": 900,
            },
            {"image": 1, "slots": [{"slot": 0, "rc": 1}]},
        ]
    }
    assert image_group.parse_slot_info(payload) == (
        smp.SlotInfo(0, 0, 1000, None, 900),
        smp.SlotInfo(0, 1, 1000, 0, 900),
    )


def response(sequence: int, payload: dict[str, object], group: int = 1, command: int = 0) -> bytes:
    body = cbor2.dumps(payload)
    return bytes(smp.Header(1, 1, len(body), group, sequence, command)) + body


def test_the_assembler_recovers_from_garbage_and_from_a_frame_that_never_ends() -> None:
    assembler = smp.FrameAssembler(lambda header: header.sequence == 9)
    good, wanted = response(8, {"off": 300}), response(9, {"off": 600})
    assert list(assembler.feed(b"\xde\xad\xbe\xef" * 5)) == []
    assert [f.header.sequence for f in assembler.feed(good + wanted)] == [8, 9]
    assert list(assembler.feed(b"\x01\x00\xff\xff\x00\x01\x05\x00" + bytes(30))) == []
    assert [f.header.sequence for f in assembler.feed(wanted)] == [9]
    assert list(assembler.feed(wanted[:3])) == []
    assert [f.header.sequence for f in assembler.feed(wanted[3:])] == [9]
    assert assembler.dropped == 20 + 38


def test_fuzzed_payloads_and_pieces_never_crash_or_hang() -> None:
    rng = random.Random(20261123)
    seeds = [
        cbor2.dumps({"images": [{"slot": 0, "version": "1.0.0", "hash": bytes(32)}] * 2}),
        cbor2.dumps({"off": 300, "match": True}),
        cbor2.dumps({"err": {"group": 1, "rc": 9}}),
        bytes.fromhex("bf686275665f73697a651909ab696275665f636f756e7404ff"),
    ]
    parsers: list[Any] = [
        image_group.parse_state,
        image_group.parse_slot_info,
        image_group.parse_upload,
        os_group.parse_parameters,
        os_group.parse_bootloader,
        os_group.parse_echo,
        smp.find_error,
        lambda payload: os_group.parse_bootloader_mode("MCUboot", payload),
    ]
    assembler = smp.FrameAssembler(lambda header: header.sequence == 1)
    started = time.perf_counter()
    understood = 0
    for _ in range(FUZZ_ROUNDS):
        data = bytearray(rng.choice(seeds) if rng.random() < 0.8 else rng.randbytes(40))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        piece = bytes(smp.Header(1, 1, len(data), 1, 1, 0)) + data
        for frame in [*assembler.feed(rng.randbytes(rng.randrange(20))), *assembler.feed(piece)]:
            for parse in parsers:
                code = "understood"
                try:
                    parse(smp.decode_payload(frame.payload))
                except DfuBleError as error:
                    code = error.diagnostic.code
                assert code in ("understood", "DV511")
                understood += code == "understood"
    assert understood > FUZZ_ROUNDS / 10
    assert time.perf_counter() - started < 10 + FUZZ_ROUNDS / 100
