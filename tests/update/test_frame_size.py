# SPDX-License-Identifier: Apache-2.0
"""How long a frame may be, decided and probed; and what the build knows of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cbor2
import pytest

from tiny_device import TinyDevice, TinyLink, make_image
from west_dfu_ble.builddir import load
from west_dfu_ble.link import LinkTraits
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import HEADER_SIZE, Header, McumgrParameters, decode_header, os_group
from west_dfu_ble.update import Knowledge, Session, knowledge_from_build
from west_dfu_ble.update.frame_size import FrameSizes, safe_frame_size, wanted_frame_size
from west_dfu_ble.virtual.warped_time import run_warped

BUILDS = Path(__file__).parents[3] / "shared" / "builds"
BLE = LinkTraits("ble", "x", 244, True)
UDP = LinkTraits("udp", "x", 1400, False)
SERIAL = LinkTraits("serial", "x", 65535, False, frame_limit=300, buffer_overhead=4)
TOLD = McumgrParameters(2475, 4)
SMALL = McumgrParameters(384, 4)
SAME = Knowledge(buffer_size=2475, reassembly=True)
WITHOUT = Knowledge(buffer_size=384, reassembly=False)


@pytest.mark.parametrize(
    ("traits", "parameters", "knowledge", "safe", "wanted"),
    [
        (BLE, TOLD, Knowledge(), 244, 2475),
        (BLE, TOLD, SAME, 244, 2475),
        (BLE, SMALL, WITHOUT, 244, None),
        # The device has other buffers than the build: it runs something else.
        (BLE, TOLD, WITHOUT, 244, 2475),
        (BLE, None, Knowledge(), 244, 384),
        (BLE, None, SAME, 244, 2475),
        (replace(BLE, max_write=495), SMALL, Knowledge(), 384, None),
        (replace(BLE, max_write=495), None, Knowledge(), 384, None),
        (replace(BLE, max_write=383), SMALL, Knowledge(), 383, None),
        (UDP, TOLD, Knowledge(), 1400, None),
        (UDP, SMALL, Knowledge(), 384, None),
        (SERIAL, SMALL, Knowledge(), 300, None),
        (replace(SERIAL, frame_limit=None), SMALL, Knowledge(), 380, None),
        (replace(SERIAL, frame_limit=None, sure_frame=176), SMALL, Knowledge(), 176, 380),
        (replace(SERIAL, sure_frame=176), SMALL, Knowledge(), 176, 300),
        (replace(SERIAL, sure_frame=176), McumgrParameters(180, 4), Knowledge(), 176, None),
        (replace(SERIAL, sure_frame=176), McumgrParameters(96, 4), Knowledge(), 92, None),
    ],
)
def test_sizes(
    traits: LinkTraits,
    parameters: McumgrParameters | None,
    knowledge: Knowledge,
    safe: int,
    wanted: int | None,
) -> None:
    assert safe_frame_size(traits, parameters, knowledge).size == safe
    found = wanted_frame_size(traits, parameters, knowledge)
    assert (found.size if found else None) == wanted


class WithoutReassembly(TinyDevice):
    """Answers a frame of more than one write as Zephyr 3.5 does without reassembly."""

    def answer(self, frame: bytes) -> tuple[dict[str, object], bool]:
        return ({"rc": 9}, False) if len(frame) > 244 else super().answer(frame)


def link_to(device: TinyDevice) -> TinyLink:
    return TinyLink(device, splits_frames=True, max_write=244)


async def find(link: TinyLink, knowledge: Knowledge) -> tuple[int, int]:
    session = Session(link, 1.0)
    await session.open(1)
    sizes = FrameSizes(knowledge)
    parameters = McumgrParameters(link.device.buffer_size, 4)
    first = await sizes.find(session, parameters)
    asked = len(link.requests)
    assert await sizes.find(session, parameters) == first
    assert len(link.requests) == asked
    await session.close()
    return first.size, asked


def test_an_echo_tells_whether_the_device_puts_frames_together() -> None:
    image = make_image("1.0.0")
    assert run_warped(find(link_to(TinyDevice(image)), Knowledge())) == (512, 1)
    assert run_warped(find(link_to(WithoutReassembly(image)), Knowledge())) == (244, 1)
    silent = link_to(TinyDevice(image))
    silent.faults = lambda _count, _header: "lose"
    assert run_warped(find(silent, Knowledge())) == (244, 1)


@pytest.mark.parametrize(("takes", "size"), [(508, 508), (507, 176)])
def test_an_echo_of_the_whole_size_tells_how_many_lines_a_console_takes(
    takes: int, size: int
) -> None:
    def few_lines(_number: int, header: Header) -> str:
        return "lose" if HEADER_SIZE + header.length > takes else ""

    link = TinyLink(TinyDevice(make_image("1.0.0")), faults=few_lines)
    link.traits = replace(SERIAL, frame_limit=None, sure_frame=176)
    assert run_warped(find(link, Knowledge())) == (size, 1)


def test_what_refuses_the_echo_itself_has_received_it_whole() -> None:
    device = TinyDevice(make_image("1.0.0"))
    device.answer = lambda frame: ({"rc": 8}, False)  # type: ignore[method-assign]  # no OS group
    assert run_warped(find(link_to(device), Knowledge())) == (512, 1)


def test_the_tail_of_the_echo_is_a_request_to_nobody() -> None:
    """A server without reassembly takes what is behind the first write for a new header."""
    frame = os_group.echo("x" * 300).encode(0, 1)
    header = decode_header(frame[244:])
    assert (header.version, header.group) == (3, 0x7878)


@pytest.mark.skipif(not BUILDS.is_dir(), reason="the real builds are not here")
def test_what_real_builds_know() -> None:
    knowledge = knowledge_from_build(load(BUILDS / "ncs-2.5.0-child-image-direct-xip"))
    assert knowledge.mode in (BootloaderMode.DIRECT_XIP, BootloaderMode.DIRECT_XIP_WITH_REVERT)
    assert set(knowledge.slots) >= {(0, 0), (0, 1)}
    assert knowledge.buffer_count == 4
    assert knowledge.buffer_size == 384
    assert knowledge.chunk_alignment == 1
    assert knowledge.compares_build_number is True
    assert knowledge.reassembly is False


async def ask(link: TinyLink, text: str) -> str:
    session = Session(link, 1.0)
    await session.open(1)
    try:
        return os_group.parse_echo(await session.request(os_group.echo(text), attempts=2))
    finally:
        await session.close()


def test_an_answer_in_pieces_between_garbage_and_strangers_arrives() -> None:
    def mangle(frame: bytes) -> list[bytes]:
        stranger = cbor2.dumps({"r": "not for you"})
        header = decode_header(frame)
        other = Header(3, 1, len(stranger), 0, (header.sequence + 7) % 256, 0)
        return [
            b"\xde\xad\xbe\xef",
            bytes(other) + stranger,
            b"\x03\x00\x40\x00\x00\x00\x63\x00 never ends",
            *(frame[at : at + 9] for at in range(0, len(frame), 9)),
        ]

    assert run_warped(ask(TinyLink(TinyDevice(make_image("1.0.0")), mangle=mangle), "hi")) == "hi"


def test_a_sequence_number_in_flight_is_not_used_again() -> None:
    async def scenario() -> None:
        link = TinyLink(TinyDevice(make_image("1.0.0")), faults=lambda _n, _h: "lose")
        session = Session(link)
        await session.open(1)
        for expected in range(256):
            sequence = session.free_sequence()
            assert sequence == expected
            await session.post(os_group.echo("x"), sequence, lambda *_answer: None)
        assert session.free_sequence() == 0
        await session.close()

    run_warped(scenario())
