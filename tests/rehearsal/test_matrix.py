# SPDX-License-Identifier: Apache-2.0
"""Every fault in every phase, over SMP alone and over two real Bluetooth stacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenes import scene, two_images
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.rehearsal import Over, Trial, play, run_matrix
from west_dfu_ble.rehearsal.play import _others_are_true
from west_dfu_ble.report.faults import fault_table
from west_dfu_ble.update import Phase
from west_dfu_ble.virtual import (
    PLAYABLE_MODES,
    ZEPHYR_2_7,
    ZEPHYR_4,
    FaultKind,
    ServerProfile,
)

SWAP = BootloaderMode.SWAP_USING_MOVE
# One of each sort: an answer, the link, the device, its flash, its power, what holds all the time.
QUICK = (
    FaultKind.RESPONSE_LOST,
    FaultKind.VANISH,
    FaultKind.FLASH_WRITE_ERROR,
    FaultKind.POWER_CUT,
    FaultKind.SMALL_MTU,
)
# What a client can't do anything about: the device's own errors, and a reset in the trial.
MAY_FAIL = {
    FaultKind.REBOOT,
    FaultKind.POWER_CUT,
    FaultKind.BUFFERS_BUSY,
    FaultKind.SECOND_CLIENT,
    FaultKind.FLASH_WRITE_ERROR,
    FaultKind.FLASH_ERASE_ERROR,
}


def must_be_true(trials: list[Trial]) -> None:
    wrong = [trial for trial in trials if not trial.is_true]
    assert wrong == [], fault_table(trials)
    failed = {trial.kind for trial in trials if trial.code}
    assert failed <= MAY_FAIL, fault_table(trials)


@pytest.mark.parametrize("mode", PLAYABLE_MODES, ids=lambda mode: mode.title)
def test_every_fault_in_every_phase(mode: BootloaderMode) -> None:
    trials = run_matrix(scene(mode))
    must_be_true(trials)
    everywhere: set[Phase] = {phase for phase in Phase if phase is not Phase.CONNECT}
    if mode in (BootloaderMode.DIRECT_XIP, BootloaderMode.OVERWRITE_ONLY):
        # Nothing to set in the one, nothing to confirm in either.
        everywhere = {trial.phase for trial in trials if trial.kind is FaultKind.DISCONNECT}
    for kind in set(FaultKind) - {FaultKind.FLASH_ERASE_ERROR, FaultKind.SLOW_ERASE}:
        phases = {trial.phase for trial in trials if trial.kind is kind}
        assert phases, kind
        if kind.counts.value == "requests":
            assert phases == everywhere, kind


@pytest.mark.parametrize("server", [ZEPHYR_2_7, ZEPHYR_4], ids=lambda one: one.kernel_version)
@pytest.mark.parametrize("mode", PLAYABLE_MODES, ids=lambda mode: mode.title)
def test_servers_of_other_generations(server: ServerProfile, mode: BootloaderMode) -> None:
    plain = scene(mode)
    trials = run_matrix(
        replace(plain, profile=replace(plain.profile, server=server)),
        kinds=set(QUICK) - {FaultKind.SMALL_MTU},
    )
    must_be_true(trials)


@pytest.mark.parametrize(
    "mode", [m for m in PLAYABLE_MODES if not m.is_direct_xip], ids=lambda mode: mode.title
)
def test_a_device_with_two_images(mode: BootloaderMode) -> None:
    must_be_true(run_matrix(two_images(mode), kinds={*QUICK, FaultKind.REBOOT}))


def test_the_other_images_are_judged_too() -> None:
    both = two_images(SWAP)
    assert play(both).is_true
    # Somebody puts another image into the second one's slot behind the client's back.
    run = play(both)
    run.device.boot()
    area = run.device.images[1].areas[0]
    area.program(0, both.profile.factory[1, 0].ljust(area.size - 4096, b"\xff"))
    assert not _others_are_true(run.device, both, run.state, is_done=True)
    assert not _others_are_true(run.device, both, run.state, is_done=False)


def test_some_faults_over_two_bluetooth_stacks(caplog: pytest.LogCaptureFixture) -> None:
    trials = run_matrix(scene(SWAP, Over.BLE), kinds=QUICK)
    must_be_true(trials)
    assert {trial.kind for trial in trials} == set(QUICK)
    assert caplog.records == []  # nothing of the stacks stands between our own lines


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", PLAYABLE_MODES, ids=lambda mode: mode.title)
def test_every_fault_over_two_bluetooth_stacks_as_over_smp_alone(mode: BootloaderMode) -> None:
    over_air, plain = run_matrix(scene(mode, Over.BLE)), run_matrix(scene(mode))
    must_be_true(over_air)
    # The stacks change nothing about how an update ends.
    assert [replace(t, seconds=0) for t in over_air] == [replace(t, seconds=0) for t in plain]
