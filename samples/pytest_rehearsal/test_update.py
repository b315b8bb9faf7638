# SPDX-License-Identifier: Apache-2.0
"""What a product's own tests may say of its firmware update, without a board."""

from __future__ import annotations

import socket
import struct

import cbor2
import pytest

from west_dfu_ble.rehearsal import Rehearsal
from west_dfu_ble.virtual import BackgroundDevice


def test_what_is_out_there_can_be_updated(rehearsal: Rehearsal) -> None:
    result = rehearsal.update()

    assert result.is_done, str(result)
    assert result.runs_update
    assert result.is_true


@pytest.mark.parametrize("phase", ["upload", "activate", "verify", "confirm"])
def test_a_link_that_drops_costs_less_than_a_second(rehearsal: Rehearsal, phase: str) -> None:
    result = rehearsal.with_fault("disconnect", at=phase).update()

    assert result.is_done, str(result)
    assert result.seconds_lost < 1


@pytest.mark.parametrize("share", [0, 25, 50, 75, 100])
def test_the_power_may_go_while_the_bootloader_works(rehearsal: Rehearsal, share: int) -> None:
    result = rehearsal.with_fault("power-cut", at=f"reset+{share}%").update()

    assert result.is_done, str(result)


def test_a_reboot_before_the_confirmation_brings_the_old_image_back(rehearsal: Rehearsal) -> None:
    result = rehearsal.with_fault("reboot", at="confirm").update()

    assert result.code == "DV506", str(result)
    assert not result.runs_update
    assert "Swap type: revert" in "\n".join(result.log)


def test_a_full_erase_is_waited_for(rehearsal: Rehearsal) -> None:
    result = rehearsal.with_fault("slow-erase", seconds=25).update()

    assert result.is_done, str(result)
    assert result.seconds_lost == pytest.approx(25, abs=1)


def test_two_things_may_go_wrong_in_one_update(rehearsal: Rehearsal) -> None:
    result = (
        rehearsal.with_fault("request-lost", at="upload+10%", times=3)
        .with_fault("vanish", at="upload+80%")
        .update()
    )

    assert result.is_done, str(result)


def test_over_two_bluetooth_stacks(rehearsal: Rehearsal) -> None:
    result = rehearsal.over_bluetooth().with_fault("vanish", at="upload").update()

    assert result.is_done, str(result)


def test_no_fault_in_any_phase_makes_the_report_a_lie(rehearsal: Rehearsal) -> None:
    assert [trial for trial in rehearsal.fault_matrix() if not trial.is_true] == []


def test_our_own_client_reads_the_image_list(virtual_device: BackgroundDevice) -> None:
    """Any SMP client may be tested so: over UDP, or with a controller at `hci_address`."""
    read_images = struct.pack(">BBHHBB", 8, 0, 1, 1, 0, 0) + cbor2.dumps({})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(read_images, virtual_device.udp_address)
        answer = cbor2.loads(client.recv(4096)[8:])

    assert f"{answer['images'][0]['version']}+0" == virtual_device.running
    assert virtual_device.boots == 1
