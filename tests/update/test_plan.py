# SPDX-License-Identifier: Apache-2.0
"""Which image goes where, what is refused and why, and the sentence on the device's state."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tiny_device import make_image, offer
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.image.model import McubootImage
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import BootloaderInfo, ImageSlot, ImageState, SlotInfo
from west_dfu_ble.update import (
    ActivateMode,
    Candidate,
    DeviceState,
    Knowledge,
    Plan,
    UpdateOptions,
    make_plan,
)

SLOTS = {(0, 0): (0xC000, 0x40000), (0, 1): (0x4C000, 0x40000)}
SWAP, XIP = BootloaderMode.SWAP_USING_MOVE, BootloaderMode.DIRECT_XIP
REVERT, OVERWRITE = BootloaderMode.DIRECT_XIP_WITH_REVERT, BootloaderMode.OVERWRITE_ONLY


def linked(version: str, slot: int, *, rom_fixed: bool = True) -> McubootImage:
    """Make an image whose vector table (and header) says that it is linked for a slot."""
    base = SLOTS[0, slot][0]
    image = make_image(version, flags=0x100 if rom_fixed else 0, load=base if rom_fixed else 0)
    vectors = struct.pack("<II", 0x2000_8000, base + 0x200 + 0x101)
    data = image.data[:32] + vectors + image.data[40:]
    return replace(image, data=data, digest=bytes([slot]) * 4 + image.digest[4:])


def slot(number: int, image: McubootImage, *flags: str) -> ImageSlot:
    version = str(image.version).replace("+0", "").replace("+", ".")
    return ImageSlot(0, number, version, image.digest, **dict.fromkeys(flags, True))


def device(mode: BootloaderMode | None, *images: ImageSlot) -> DeviceState:
    return DeviceState(ImageState(images), mode)


OLD = make_image("1.0.0")
RUNS_0 = slot(0, OLD, "active", "confirmed")
RUNS_1 = slot(1, OLD, "active", "confirmed")


def plan(
    *candidates: Candidate,
    at: DeviceState,
    slots: bool = True,
    options: UpdateOptions | None = None,
    **known: bool,
) -> Plan:
    knowledge = Knowledge(mode=None, slots=SLOTS if slots else {}, **known)
    return make_plan(candidates, at, knowledge, options or UpdateOptions())


def refused(*candidates: Candidate, at: DeviceState, code: str, **more: object) -> DfuBleError:
    with pytest.raises(DfuBleError) as caught:
        plan(*candidates, at=at, **more)  # type: ignore[arg-type]  # passed through
    assert caught.value.diagnostic.code == code
    return caught.value


FOR_0, FOR_1 = offer(linked("2.0.0", 0), 0), offer(linked("2.0.0", 1), 1)
TOLD_BY_FILE_0, TOLD_BY_FILE_1 = (replace(c, slot=None) for c in (FOR_0, FOR_1))
BY_VECTOR_0 = offer(linked("2.0.0", 0, rom_fixed=False))
BY_VECTOR_1 = offer(linked("2.0.0", 1, rom_fixed=False))


@pytest.mark.parametrize("mode", [XIP, REVERT])
@pytest.mark.parametrize(("runs", "target"), [(RUNS_0, 1), (RUNS_1, 0)])
@pytest.mark.parametrize(
    "offered",
    [(FOR_0, FOR_1), (TOLD_BY_FILE_0, TOLD_BY_FILE_1), (BY_VECTOR_1, BY_VECTOR_0)],
    ids=["slot known", "header", "reset vector"],
)
@pytest.mark.parametrize("slots", [True, False], ids=["layout known", "layout unknown"])
def test_direct_xip_takes_the_image_for_the_free_slot(
    mode: BootloaderMode,
    runs: ImageSlot,
    target: int,
    offered: tuple[Candidate, Candidate],
    slots: bool,
) -> None:
    made = plan(*offered, at=device(mode, runs), slots=slots)
    (image,) = made.images
    assert image.target == target
    assert image.candidate.image.digest[0] == target
    assert (made.sets_state, made.confirms, made.resets) == (mode is REVERT, mode is REVERT, True)


@pytest.mark.parametrize("offered", [FOR_0, TOLD_BY_FILE_0, BY_VECTOR_0])
def test_the_wrong_variant_alone_is_refused(offered: Candidate) -> None:
    error = refused(offered, at=device(XIP, RUNS_0), code="DV502")
    assert error.status is ExitStatus.DEVICE
    assert "linked for slot 1" in str(error)
    assert offered.path.name in error.diagnostic.notes[0].text


@pytest.mark.parametrize("offered", [TOLD_BY_FILE_1, BY_VECTOR_1])
def test_a_swap_takes_only_an_image_linked_for_the_primary_slot(offered: Candidate) -> None:
    refused(offered, at=device(SWAP, RUNS_0), code="DV502")
    made = plan(offered, BY_VECTOR_0, at=device(SWAP, RUNS_0))
    assert made.images[0].candidate.image.digest[0] == 0
    assert made.images[0].target == 1


def test_an_image_that_says_nothing_is_taken_with_a_remark() -> None:
    made = plan(offer(make_image("2.0.0")), at=device(REVERT, RUNS_0), slots=False)
    assert any("nothing tells which slot" in remark for remark in made.remarks)


@pytest.mark.parametrize(
    ("running", "version", "compares_build", "code"),
    [
        ("1.0.0", "1.0.1", None, ""),
        ("1.0.0", "1.0.0+1", None, "DV503"),
        ("1.0.0", "1.0.0+1", False, "DV503"),
        ("1.0.0", "1.0.0+1", True, ""),
        ("1.0.0.7", "1.0.0+7", True, "DV503"),
        ("1.0.0", "0.9.9", None, "DV503"),
        ("1.0.0", "1.0.0", None, "DV503"),
        ("not a version", "0.0.1", None, ""),
    ],
)
@pytest.mark.parametrize("mode", [XIP, REVERT])
def test_direct_xip_needs_a_higher_version(
    mode: BootloaderMode, running: str, version: str, compares_build: bool | None, code: str
) -> None:
    image = linked(version.partition("+")[0], 1)
    build = int(version.partition("+")[2] or 0)
    image = replace(image, version=replace(image.version, build=build))
    at = device(mode, replace(RUNS_0, version=running))
    if code:
        refused(offer(image, 1), at=at, code=code, compares_build_number=compares_build)
    else:
        plan(offer(image, 1), at=at, compares_build_number=compares_build)  # type: ignore[arg-type]  # None means not known


def test_a_swap_may_go_back_to_a_lower_version_unless_the_bootloader_refuses_it() -> None:
    lower = offer(make_image("0.5.0"))
    made = plan(lower, at=device(SWAP, RUNS_0))
    assert made.images[0].upload
    assert ["downgrade" in text for text in made.warnings] == [True]
    assert not plan(offer(make_image("1.0.1")), at=device(SWAP, RUNS_0)).warnings
    refused(lower, at=device(OVERWRITE, RUNS_0), code="DV503", rejects_downgrade=True)
    told = replace(device(OVERWRITE, RUNS_0), bootloader=BootloaderInfo("MCUboot", 2, True))
    refused(lower, at=told, code="DV503")


def steps(made: Plan) -> tuple[bool, ...]:
    return made.images[0].upload, made.sets_state, made.resets, made.confirms


@pytest.mark.parametrize("activate", ActivateMode)
@pytest.mark.parametrize("mode", [SWAP, OVERWRITE, XIP, REVERT, None])
def test_nothing_is_done_for_what_runs_already(
    mode: BootloaderMode | None, activate: ActivateMode
) -> None:
    # Even when the other variant of the same build could go to the other slot.
    for offered in ([offer(OLD)], [offer(OLD), FOR_1]):
        options = UpdateOptions(activate=activate)
        made = plan(*offered, at=device(mode, RUNS_0), options=options)
        assert (made.is_reached, steps(made)) == (True, (False,) * 4)
        assert made.remarks[-1].endswith("runs already")


@pytest.mark.parametrize("erase", [True, False])
def test_what_runs_already_is_not_there_to_stay_while_another_waits(erase: bool) -> None:
    at = device(SWAP, RUNS_0, slot(1, make_image("1.5.0"), "pending"))
    error = refused(offer(OLD), at=at, code="DV505", options=UpdateOptions(erase=erase))
    assert "1.5.0" in str(error)


@pytest.mark.parametrize(
    ("activate", "confirms"),
    [
        (ActivateMode.CONFIRM, True),
        (ActivateMode.PERMANENT, True),
        (ActivateMode.TEST, False),
        (ActivateMode.UPLOAD_ONLY, False),
    ],
)
def test_an_image_on_trial_is_confirmed_and_nothing_else(
    activate: ActivateMode, confirms: bool
) -> None:
    before = make_image("0.9.0")
    at = device(SWAP, slot(0, OLD, "active"), slot(1, before, "confirmed"))
    made = plan(offer(OLD), at=at, options=UpdateOptions(activate=activate))
    assert (made.is_reached, steps(made)) == (not confirms, (False, False, False, confirms))
    # The way back is no update.
    refused(offer(before), at=at, code="DV505")


@pytest.mark.parametrize("mode", [SWAP, OVERWRITE, REVERT])
def test_what_waits_to_run_is_in_the_way(mode: BootloaderMode) -> None:
    new = offer(linked("2.0.0", 1 if mode is REVERT else 0))
    at = device(mode, RUNS_0, slot(1, make_image("1.5.0"), "pending"))
    error = refused(new, at=at, code="DV505")
    assert [h.text.rpartition(" ")[2] for h in error.diagnostic.helps] == ["reset", "--erase"]
    made = plan(new, at=at, options=UpdateOptions(erase=True))
    assert made.images[0].erase


def test_a_trial_of_another_image_is_in_the_way() -> None:
    at = device(SWAP, slot(0, OLD, "active"), slot(1, make_image("0.9.0"), "confirmed"))
    error = refused(offer(make_image("2.0.0")), at=at, code="DV505")
    assert "on trial" in str(error)


def test_plain_direct_xip_replaces_a_higher_version_that_waits() -> None:
    at = device(XIP, RUNS_0, slot(1, make_image("3.0.0"), "pending", "permanent"))
    assert plan(FOR_1, at=at).images[0].upload


def test_an_image_that_is_in_its_slot_is_not_uploaded_again() -> None:
    new = offer(make_image("2.0.0"))
    made = plan(new, at=device(SWAP, RUNS_0, slot(1, new.image)), slots=False)
    assert not made.images[0].upload
    assert made.sets_state
    assert made.resets


@pytest.mark.parametrize(
    "mode",
    [
        BootloaderMode.SINGLE_SLOT,
        BootloaderMode.FIRMWARE_LOADER,
        BootloaderMode.SINGLE_SLOT_RAM_LOAD,
    ],
)
def test_modes_without_a_second_slot(mode: BootloaderMode) -> None:
    refused(offer(make_image("2.0.0")), at=device(mode, RUNS_0), code="DV513")


def test_an_image_larger_than_its_slot() -> None:
    large = offer(make_image("2.0.0", size=0x40040))
    refused(large, at=device(SWAP, RUNS_0), code="IM304")
    told = replace(device(SWAP, RUNS_0), slots=(SlotInfo(0, 1, 30_000, 0, 15_000),))
    error = refused(offer(make_image("2.0.0")), at=told, code="IM304", slots=False)
    assert "room for 15000" in str(error)


def test_the_network_core_goes_first_and_one_reset_does_for_both() -> None:
    app, net = offer(make_image("2.0.0")), offer(make_image("2.0.1"), number=1)
    made = plan(app, net, at=device(OVERWRITE, RUNS_0), slots=False)
    assert [image.candidate.image_number for image in made.images] == [1, 0]
    assert [image.target for image in made.images] == [1, 1]
    assert not made.confirms


def test_a_mode_that_nobody_tells_is_told_from_the_header() -> None:
    made = plan(TOLD_BY_FILE_1, at=device(None, RUNS_0))
    assert made.mode is REVERT
    assert "direct-xip" in made.remarks[0]
    made = plan(offer(make_image("2.0.0")), at=device(None, RUNS_0), slots=False)
    assert (made.mode, made.sets_state, made.confirms) == (None, True, True)


def test_a_mode_that_differs_from_the_build_is_remarked() -> None:
    made = make_plan(
        [offer(make_image("2.0.0"))],
        device(SWAP, RUNS_0),
        Knowledge(mode=XIP),
        UpdateOptions(activate=ActivateMode.PERMANENT),
    )
    assert made.remarks == ("the device's bootloader is swap using move, the build's direct-xip",)
    assert made.permanent
    assert not made.confirms


NEW = make_image("2.0.0")
H_OLD, H_NEW = OLD.digest.hex()[:8], NEW.digest.hex()[:8]
A, B = f"1.0.0 (slot 0, hash {H_OLD})", f"2.0.0 (slot 1, hash {H_NEW})"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (device(SWAP, RUNS_0), f"the device runs {A} and will run it again after a reset"),
        (
            device(SWAP, RUNS_0, slot(1, NEW)),
            f"the device runs {A} and will run it again after a reset",
        ),
        (
            device(SWAP, RUNS_0, slot(1, NEW, "pending")),
            f"the device runs {A} and will run {B} on trial after the next reset",
        ),
        (
            device(SWAP, RUNS_0, slot(1, NEW, "pending", "permanent")),
            f"the device runs {A} and will run {B} for good after the next reset",
        ),
        (
            device(OVERWRITE, RUNS_0, slot(1, NEW, "pending")),
            f"the device runs {A} and will run {B} for good after the next reset",
        ),
        (
            device(SWAP, slot(0, OLD, "active"), slot(1, NEW, "confirmed")),
            f"the device runs {A} on trial and will go back to {B} at the next reset "
            "unless it is confirmed",
        ),
        (
            device(OVERWRITE, slot(0, OLD, "active"), slot(1, NEW)),
            f"the device runs {A} and will run it again after a reset",
        ),
        (
            device(SWAP, slot(0, OLD, "active")),
            f"the device runs {A} on trial, and the other slot is empty",
        ),
        (
            device(None, slot(1, NEW)),
            "the device does not say which image it runs",
        ),
        (
            device(SWAP, RUNS_0).outdated(),
            f"when last seen, the device runs {A} and will run it again after a reset",
        ),
    ],
)
def test_the_sentence(state: DeviceState, sentence: str) -> None:
    assert state.sentence() == sentence


def test_candidates_are_named_by_their_file() -> None:
    assert FOR_0.path == Path("app-2.0.0+0.bin")


@pytest.mark.parametrize("mode", [SWAP, OVERWRITE, None])
@pytest.mark.parametrize("there", [(), (slot(0, OLD),), (slot(0, OLD), slot(1, OLD))])
def test_mcuboots_own_recovery_gets_the_image_for_the_primary_slot(
    mode: BootloaderMode | None, there: tuple[ImageSlot, ...]
) -> None:
    made = plan(offer(make_image("2.0.0")), at=device(mode, *there))
    [image] = made.images
    assert (image.target, image.runs_from, image.upload) == (0, 0, True)
    assert (made.sets_state, made.resets, made.confirms) == (False, True, False)
    assert "without a trial" in made.remarks[0]
