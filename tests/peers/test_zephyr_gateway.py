# SPDX-License-Identifier: Apache-2.0
"""The whole Bluetooth path, over `device --forward`, ends in Zephyr 4.4 and a real MCUboot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from client_environments import SMPCLIENT, client_python, run_client
from command_line import (
    cut_power,
    dfu_ble,
    interrupted_upload,
    program_that_resets_itself,
    rebuilt,
    sign,
)
from relay import Relay
from serving import serving
from zephyr_build import cortex_m0_build
from zephyr_qemu import ZephyrServer

pytestmark = [
    pytest.mark.peer,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process"),
]
Start = Callable[..., ZephyrServer]
ON_AIR = ("--hci", "127.0.0.1:0")
# Two lines of the console: of more, the Cortex-M0's emulated UART loses some on a busy computer.
# Our client sends them again, smpclient does not.
SMALL_FRAMES = ("--frame-size", "176")


def test_an_image_is_swapped_in_and_confirmed_over_bluetooth(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    digest = sign(build, "1.2.3").digest.hex()[:8]

    with serving("--forward", server.link, *SMALL_FRAMES, *ON_AIR) as gateway:
        done = dfu_ble("upload", "-d", build, "--link", gateway.link)
        assert done.status == 0, done.err
        assert "495 bytes a write" in done.err
        assert "frames of 176 bytes (the device's buffer)" in done.err
        assert "swap using offset" in done.err
    expected = f"the device runs 1.2.3 (slot 0, hash {digest}) and will run it again after a reset"
    assert done.last_line == expected
    assert "Gone: the server resets" in gateway.log
    # And the server itself says the same, asked without the gateway.
    assert dfu_ble("status", "--link", server.link).last_line == expected


def test_an_image_on_trial_is_taken_back_over_bluetooth(zephyr_qemu: Start, tmp_path: Path) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    sign(build, "1.2.3")
    with serving("--forward", server.link, *SMALL_FRAMES, *ON_AIR) as gateway:
        tried = dfu_ble("upload", "-d", build, "--link", gateway.link, "--no-confirm")
        assert tried.status == 0, tried.err
        assert "the device runs 1.2.3" in tried.last_line
        assert "will go back to 0.0.0" in tried.last_line
        back = dfu_ble("reset", "--link", gateway.link)
    assert back.last_line.startswith("the device runs 0.0.0")
    assert back.last_line == dfu_ble("status", "--link", server.link).last_line


def test_an_image_that_does_not_come_up_is_reported_as_reverted_over_bluetooth(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server, program_that_resets_itself())
    sign(build, "6.6.6")
    with serving("--forward", server.link, *SMALL_FRAMES, *ON_AIR) as gateway:
        done = dfu_ble("upload", "-d", build, "--link", gateway.link)
    assert done.status == 7
    assert "error[DV506] reverted" in done.err
    assert done.last_line.startswith("the device runs 0.0.0")


def test_a_frame_of_many_writes_is_put_together(zephyr_qemu: Start, tmp_path: Path) -> None:
    server = zephyr_qemu("mps2_an385", "serial_recovery_buf2048")
    with serving("--forward", server.link, *ON_AIR) as gateway:
        image = rebuilt(server, tmp_path)
        done = dfu_ble("upload", "--image", image, "--link", gateway.link)
        assert done.status == 0, done.err
        # The server's buffer, less what the console's framing takes of it.
        assert "frames of 2044 bytes (the device's buffer, in several writes)" in done.err
    assert done.last_line.startswith("the device runs 2.0.0 (slot 1")


def test_a_power_cut_drops_the_link_and_the_upload_goes_on(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    sign(build, "1.2.3")
    with Relay() as relay:
        relay.join(server.link)
        with serving("--forward", relay.link, *SMALL_FRAMES, *ON_AIR) as gateway:
            cut = partial(cut_power, server, relay, zephyr_qemu)
            events = interrupted_upload(build, gateway.link, cut)
    assert any("connecting again" in event.get("text", "") for event in events)
    assert "the device runs 1.2.3" in events[-1]["device"]


def test_another_client_updates_it_over_the_same_gateway(
    zephyr_qemu: Start, tmp_path: Path
) -> None:
    client_python(SMPCLIENT)  # made, or the test skipped, before anything is served
    server = zephyr_qemu("qemu_cortex_m0", "serial")
    build = cortex_m0_build(tmp_path / "build", server)
    update = sign(build, "1.2.3")
    with serving("--forward", server.link, *SMALL_FRAMES, *ON_AIR) as gateway:
        hci, file = gateway.link.removeprefix("hci:"), build / "zephyr" / "app_update.bin"
        seen = run_client(SMPCLIENT, "smpclient_session.py", hci, gateway.name, file)
    assert seen["parameters"] == [176, server.buffer_count]
    assert seen["offset"] == update.size
    assert [slot["version"] for slot in seen["on trial"]] == ["1.2.3", "0.0.0"]
    assert [slot["version"] for slot in seen["erased"]] == ["1.2.3"]
