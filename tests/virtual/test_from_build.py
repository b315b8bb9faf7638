# SPDX-License-Identifier: Apache-2.0
"""Devices made from build directories, and from images of real firmware."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core_cases import NETWORK_FIRMWARE, two_cores
from mcuboot_images import digest_of, make_image
from smp_talk import Talk
from west_dfu_ble import builddir
from west_dfu_ble.builddir import ModeFact
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import (
    Access,
    SlotProfile,
    VirtualDevice,
    profile_for_image,
    profile_from_build,
)

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = REPOSITORY / "samples" / "tiny"
REAL = REPOSITORY.parent / "shared" / "builds"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real builds are not here")


@pytest.mark.parametrize(
    ("name", "mode", "slots", "reject"),
    [
        (
            "build-swap",
            BootloaderMode.SWAP_USING_MOVE,
            (SlotProfile(0, 0, 0xC000, 0x79000), SlotProfile(0, 1, 0x85000, 0x79000)),
            False,
        ),
        (
            "build-direct-xip",
            BootloaderMode.DIRECT_XIP,
            (SlotProfile(0, 0, 0x8000, 0x7A000), SlotProfile(0, 1, 0x82000, 0x7A000)),
            True,
        ),
    ],
)
def test_a_sample_runs_a_lower_version_of_itself(
    name: str, mode: BootloaderMode, slots: tuple[SlotProfile, ...], reject: bool
) -> None:
    build = builddir.load(TINY / name)
    profile = profile_from_build(build)
    assert (profile.mode, profile.slots) == (mode, slots)
    assert profile.key is not None
    assert profile.server.buf_size == 2475
    assert profile.server.reassembly
    assert profile.server.reject_mismatched_slot is reject
    assert profile.radio.mtu == 498
    board = VirtualDevice(profile)
    running = board.running()
    assert running is not None
    assert str(running.version) == "1.1.0+0"
    assert build.version is not None
    assert build.version.startswith("1.2.0")


@needs_real
@pytest.mark.parametrize(
    ("name", "mode", "server", "mtu"),
    [
        (
            "ncs-2.5.0-child-image-direct-xip",
            BootloaderMode.DIRECT_XIP,
            (384, 4, False, False, True),
            260,
        ),
        (
            "ncs-2.5.0-child-image-swap",
            BootloaderMode.SWAP_USING_MOVE,
            (2475, 4, True, True, False),
            498,
        ),
        (
            "zephyr-3.5.0-sysbuild-swap",
            BootloaderMode.SWAP_USING_MOVE,
            (2475, 4, True, True, False),
            498,
        ),
    ],
)
def test_a_real_build_says_how_its_device_behaves(
    name: str, mode: BootloaderMode, server: tuple[int, int, bool, bool, bool], mtu: int
) -> None:
    # These hold text alone: no key, no binary. What the device runs is given.
    build = replace(builddir.load(REAL / name), key=None, bootloader_key=None)
    primary = build.slot(0)
    assert primary is not None
    running = make_image((1, 0, 0), linked_for=primary.address.value)
    profile = profile_from_build(build, running)
    found = profile.server
    assert profile.mode is mode
    assert profile.radio.access is Access.OPEN
    assert profile.radio.mtu == mtu
    assert server == (
        found.buf_size,
        found.buf_count,
        found.reassembly,
        found.parameters,
        found.reject_mismatched_slot,
    )
    assert VirtualDevice(profile).is_running


def swap_build() -> builddir.Build:
    return builddir.load(TINY / "build-swap")


def test_a_mode_that_can_not_be_played_is_refused_by_name() -> None:
    build = swap_build()
    assert build.mode_built is not None
    ram = replace(build, mode_built=ModeFact(BootloaderMode.RAM_LOAD, build.mode_built.location))
    with pytest.raises(DfuBleError, match="in RAM load mode") as caught:
        profile_from_build(ram)
    assert caught.value.diagnostic.code == "DV513"


def test_a_build_without_slots_is_refused() -> None:
    with pytest.raises(DfuBleError, match="where its slots are") as caught:
        profile_from_build(replace(swap_build(), slots=()))
    assert caught.value.diagnostic.code == "DV513"


@pytest.mark.parametrize(
    ("running", "code"),
    [
        (b"no image", "IM305"),
        (make_image((1, 0, 0), linked_for=0xC000, wrong_digest=True), "IM306"),
        (make_image((1, 0, 0), linked_for=0xC000), "IM307"),
    ],
)
def test_a_running_image_that_the_bootloader_would_not_run_is_refused(
    running: bytes, code: str
) -> None:
    with pytest.raises(DfuBleError) as caught:
        profile_from_build(swap_build(), running)
    assert caught.value.diagnostic.code == code


@pytest.mark.parametrize(
    ("linked_for", "rom_fixed"), [(0x4_0000_0, False), (0x20000, True), (0, False)]
)
def test_an_image_of_another_board_is_refused(linked_for: int, rom_fixed: bool) -> None:
    foreign = make_image((1, 0, 0), linked_for=linked_for, rom_fixed=rom_fixed)
    with pytest.raises(DfuBleError) as caught:
        profile_for_image(foreign)
    assert caught.value.diagnostic.code == "IM312"


@pytest.mark.parametrize(("same_key", "runs"), [(True, "2.0.0+0"), (False, "1.0.0+0")])
def test_without_a_build_the_running_image_says_which_key_counts(same_key: bool, runs: str) -> None:
    ours, other = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2))
    board = VirtualDevice(profile_for_image(make_image(linked_for=0xC000, sign_with=ours)))
    new = make_image((2, 0, 0), linked_for=0xC000, sign_with=ours if same_key else other)
    talk = Talk(board)
    talk.upload(new)
    talk.test(digest_of(new))
    board.boot()
    running = board.running()
    assert running is not None
    assert str(running.version) == runs
    assert ("signed with another key" in "\n".join(board.log)) is not same_key


def test_direct_xip_may_run_from_the_secondary_slot() -> None:
    build = replace(builddir.load(TINY / "build-direct-xip"), key=None, bootloader_key=None)
    build = replace(
        build, images=tuple(one for one in build.images if one.role.value != "bootloader")
    )
    secondary = build.slot(1)
    assert secondary is not None
    image = make_image((3, 0, 0), linked_for=secondary.address.value, rom_fixed=True)
    board = VirtualDevice(profile_from_build(build, image))
    assert board.active_slot() == 1


def test_flash_takes_its_time_where_that_is_asked_for() -> None:
    build = swap_build()
    assert profile_from_build(build).erase_time == 0
    profile = profile_from_build(build, real_flash=True)
    assert profile.erase_time == pytest.approx(0.085)
    # 41 µs a word of 4 bytes: about 98 kB/s.
    assert 1 / profile.write_time == pytest.approx(97_561, rel=0.01)


def test_both_cores_of_an_nrf5340_are_updated_with_one_reset(tmp_path: Path) -> None:
    build = two_cores(NETWORK_FIRMWARE).load(tmp_path)
    images = tuple(one for one in build.images if one.role.value != "bootloader")
    build = replace(build, key=None, bootloader_key=None, images=images)
    primary, network = build.slot(0), build.slot(0, 1)
    assert primary is not None
    assert network is not None
    running = make_image((1, 0, 0), linked_for=primary.address.value)
    profile = profile_from_build(build, running)
    assert (profile.mode, profile.images) == (BootloaderMode.OVERWRITE_ONLY, (0, 1))
    assert {(s.image, s.index): s.address for s in profile.slots} == {
        (0, 0): primary.address.value,
        (0, 1): 0x85000,
        (1, 0): network.address.value,
        (1, 1): 0x100000,
    }
    board = VirtualDevice(profile)
    talk = Talk(board, version=0)
    application = make_image((1, 2, 0), linked_for=primary.address.value)
    for number, data in enumerate((application, NETWORK_FIRMWARE)):
        assert talk.upload(data, chunk=300, image=number)["off"] == len(data)
        talk.test(digest_of(data))
    board.boot()
    held = board.running(), board.running(1)
    assert [one and one.digest for one in held] == [
        digest_of(application),
        digest_of(NETWORK_FIRMWARE),
    ]
