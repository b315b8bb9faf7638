# SPDX-License-Identifier: Apache-2.0
"""An update of the bare device, in every mode that it plays, told by what it answers."""

from __future__ import annotations

from typing import Any

import pytest

from mcuboot_images import digest_of, make_image
from smp_talk import Talk
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import (
    PLAYABLE_MODES,
    DeviceProfile,
    ServerProfile,
    SlotProfile,
    VirtualDevice,
)

PRIMARY, SECONDARY, SIZE = 0xC000, 0x40000, 0x10000
SWAP_MODES = [mode for mode in PLAYABLE_MODES if mode.is_swap]


def device(mode: BootloaderMode, **changes: Any) -> VirtualDevice:
    old = make_image((1, 0, 0), linked_for=PRIMARY, rom_fixed=mode.is_direct_xip)
    return VirtualDevice(
        DeviceProfile(
            mode,
            (SlotProfile(0, 0, PRIMARY, SIZE), SlotProfile(0, 1, SECONDARY, SIZE)),
            {(0, 0): old},
            scratch=SlotProfile(0, 2, 0x80000, 0x2000),
            **changes,
        )
    )


def update_for(mode: BootloaderMode, **changes: Any) -> bytes:
    linked_for = SECONDARY if mode.is_direct_xip else PRIMARY
    changes = {"size": 30_000, "rom_fixed": mode.is_direct_xip, **changes}
    version = changes.pop("version", (2, 0, 0))
    return make_image(version, linked_for=changes.pop("linked_for", linked_for), **changes)


def slots(talk: Talk) -> list[tuple[int, str, str]]:
    """Slot, version and flags, as a client sees them."""
    names = ("active", "confirmed", "pending", "permanent")
    return [
        (entry["slot"], entry["version"], " ".join(name for name in names if entry[name]))
        for entry in talk.state()
    ]


@pytest.mark.parametrize("mode", SWAP_MODES, ids=lambda mode: mode.title)
def test_a_swap_is_tested_reverted_tested_again_and_confirmed(mode: BootloaderMode) -> None:
    board, new = device(mode), update_for(mode)
    talk = Talk(board)
    assert talk.upload(new) == {"off": len(new)}
    assert slots(talk) == [(0, "1.0.0", "active confirmed"), (1, "2.0.0", "")]
    talk.test(digest_of(new))
    assert slots(talk) == [(0, "1.0.0", "active confirmed"), (1, "2.0.0", "pending")]
    board.boot()
    assert slots(talk) == [(0, "2.0.0", "active"), (1, "1.0.0", "confirmed")]
    board.boot()
    assert slots(talk) == [(0, "1.0.0", "active confirmed"), (1, "2.0.0", "")]
    talk.test(digest_of(new))
    board.boot()
    talk.confirm()
    # Zephyr looks for it one sector further in, where an update begins (swap using offset).
    old = [] if mode is BootloaderMode.SWAP_USING_OFFSET else [(1, "1.0.0", "")]
    assert slots(talk) == [(0, "2.0.0", "active confirmed"), *old]
    board.boot()
    assert slots(talk) == [(0, "2.0.0", "active confirmed"), *old]


@pytest.mark.parametrize("mode", SWAP_MODES, ids=lambda mode: mode.title)
def test_a_confirmed_slot_is_swapped_for_good(mode: BootloaderMode) -> None:
    board, new = device(mode), update_for(mode)
    talk = Talk(board)
    talk.upload(new)
    talk.confirm(digest_of(new))
    assert slots(talk)[1] == (1, "2.0.0", "pending permanent")
    for _ in range(2):
        board.boot()
        assert slots(talk)[0] == (0, "2.0.0", "active confirmed")


@pytest.mark.parametrize("mode", SWAP_MODES, ids=lambda mode: mode.title)
def test_the_old_image_can_be_asked_back_by_its_hash(mode: BootloaderMode) -> None:
    board, new = device(mode), update_for(mode)
    old = board.profile.factory[0, 0]
    talk = Talk(board)
    talk.upload(new)
    talk.confirm(digest_of(new))
    board.boot()
    if mode is BootloaderMode.SWAP_USING_OFFSET:
        # A confirmed swap leaves it where the application does not look: as Zephyr 4.4 does.
        assert talk.test(digest_of(old)) == {"err": {"group": 1, "rc": 8}}
        return
    talk.test(digest_of(old))
    board.boot()
    assert slots(talk) == [(0, "1.0.0", "active"), (1, "2.0.0", "confirmed")]
    board.boot()
    assert slots(talk) == [(0, "2.0.0", "active confirmed"), (1, "1.0.0", "")]


def test_overwrite_only_replaces_without_a_way_back() -> None:
    board = device(BootloaderMode.OVERWRITE_ONLY)
    new = update_for(BootloaderMode.OVERWRITE_ONLY)
    talk = Talk(board)
    talk.upload(new)
    talk.test(digest_of(new))
    for _ in range(2):
        board.boot()
        assert slots(talk) == [(0, "2.0.0", "active confirmed")]


def test_direct_xip_runs_the_higher_version_and_has_nothing_to_set() -> None:
    board, new = device(BootloaderMode.DIRECT_XIP), update_for(BootloaderMode.DIRECT_XIP)
    talk = Talk(board)
    talk.upload(new)
    assert slots(talk) == [(0, "1.0.0", "active confirmed"), (1, "2.0.0", "pending permanent")]
    assert talk.test(digest_of(new)) == {"rc": 8}
    board.boot()
    assert slots(talk) == [(0, "1.0.0", ""), (1, "2.0.0", "active confirmed")]
    # Now the primary slot is the free one.
    third = make_image((3, 0, 0), linked_for=PRIMARY, rom_fixed=True)
    talk.upload(third)
    board.boot()
    assert slots(talk) == [(0, "3.0.0", "active confirmed"), (1, "2.0.0", "")]


@pytest.mark.parametrize("version", [(1, 0, 0), (0, 9, 9), (1, 0, 0, 7)])
def test_direct_xip_never_runs_what_is_not_higher(version: tuple[int, ...]) -> None:
    board = device(BootloaderMode.DIRECT_XIP)
    talk = Talk(board)
    talk.upload(update_for(BootloaderMode.DIRECT_XIP, version=version))
    board.boot()
    assert talk.state()[0]["active"] is True


def test_direct_xip_with_revert_tries_once_and_erases_what_nobody_confirmed() -> None:
    mode = BootloaderMode.DIRECT_XIP_WITH_REVERT
    board, new = device(mode), update_for(mode)
    talk = Talk(board)
    for confirmed in (False, True):
        talk.upload(new)
        assert slots(talk) == [(0, "1.0.0", "active confirmed"), (1, "2.0.0", "")]
        talk.test(digest_of(new))
        assert slots(talk)[1] == (1, "2.0.0", "pending")
        board.boot()
        assert slots(talk) == [(0, "1.0.0", "confirmed"), (1, "2.0.0", "active")]
        if confirmed:
            talk.confirm()
        board.boot()
        if not confirmed:
            assert slots(talk) == [(0, "1.0.0", "active confirmed")]
            assert "Erasing faulty image in the secondary slot." in board.log
    assert slots(talk) == [(0, "1.0.0", ""), (1, "2.0.0", "active confirmed")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"wrong_digest": True}, "the content has the SHA-256"),
        ({"linked_for": SECONDARY}, "is not in the primary slot"),
        ({"size": 57_200}, "is larger than"),
    ],
)
def test_a_swap_of_what_can_not_run_is_refused_and_erased(
    changes: dict[str, Any], said: str
) -> None:
    mode = BootloaderMode.SWAP_USING_MOVE
    board, bad = device(mode), update_for(mode, **changes)
    talk = Talk(board)
    talk.upload(bad)
    talk.test(digest_of(bad))
    board.boot()
    assert slots(talk) == [(0, "1.0.0", "active confirmed")]
    assert any(said in line for line in board.log)


def test_direct_xip_skips_an_image_for_the_other_slot() -> None:
    mode = BootloaderMode.DIRECT_XIP
    board, bad = device(mode), update_for(mode, linked_for=PRIMARY)
    talk = Talk(board)
    talk.upload(bad)
    board.boot()
    assert slots(talk)[0] == (0, "1.0.0", "active confirmed")
    assert "Slot skipped: image is linked for 0xc000, the slot is at 0x40000" in board.log


def test_a_server_that_looks_refuses_an_image_for_the_other_slot() -> None:
    mode = BootloaderMode.DIRECT_XIP
    board = device(mode, server=ServerProfile(reject_mismatched_slot=True))
    answer = Talk(board).upload(update_for(mode, linked_for=PRIMARY))
    assert answer == {"err": {"group": 1, "rc": 25}}


def test_a_reset_happens_when_its_delay_is_over_and_forgets_the_upload() -> None:
    board = device(BootloaderMode.SWAP_USING_MOVE)
    talk = Talk(board)
    new = update_for(BootloaderMode.SWAP_USING_MOVE)
    talk.upload(new, until=5000)
    assert talk.ask(2, 0, 5, {}, now=10.0) == {}
    assert board.reset_at == 10.25
    assert board.tick(10.2) is False
    assert board.tick(10.25) is True
    assert talk.ask(2, 1, 1, {"off": 5000, "data": b"x"}) == {"off": 0}


@pytest.mark.parametrize(
    "mode",
    [
        BootloaderMode.RAM_LOAD,
        BootloaderMode.FIRMWARE_LOADER,
        BootloaderMode.SINGLE_SLOT,
    ],
)
def test_modes_that_it_does_not_play_are_refused_by_name(mode: BootloaderMode) -> None:
    with pytest.raises(DfuBleError) as error:
        device(mode)
    assert error.value.diagnostic.code == "DV513"
    assert mode.title in error.value.diagnostic.message


def test_two_images_are_updated_together() -> None:
    mode = BootloaderMode.SWAP_USING_MOVE
    places = {0: (PRIMARY, SECONDARY), 1: (0x100000, 0x140000)}
    board = VirtualDevice(
        DeviceProfile(
            mode,
            tuple(
                SlotProfile(image, index, address, SIZE)
                for image, pair in places.items()
                for index, address in enumerate(pair)
            ),
            {(n, 0): make_image((1, 0, 0), seed=n, linked_for=places[n][0]) for n in places},
        )
    )
    talk = Talk(board)
    new = {n: make_image((2, 0, 0), seed=n, linked_for=places[n][0]) for n in places}
    for number, image in new.items():
        assert talk.upload(image, image=number) == {"off": len(image)}
        talk.test(digest_of(image))
    board.boot()
    assert [(e["image"], e["slot"], e["version"], e["active"]) for e in talk.state()] == [
        (0, 0, "2.0.0", True),
        (0, 1, "1.0.0", False),
        (1, 0, "2.0.0", False),
        (1, 1, "1.0.0", False),
    ]
