# SPDX-License-Identifier: Apache-2.0
"""The rehearsal as Python sees it: made from a build, given faults, played."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcuboot_images import make_image
from sample_builds import SampleBuild
from scenes import scene
from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.rehearsal import Rehearsal, parse_placed_fault, play
from west_dfu_ble.update import ActivateMode, UpdateOptions
from west_dfu_ble.virtual import Fault, FaultKind

SWAP = BootloaderMode.SWAP_USING_MOVE


@pytest.fixture(scope="module")
def small() -> Rehearsal:
    return Rehearsal(scene(SWAP))


@pytest.mark.parametrize(
    ("name", "signed"), [("build-swap", False), ("build-direct-xip", False), ("build-swap", True)]
)
def test_a_build_updates_the_version_before_it(tmp_path: Path, name: str, signed: bool) -> None:
    SampleBuild(name, signed=signed).load(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    result = Rehearsal.from_build(tmp_path / name).update()

    assert result.is_done, result
    assert (result.running, result.runs_update, result.is_true) == ("1.2.0+0", True, True)
    assert (result.code, result.seconds_lost) == ("", 0)
    assert sorted(tmp_path.rglob("*")) == before


def test_from_a_version_that_direct_xip_would_not_leave(tmp_path: Path) -> None:
    build = SampleBuild().load(tmp_path)
    result = Rehearsal.from_build(build, version="9.0.0").update()
    assert result.code == "DV503"
    assert (result.running, result.runs_update, result.is_true) == ("9.0.0+0", False, True)
    assert "DV503" in str(result)
    assert "9.0.0" in result.sentence


def test_from_the_package_of_another_release(tmp_path: Path) -> None:
    build = SampleBuild("build-swap", signed=False).load(tmp_path)
    image.sign_build(build, version="0.9.0", output=tmp_path / "field")
    result = Rehearsal.from_build(build, running=tmp_path / "field/dfu_application.zip").update()
    assert result.is_done, result
    [field] = result.device.profile.factory.values()
    assert str(image.parse(field, tmp_path).version) == "0.9.0+0"


@pytest.mark.parametrize(
    ("kind", "at", "lost"),
    [
        ("disconnect", "upload", 0.2),
        (FaultKind.REQUEST_LOST, "activate", 3.0),
        ("response-late", 0, 4.0),
        # The first erase of this one is the bootloader's: 2 s of it pass before it is missed.
        ("slow-erase", "upload", 18.0),
        # Gone without a word: it is missed after the supervision timeout.
        ("vanish", "upload", 2.2),
        ("reboot", "upload", 2.2),
        # Back before it is missed, as it is after every reset.
        ("power-cut", "reset+25%", 0.0),
    ],
)
def test_a_fault_strikes_and_takes_its_time(
    small: Rehearsal, kind: FaultKind | str, at: int | str, lost: float
) -> None:
    result = small.with_fault(kind, at).update()
    assert result.is_done, result
    assert result.seconds_lost == pytest.approx(lost, abs=0.3)
    [struck] = result.device.struck
    assert struck.kind.value == str(getattr(kind, "value", kind))


def test_a_rehearsal_never_changes_and_is_the_same_every_time(small: Rehearsal) -> None:
    spoilt = small.with_fault("request-lost", "upload", times=2).with_fault("reboot", "confirm")
    first, second = spoilt.update(), spoilt.update()
    assert first.code == second.code == "DV506"
    assert first.log == second.log
    assert first.seconds == second.seconds
    assert {fault.kind for fault in first.device.struck} == {
        FaultKind.REQUEST_LOST,
        FaultKind.REBOOT,
    }
    assert small.update().is_done


def test_without_a_confirmation_the_old_image_comes_back(small: Rehearsal) -> None:
    result = small.with_options(UpdateOptions(activate=ActivateMode.TEST)).update()
    assert result.is_done
    assert result.running == "2.0.0+0"
    # It was started once more since.
    assert str(result.device.running().version) == "1.0.0+0"  # type: ignore[union-attr]
    assert result.is_true


def test_both_bluetooth_stacks_give_the_same_result(small: Rehearsal) -> None:
    for rehearsal in (small, small.with_fault("disconnect", "upload")):
        plain, over_air = rehearsal.update(), rehearsal.over_bluetooth().update()
        assert plain.is_done
        assert over_air.is_done
        assert plain.running == over_air.running


@pytest.mark.parametrize(
    ("kind", "at", "said"),
    [
        ("bad-luck", 3, "is no fault"),
        ("disconnect", "lunch", "is no phase"),
        ("disconnect", "upload+101%", "100 %"),
        ("flash-erase-error", "connect", "nothing happens in the phase connect"),
        ("disconnect", -1, "is no fault"),
    ],
)
def test_what_makes_no_sense_is_refused(
    small: Rehearsal, kind: str, at: int | str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        small.with_fault(kind, at)


def test_a_fault_is_placed_as_people_write_it() -> None:
    placed = parse_placed_fault("response-late@upload+25%x2:1.5s")
    assert placed.phase is not None
    assert (placed.phase.value, placed.share) == ("upload", 0.25)
    assert placed.fault == Fault(FaultKind.RESPONSE_LATE, times=2, seconds=1.5)
    assert parse_placed_fault("reboot@7").phase is None


@pytest.mark.parametrize(
    ("running", "code"),
    [(b"none", "IM305"), (make_image((1, 0, 0), linked_for=0x40000), "IM307")],
)
def test_an_image_that_the_device_could_not_run(tmp_path: Path, running: bytes, code: str) -> None:
    SampleBuild("build-swap").load(tmp_path)
    with pytest.raises(DfuBleError) as caught:
        Rehearsal.from_build(tmp_path / "build-swap", running=running)
    assert caught.value.diagnostic.code == code


def test_a_report_that_is_not_what_the_device_is_in_is_noticed() -> None:
    """The judge itself: a server that swears that nothing runs but what it was sent."""
    run = play(scene(SWAP))
    assert run.is_true
    from west_dfu_ble.rehearsal.play import _is_true, _stays

    assert run.state is not None
    assert run.running is not None
    old = play(scene(SWAP), [Fault(FaultKind.REBOOT, run.end.requests - 2)])
    assert old.running is not None
    assert old.running.digest != run.running.digest
    for is_done in (True, False):
        assert not _is_true(old.running, run.state, is_done=is_done)
    assert not _stays(old.device, run.state)
