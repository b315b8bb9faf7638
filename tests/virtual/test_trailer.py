# SPDX-License-Identifier: Apache-2.0
"""Trailers and images as imgtool makes them, read by the virtual bootloader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mcuboot_images import digest_of, make_image
from smp_talk import Talk
from west_dfu_ble import builddir, image
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import DeviceProfile, SlotProfile, VirtualDevice, profile_from_build
from west_dfu_ble.virtual.flash import FlashArea, FlashController
from west_dfu_ble.virtual.trailer import Flag, Magic, SwapType, Trailer

TINY = Path(__file__).resolve().parents[2] / "samples" / "tiny"
SLOT = 0x20000


def imgtool(folder: Path, payload: bytes, *options: str, version: str = "2.0.0") -> bytes:
    """Return what imgtool makes of a payload, without a key."""
    source, target = folder / "in.bin", folder / "out.bin"
    source.write_bytes(payload)
    command = [sys.executable, "-m", "imgtool.main", "sign", "--version", version]
    command += ["--header-size", "0x200", "--pad-header", "--slot-size", hex(SLOT), *options]
    subprocess.run([*command, str(source), str(target)], check=True, capture_output=True)
    return target.read_bytes()


@pytest.mark.parametrize("align", [4, 8, 16, 32])
@pytest.mark.parametrize("confirm", [False, True])
def test_a_padded_image_has_the_trailer_that_is_read_here(
    tmp_path: Path, align: int, confirm: bool
) -> None:
    options = ["--align", str(align), "--pad", *(["--confirm"] if confirm else [])]
    if align > 8:
        options += ["--max-align", str(align)]
    data = imgtool(tmp_path, bytes(range(256)) * 20, *options)
    assert len(data) == SLOT
    area = FlashArea(FlashController(), 0, SLOT, 4096, align)
    area.program(0, data)
    state = Trailer(area, 3 * 128).read()
    assert state.magic is Magic.GOOD
    assert state.image_ok is (Flag.SET if confirm else Flag.UNSET)
    assert state.swap_type is (SwapType.PERM if confirm else SwapType.TEST) or (
        state.swap_type is SwapType.NONE  # imgtool leaves it out
    )


def test_an_image_of_imgtool_is_swapped_in(tmp_path: Path) -> None:
    payload = make_image((9, 9, 9), linked_for=0xC000, size=30_000)[0x200:30_200]
    new = imgtool(tmp_path, payload, "--align", "4")
    board = VirtualDevice(
        DeviceProfile(
            BootloaderMode.SWAP_USING_MOVE,
            (SlotProfile(0, 0, 0xC000, SLOT), SlotProfile(0, 1, 0x40000, SLOT)),
            {(0, 0): make_image((1, 0, 0), linked_for=0xC000)},
        )
    )
    digest = image.parse(new, tmp_path).digest
    talk = Talk(board)
    talk.upload(new)
    talk.test(digest)
    board.boot()
    running = board.running()
    assert running is not None
    assert running.digest == digest


@pytest.mark.parametrize("name", ["build-swap", "build-direct-xip"])
def test_only_the_key_in_the_bootloader_counts(name: str) -> None:
    build = builddir.load(TINY / name)
    board = VirtualDevice(profile_from_build(build))
    slot = 1 if board.profile.mode.is_direct_xip else 0
    binary = image.binary_for(build, slot)
    good = image.sign_payload(binary.firmware, build, slot, "9.0.0")
    broken = bytearray(good)
    broken[-5] ^= 1  # the signature's last bytes, which no hash covers
    unsigned = make_image(
        (9, 1, 0),
        linked_for=board.profile.slot(0, slot).address,
        rom_fixed=board.profile.mode.is_direct_xip,
        size=30_000,
    )
    for data, runs in [(unsigned, False), (bytes(broken), False), (good, True)]:
        digest = image.parse(data, TINY).digest
        talk = Talk(board)
        talk.upload(data)
        if board.profile.mode.is_swap:
            talk.test(digest)
        board.boot()
        running = board.running()
        assert running is not None
        assert (running.digest == digest) is runs, list(board.log)[-6:]
    assert digest_of(unsigned) != digest


def test_the_build_number_counts_where_the_bootloader_compares_it() -> None:
    places = (SlotProfile(0, 0, 0xC000, SLOT), SlotProfile(0, 1, 0x40000, SLOT))
    for compares, slot in [(False, 0), (True, 1)]:
        board = VirtualDevice(
            DeviceProfile(
                BootloaderMode.DIRECT_XIP,
                places,
                {
                    (0, index): make_image(
                        (1, 0, 0, index), linked_for=places[index].address, rom_fixed=True
                    )
                    for index in (0, 1)
                },
                compare_build_number=compares,
            )
        )
        assert board.active_slot() == slot
