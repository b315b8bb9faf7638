# SPDX-License-Identifier: Apache-2.0
"""Faults hit where they are put, and nowhere else; the device lives on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

import cbor2
import pytest

from boards import PRIMARY, SECONDARY, make_update
from link_talk import LinkTalk
from mcuboot_images import digest_of, make_image
from smp_talk import encode_request
from west_dfu_ble.link import LinkLost
from west_dfu_ble.link.virtual import VirtualLink
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import (
    DeviceProfile,
    Fault,
    FaultKind,
    ServerProfile,
    SlotProfile,
    VirtualDevice,
    parse_fault,
)


def device(*faults: Fault, **changes: Any) -> VirtualDevice:
    size = 0x10000
    return VirtualDevice(
        DeviceProfile(
            BootloaderMode.SWAP_USING_MOVE,
            (SlotProfile(0, 0, PRIMARY, size), SlotProfile(0, 1, SECONDARY, size)),
            {(0, 0): make_image((1, 0, 0), linked_for=PRIMARY)},
            **changes,
        ),
        faults=faults,
    )


def echoes(board: VirtualDevice, count: int = 4) -> list[list[Any]]:
    """What comes back for each of several echo requests, one after the other."""
    found: list[list[Any]] = []
    for number in range(count):
        frames = board.receive(encode_request(2, 0, 0, {"d": f"n{number}"}))
        found.append([_decoded(frame) for frame in frames])
    return found


def _decoded(frame: bytes) -> Any:
    if len(frame) < 8 or len(frame) != 8 + int.from_bytes(frame[2:4], "big"):
        return "broken"
    answer = cbor2.loads(frame[8:])
    return answer.get("r", answer)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.REQUEST_LOST, 1), [["n0"], [], ["n2"], ["n3"]]),
        (Fault(FaultKind.REQUEST_LOST, 1, times=2), [["n0"], [], [], ["n3"]]),
        (Fault(FaultKind.REQUEST_DUPLICATED, 1), [["n0"], ["n1", "n1"], ["n2"], ["n3"]]),
        # The rest that is awaited swallows the request behind it.
        (Fault(FaultKind.REQUEST_CUT, 1), [["n0"], [], [], ["n3"]]),
        (Fault(FaultKind.RESPONSE_LOST, 2), [["n0"], ["n1"], [], ["n3"]]),
        (Fault(FaultKind.RESPONSE_DUPLICATED, 0), [["n0", "n0"], ["n1"], ["n2"], ["n3"]]),
        (Fault(FaultKind.RESPONSE_CUT, 3), [["n0"], ["n1"], ["n2"], ["broken"]]),
        (Fault(FaultKind.GARBAGE, 1), [["n0"], ["broken", "n1"], ["n2"], ["n3"]]),
        (Fault(FaultKind.GARBAGE, 1, data=b"?"), [["n0"], ["broken", "n1"], ["n2"], ["n3"]]),
        (Fault(FaultKind.REBOOT, 2), [["n0"], ["n1"], [], []]),
        # Two buffers less are no harm to who waits for answers, three are: the answer finds none.
        (Fault(FaultKind.BUFFERS_BUSY, 1, count=2), [["n0"], ["n1"], ["n2"], ["n3"]]),
        (
            Fault(FaultKind.BUFFERS_BUSY, 1, count=3),
            [["n0"], [{"rc": 2}], [{"rc": 2}], [{"rc": 2}]],
        ),
        (Fault(FaultKind.DISCONNECT, 1), [["n0"], [], [], []]),
        (Fault(FaultKind.DISCONNECT_AT_BYTE, 20), [["n0"], [], [], []]),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Fault) else "",
)
def test_a_fault_meets_the_request_that_it_is_meant_for(
    fault: Fault, expected: list[list[Any]]
) -> None:
    board = device(fault)
    assert echoes(board) == expected
    assert f"Fault: {fault.kind.value}" in "\n".join(board.log)


def test_a_reboot_in_the_middle_is_over_when_the_device_was_ticked() -> None:
    board = device(Fault(FaultKind.REBOOT, 0))
    assert echoes(board, 1) == [[]]
    assert not board.is_running
    assert board.tick(0.0)
    assert echoes(board, 1) == [["n0"]]


def test_an_answer_comes_late() -> None:
    board = device(Fault(FaultKind.RESPONSE_LATE, 1, seconds=2.5))
    seconds = []
    for _ in range(3):
        board.take(encode_request(2, 0, 0, {"d": "x"}), 0.0)
        answer = board.serve(0.0)
        assert answer is not None
        seconds.append(answer.seconds)
        board.sent()
    assert seconds == [0.0, 2.5, 0.0]


def first_chunk(image: bytes) -> bytes:
    sha = hashlib.sha256(image).digest()
    return encode_request(2, 1, 1, {"off": 0, "len": len(image), "sha": sha, "data": image[:400]})


def test_a_second_client_takes_an_upload_over() -> None:
    mine, other = make_update(version=(2, 0, 0)), make_update(version=(3, 0, 0))
    board = device(Fault(FaultKind.SECOND_CLIENT, 1, data=first_chunk(other)))
    assert [_decoded(f) for f in board.receive(first_chunk(mine))] == [{"off": 400}]
    chunk = encode_request(2, 1, 1, {"off": 400, "data": mine[400:900]})
    # The offset fits by chance, and nothing tells that these bytes go into another image.
    assert [_decoded(f) for f in board.receive(chunk)] == [{"off": 900}]
    assert len(board.receive(first_chunk(mine))) == 1


@pytest.mark.parametrize(
    ("kind", "error"), [(FaultKind.FLASH_ERASE_ERROR, 13), (FaultKind.FLASH_WRITE_ERROR, 12)]
)
def test_a_flash_error_is_told_and_the_next_try_succeeds(kind: FaultKind, error: int) -> None:
    image = make_update(size=3000)
    # A slot that is not empty, so that there is something to erase.
    board = device(Fault(kind, 6 if kind is FaultKind.FLASH_WRITE_ERROR else 3))
    answers = _upload(board, image[:1500] + bytes(20))
    answers += _upload(board, image)
    failed = [answer for answer in answers if "err" in answer]
    assert failed == [{"err": {"group": 1, "rc": error}}]
    assert _upload(board, image)[-1] == {"off": len(image)}
    assert board.receive(encode_request(2, 1, 0, {"hash": digest_of(image)}))


def _upload(board: VirtualDevice, image: bytes) -> list[Any]:
    answers: list[Any] = []
    for frame in _chunks(image):
        answers += [_decoded(answer) for answer in board.receive(frame)]
        if "err" in answers[-1]:
            break
    return answers


def _chunks(image: bytes) -> Sequence[bytes]:
    rest = range(400, len(image), 400)
    return [first_chunk(image)] + [
        encode_request(2, 1, 1, {"off": at, "data": image[at : at + 400]}) for at in rest
    ]


def test_a_slow_erase_makes_the_first_answer_late() -> None:
    board = device(Fault(FaultKind.SLOW_ERASE, seconds=20.0))
    _upload(board, make_update(size=3000))
    board.take(first_chunk(make_update(size=4000)), 0.0)
    answer = board.serve(0.0)
    assert answer is not None
    assert answer.seconds == 20.0


def test_a_power_cut_ends_the_link_and_the_device_comes_back() -> None:
    async def test() -> None:
        board = device(Fault(FaultKind.POWER_CUT, 5))
        link = VirtualLink(board)
        try:
            await link.connect(5)
            with pytest.raises(LinkLost):
                await LinkTalk(link).upload(make_update(size=10_000))
            await link.connect(5)
            assert await LinkTalk(link).versions() == ["1.0.0"]
            assert board.boots == 2
        finally:
            await link.disconnect()

    asyncio.run(asyncio.wait_for(test(), 20))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.DISCONNECT, 3),
        Fault(FaultKind.DISCONNECT_AT_BYTE, 5000),
        Fault(FaultKind.VANISH, 3),
    ],
)
def test_a_disconnect_leaves_the_upload_to_be_resumed(fault: Fault) -> None:
    async def test() -> None:
        board, image = device(fault), make_update(size=20_000)
        link = VirtualLink(board)
        try:
            await link.connect(5)
            with pytest.raises(LinkLost):
                await LinkTalk(link).upload(image, chunk=1500)
            await link.connect(5)
            sha = hashlib.sha256(image).digest()
            first = {"off": 0, "len": len(image), "sha": sha, "data": image[:400]}
            answer = await LinkTalk(link).ask(2, 1, 1, first)
            assert 1500 < answer["off"] < 10_000
            assert answer["off"] % 1500 == 0
            assert board.boots == 1
        finally:
            await link.disconnect()

    asyncio.run(asyncio.wait_for(test(), 20))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("request-lost@12", Fault(FaultKind.REQUEST_LOST, 12)),
        ("request-lost@12x3", Fault(FaultKind.REQUEST_LOST, 12, times=3)),
        ("response-late@5:2.5s", Fault(FaultKind.RESPONSE_LATE, 5, seconds=2.5)),
        ("slow-erase@0:20s", Fault(FaultKind.SLOW_ERASE, 0, seconds=20.0)),
        ("power-cut@40", Fault(FaultKind.POWER_CUT, 40)),
        ("response-late@5", Fault(FaultKind.RESPONSE_LATE, 5, seconds=4.0)),
        ("buffers-busy@5x3", Fault(FaultKind.BUFFERS_BUSY, 5, count=3)),
        ("mtu-23", Fault(FaultKind.SMALL_MTU)),
    ],
)
def test_a_fault_is_read_as_people_write_it(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text", ["", "request-lost", "bad-luck@3", "reboot@-1", "response-late@5:long"]
)
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


def test_what_holds_from_the_start_changes_what_the_device_is() -> None:
    board = device(Fault(FaultKind.SMALL_MTU), Fault(FaultKind.NO_PARAMETERS))
    assert board.profile.radio.mtu == 23
    [answer] = board.receive(encode_request(0, 0, 6, {}))
    assert _decoded(answer) == {"rc": 8}
    assert {fault.kind for fault in board.struck} == {FaultKind.SMALL_MTU, FaultKind.NO_PARAMETERS}


def test_a_second_client_without_a_frame_uploads_what_runs_already() -> None:
    board = device(Fault(FaultKind.SECOND_CLIENT, 1))
    mine = make_update(version=(2, 0, 0))
    board.receive(first_chunk(mine))
    # It took the upload over: the next chunk is not where it left off.
    chunk = encode_request(2, 1, 1, {"off": 400, "data": mine[400:900]})
    assert [_decoded(f) for f in board.receive(chunk)] == [{"off": 256}]


def test_faults_tell_whether_they_have_struck() -> None:
    early, late = Fault(FaultKind.REQUEST_LOST, 1), Fault(FaultKind.REQUEST_LOST, 9)
    board = device(early, late)
    echoes(board)
    assert board.struck == {early}
    assert board.progress.requests == 4


def test_a_device_with_a_lock_takes_one_upload_at_a_time() -> None:
    board = device(server=ServerProfile(upload_lock=5.0))
    mine, other = first_chunk(make_update()), first_chunk(make_update(version=(3, 0, 0)))
    reset = encode_request(2, 0, 5, {})

    def ask(frame: bytes, now: float, client: int) -> Any:
        board.take(frame, now, client)
        answer = board.serve(now)
        assert answer is not None
        assert answer.client == client
        board.sent()
        return _decoded(answer.frame)

    assert ask(mine, 0.0, 1) == {"off": 400}
    assert ask(other, 4.9, 2) == {"rc": 10}
    assert ask(reset, 4.9, 2) == {"rc": 10}
    assert board.reset_at is None
    assert ask(mine, 4.9, 1) == {"off": 400}
    assert ask(other, 9.8, 2) == {"rc": 10}
    assert ask(other, 9.95, 2) == {"off": 400}
    assert ask(reset, 10.0, 2) == {}
