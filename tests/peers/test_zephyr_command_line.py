# SPDX-License-Identifier: Apache-2.0
"""The command line as a user types it, against a real MCUboot and Zephyr 4.4's own SMP server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from command_line import (
    HEADER_SIZE,
    cut_power,
    dfu_ble,
    interrupted_upload,
    program_that_resets_itself,
    rebuilt,
    sign,
    sign_elsewhere,
)
from relay import Relay
from smp_sessions import session_with
from west_dfu_ble.smp import Request
from zephyr_build import SLOT_SIZE, cortex_m0_build
from zephyr_qemu import ZephyrServer

pytestmark = [pytest.mark.peer, pytest.mark.timeout(300)]
Start = Callable[..., ZephyrServer]


def test_an_image_of_ours_is_swapped_in_and_stays(zephyr_qemu: Start, tmp_path: Path) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    digest = sign(build, "1.2.3").digest.hex()[:8]

    done = dfu_ble("upload", "-d", build, "--link", server.link)
    assert done.status == 0, done.err
    assert "swap using offset" in done.err
    expected = f"the device runs 1.2.3 (slot 0, hash {digest}) and will run it again after a reset"
    assert done.last_line == expected

    flash = tmp_path / "flash.bin"
    server.save_flash(flash)
    server.kill()
    after_power_cut = zephyr_qemu("qemu_cortex_m0", "serial", flash)
    assert dfu_ble("status", "--link", after_power_cut.link).last_line == expected


def test_an_image_on_trial_is_taken_back_by_the_next_reset(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    sign(build, "1.2.3")
    before = dfu_ble("status", "--link", server.link).last_line
    assert before.startswith("the device runs 0.0.0")

    done = dfu_ble("upload", "-d", build, "--link", server.link, "--no-confirm")
    assert done.status == 0, done.err
    assert "the device runs 1.2.3" in done.last_line
    assert "will go back to 0.0.0" in done.last_line

    assert dfu_ble("reset", "--link", server.link).last_line == before


def test_status_lists_what_was_uploaded_and_erase_removes_it(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    digest = sign(build, "1.2.3").digest.hex()[:16]
    done = dfu_ble("upload", "-d", build, "--link", server.link, "--no-activate")
    assert done.status == 0, done.err
    listed = dfu_ble("status", "--link", server.link)
    assert f"0      1     1.2.3    {digest}" in listed.out
    assert f"slot        image 0 slot 1: {SLOT_SIZE} bytes" in listed.out
    assert f"buffers     {server.buffer_count} of {server.buffer_size} bytes" in listed.out
    assert dfu_ble("erase", "--link", server.link).status == 0
    assert "1.2.3" not in dfu_ble("status", "--link", server.link).out


def test_an_image_that_does_not_come_up_is_reported_as_reverted(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server, program_that_resets_itself())
    sign(build, "6.6.6")
    done = dfu_ble("upload", "-d", build, "--link", server.link)
    assert done.status == 7
    assert "error[DV506] reverted" in done.err
    assert done.last_line.startswith("the device runs 0.0.0")
    assert "will run it again after a reset" in done.last_line


def test_an_image_with_a_broken_hash_is_not_even_sent(zephyr_qemu: Start, tmp_path: Path) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    signed = bytearray(sign(build, "1.2.3").data)
    signed[HEADER_SIZE + 100] ^= 1
    broken = tmp_path / "broken.bin"
    broken.write_bytes(signed)
    done = dfu_ble("upload", "--image", broken, "--link", server.link)
    assert done.status == 5
    assert "error[IM306] hash-mismatch" in done.err


def test_an_image_that_is_too_large_is_refused_here_and_there(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server, bytes(SLOT_SIZE))
    refused = dfu_ble("sign", "-d", build, "--image-version", "9.0.0")
    assert refused.status == 5
    assert "error[IM304] image-too-large" in refused.err

    # Signed for another device, whose slots are larger: nobody but this device knows better.
    sizes = ("--header-size", "0x200", "--slot-size", "0x40000")
    large = sign_elsewhere(tmp_path, bytes(SLOT_SIZE), "--version", "9.0.0", *sizes)
    done = dfu_ble("upload", "--image", large, "--link", server.link)
    assert done.status in (5, 7)
    assert "large" in done.err
    assert done.last_line.startswith("the device runs 0.0.0")


def test_a_power_cut_in_the_middle_of_the_upload(zephyr_qemu: Start, tmp_path: Path) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    sign(build, "1.2.3")
    with Relay() as relay:
        relay.join(server.link)
        cut = partial(cut_power, server, relay, zephyr_qemu)
        verdict = interrupted_upload(build, relay.link, cut)[-1]
        assert "the device runs 1.2.3" in verdict["device"]
        assert "will run it again" in verdict["device"]


def test_mcuboots_serial_recovery_gets_the_image_and_boots_it(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("mps2_an385", "serial_recovery")

    async def into_recovery() -> None:
        async with session_with(server.link) as session:
            await session.request(Request("reset into recovery", True, 0, 5, {"boot_mode": 1}))
            await asyncio.sleep(2)

    asyncio.run(into_recovery())
    assert "does not say which image it runs" in dfu_ble("status", "--link", server.link).last_line
    done = dfu_ble("upload", "--image", rebuilt(server, tmp_path), "--link", server.link)
    assert done.status == 0, done.err
    assert "the bootloader itself answers (serial recovery)" in done.err
    assert "frames of 1020 bytes" in done.err
    assert "1 in flight" in done.err
    assert done.last_line.startswith("the device runs 2.0.0 (slot 0")


@pytest.mark.parametrize("config", ["serial_recovery_buf400", "serial_recovery_buf2048"])
def test_a_bootloader_that_loads_into_ram_runs_the_higher_version(
    config: str, zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("mps2_an385", config)
    done = dfu_ble("upload", "--image", rebuilt(server, tmp_path), "--link", server.link)
    assert done.status == 0, done.err
    width = 2 if server.buffer_count >= 4 else 1
    frames = f"frames of {server.buffer_size - 4} bytes (the device's buffer, tried)"
    assert f"{frames}, {width} in flight" in done.err
    assert "the image's header says that it is loaded into RAM" in done.err
    assert "activate" not in done.err
    assert done.last_line.startswith("the device runs 2.0.0 (slot 1")


def test_a_bootloader_that_loads_into_ram_has_nothing_to_set(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("mps2_an385", "serial_recovery_buf2048")
    update = rebuilt(server, tmp_path)
    done = dfu_ble("upload", "--image", update, "--link", server.link, "--no-activate")
    assert done.status == 0, done.err
    refused = dfu_ble("test", "--link", server.link)
    assert refused.status == 7
    assert "error[DV513]" in refused.err
    assert "where MCUboot loads images into RAM, nothing is set" in refused.err
