# SPDX-License-Identifier: Apache-2.0
"""The SMP server of other Zephyr generations, and under clients that mean it no good."""

from __future__ import annotations

import random
import struct
import sys
from typing import Any

import cbor2
import pytest

from boards import make_board, make_update
from mcuboot_images import digest_of, make_image
from smp_talk import Talk, encode_request
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import (
    ZEPHYR_2_7,
    ZEPHYR_4,
    DeviceProfile,
    ServerProfile,
    SlotProfile,
    VirtualDevice,
)


def ask(board: VirtualDevice, version: int, *request: Any) -> tuple[int, Any]:
    """The first byte and the map of the one answer."""
    [frame] = board.receive(encode_request(*request, version=version))
    return frame[0], cbor2.loads(frame[8:])


def error(code: int) -> dict[str, Any]:
    """An error of the image group."""
    return {"err": {"group": 1, "rc": code}}


def test_zephyr_2_7_answers_in_version_1_whatever_was_asked() -> None:
    board = make_board(server=ZEPHYR_2_7)
    for version in (0, 1):
        assert ask(board, version, 2, 0, 0, {"d": "x"}) == (3, {"r": "x"})
        for command in (6, 7, 8):  # parameters, information, bootloader
            assert ask(board, version, 0, 0, command, {}) == (1, {"rc": 8})
        assert ask(board, version, 2, 1, 5, {}) == (3, {"rc": 0})  # empty already
        assert ask(board, version, 2, 1, 0, {"hash": bytes(32)}) == (3, {"rc": 3})
        first = {"off": 0, "len": 400, "data": bytes(64)}
        assert ask(board, version, 2, 1, 1, first) == (3, {"rc": 3})  # no image
    assert "rc" not in ask(board, 0, 0, 1, 0, {})[1]


def test_zephyr_2_7_takes_an_upload_in_whole_words() -> None:
    board, new = make_board(server=ZEPHYR_2_7), make_update(size=2000)
    talk = Talk(board, version=0)
    first = {"off": 0, "len": len(new), "sha": bytes(32), "data": new[:301]}
    assert ask(board, 0, 2, 1, 1, first)[1] == {"rc": 0, "off": 300}
    assert ask(board, 0, 2, 1, 1, {"off": 301, "data": b"x"})[1] == {"rc": 0, "off": 300}
    assert talk.upload(new, chunk=301) == {"rc": 0, "off": len(new)}
    assert talk.test(digest_of(new))["images"][1]["pending"] is True
    # A slot in use is no bad state yet: it says that there is no memory.
    assert ask(board, 0, 2, 1, 1, first)[1] == {"rc": 2}
    assert ask(board, 0, 2, 1, 5, {})[1] == {"rc": 6}
    board.boot()
    assert [entry["version"] for entry in talk.state()] == ["2.0.0", "1.0.0"]


def test_zephyr_4_refuses_version_1_and_tells_of_its_slots() -> None:
    board = make_board(server=ZEPHYR_4)
    assert ask(board, 0, 2, 0, 0, {"d": "x"}) == (3, {"rc": 12})
    assert ask(board, 1, 2, 1, 5, {}) == (11, {})  # empty, and that is all right
    assert ask(board, 1, 2, 1, 5, {"slot": 7}) == (11, {"err": {"group": 1, "rc": 10}})
    [image] = ask(board, 1, 0, 1, 6, {})[1]["images"]
    size = 0x40000
    assert image["slots"] == [
        {"slot": 0, "size": size},
        {"slot": 1, "size": size, "upload_image_id": 0},
    ]
    # 128 sectors of 3 states of 4 bytes, four fields of 8, the magic: one sector; and one to move.
    assert image["max_image_size"] == size - 2 * 4096
    for length, answer in ((size - 2 * 4096, {"off": 32}), (size - 2 * 4096 + 1, error(30))):
        first = {"off": 0, "len": length, "data": make_update()[:32]}
        assert ask(board, 1, 2, 1, 1, first)[1] == answer


def test_zephyr_4_may_erase_what_is_pending_and_not_confirm_what_does_not_run() -> None:
    board, new = make_board(server=ZEPHYR_4), make_update()
    talk = Talk(board)
    talk.upload(new)
    assert talk.confirm(digest_of(new)) == {"err": {"group": 1, "rc": 32}}
    talk.test(digest_of(new))
    assert talk.ask(2, 1, 5, {}) == {}
    assert [entry["version"] for entry in talk.state()] == ["1.0.0"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(BootloaderMode.SWAP_USING_MOVE, 3), (BootloaderMode.DIRECT_XIP_WITH_REVERT, 5)],
)
def test_the_bootloader_is_told_by_its_mode(mode: BootloaderMode, expected: int) -> None:
    board = make_board(mode)
    assert ask(board, 1, 0, 0, 8, {})[1] == {"bootloader": "MCUboot"}
    assert ask(board, 1, 0, 0, 8, {"query": "mode"})[1] == {"mode": expected}
    assert ask(board, 1, 0, 0, 8, {"query": "colour"})[1] == {"rc": 3}


def test_a_frugal_list_leaves_out_what_is_false() -> None:
    board = make_board(server=ServerProfile(frugal_list=True))
    [entry] = ask(board, 1, 0, 1, 0, {})[1]["images"]
    assert set(entry) == {"slot", "version", "hash", "bootable", "confirmed", "active"}
    assert "splitStatus" not in ask(board, 1, 0, 1, 0, {})[1]


def test_upgrades_only_means_higher_than_what_runs() -> None:
    board = make_board()
    for version, refused in [((1, 0, 0), True), ((0, 9, 9), True), ((1, 0, 1), False)]:
        image = make_image(version, linked_for=0xC000)
        first = {"off": 0, "len": len(image), "data": image[:400], "upgrade": True}
        answer = ask(board, 1, 2, 1, 1, first)[1]
        assert answer == ({"err": {"group": 1, "rc": 27}} if refused else {"off": 400})


def test_erasing_progressively_ends_with_the_same_flash() -> None:
    image = make_update(size=30_000)
    contents = []
    for progressively in (False, True):
        server = ServerProfile(erase_progressively=progressively)
        board = make_board(server=server)
        talk = Talk(board)
        talk.upload(make_update(version=(3, 0, 0), size=50_000))
        talk.test(digest_of(make_update(version=(3, 0, 0), size=50_000)))
        board.boot()
        talk.confirm()
        operations = board.flash.operations
        talk.upload(image, until=400, chunk=400)
        # All at once is 8 sectors, and the one of the trailer; one by one is none yet.
        assert board.flash.operations - operations == (0 if progressively else 9)
        talk.upload(image)
        assert talk.test(digest_of(image))["images"][1]["pending"] is True
        contents.append(board.images[0].areas[1].read(0, len(image)))
    assert contents == [image, image]


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        (BootloaderMode.SWAP_USING_MOVE, {"off": 32}),
        # The image begins behind the first sector, and the erase would reach beyond the slot.
        (BootloaderMode.SWAP_USING_OFFSET, {"err": {"group": 1, "rc": 13}}),
    ],
)
def test_an_image_as_large_as_a_slot_that_is_not_empty(mode: BootloaderMode, answer: Any) -> None:
    board = make_board(mode, slot_size=0x40000)
    update = make_update(mode)
    first = {"off": 0, "len": 0x40000, "data": update[:32]}
    assert Talk(board).upload(update, until=5000) == {"off": 5000}
    assert ask(board, 1, 2, 1, 1, first)[1] == answer


def test_a_network_core_has_a_slot_that_nobody_checks() -> None:
    places = [(0, 0, 0xC000), (0, 1, 0x60000), (1, 0, 0x100000), (1, 1, 0x140000)]
    profile = DeviceProfile(
        BootloaderMode.OVERWRITE_ONLY,
        tuple(SlotProfile(n, index, address, 0x10000) for n, index, address in places),
        {(0, 0): make_image((1, 0, 0), linked_for=0xC000)},
        check_reset_vector=False,
    )
    board = VirtualDevice(profile)
    assert board.is_running
    talk, core = Talk(board), make_image((2, 0, 0), linked_for=0x100000)
    assert talk.upload(core, image=1) == {"off": len(core)}
    talk.test(digest_of(core))
    board.boot()
    assert board.is_running
    held = board.running(1)
    assert held is not None
    assert held.digest == digest_of(core)


# Clients that mean no good


def _hostile(rng: random.Random) -> bytes:
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randbytes(rng.randrange(0, 600))
    if kind == 1:  # a frame longer than any buffer, and never its end
        return struct.pack(">BBHHBB", 10, 0, rng.randrange(65536), 1, 0, 1) + rng.randbytes(200)
    body = rng.choice(
        [
            b"\xa1\x63off" + bytes([0x1B]) + b"\xff" * 8,
            b"\xa1\x64data\x5b" + b"\xff" * 8,  # a string of 2**64 bytes
            b"\x81" * 200,
            b"\xbf" * 300,
            b"\xa1\x80\x80",
            b"\xc2\x5a\xff\xff\xff\xff",
            cbor2.dumps({"off": 0, "len": 1 << 31, "data": rng.randbytes(64)}),
            cbor2.dumps({"off": rng.randrange(1 << 32), "data": b"x"}),
            cbor2.dumps({"d": "x" * rng.randrange(3000)}),
            cbor2.dumps({"hash": rng.randbytes(rng.randrange(70)), "confirm": True}),
            cbor2.dumps({"slot": rng.randrange(1 << 32)}),
        ]
    )
    header = struct.pack(
        ">BBHHBB",
        rng.randrange(256),
        rng.randrange(256),
        len(body) if kind > 2 else rng.randrange(3000),
        rng.choice([0, 0, 1, 1, 1, 9]),
        rng.randrange(256),
        rng.randrange(10),
    )
    return header + body


@pytest.mark.parametrize("reassembly", [True, False])
def test_a_hostile_client_neither_stops_the_device_nor_fills_its_memory(reassembly: bool) -> None:
    board = make_board(server=ServerProfile(reassembly=reassembly))
    rng = random.Random(20_26)
    before = answered = 0
    for number in range(100_000):
        piece = _hostile(rng)
        for answer in board.receive(piece, float(number)):
            assert len(answer) <= board.profile.server.buf_size
            answered += 1
        if number % 7 == 0:
            board.disconnected()
        if number == 1000:
            before = _size(board)
        assert board.is_running
    # So much got as far as the server; with reassembly a frame without an end swallows others.
    assert answered > (30_000 if reassembly else 90_000)
    board.disconnected()
    assert ask(board, 1, 2, 0, 0, {"d": "alive"})[1] == {"r": "alive"}
    running = board.running()
    assert running is not None
    assert running.digest == digest_of(board.profile.factory[0, 0])
    assert _size(board) < before + 400_000  # the log, and nothing else


def _size(board: VirtualDevice) -> int:
    """The bytes that the device's own objects hold."""
    import gc

    seen: set[int] = set()
    total = 0
    waiting: list[Any] = [board]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | type(sys)):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting += gc.get_referents(one) if not callable(one) else []
    return total
