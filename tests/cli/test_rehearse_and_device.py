# SPDX-License-Identifier: Apache-2.0
"""`rehearse` and `device`: the virtual device as a product of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from running import RunDfuBle
from serving import serving
from west_dfu_ble.virtual import FaultKind


def test_rehearsal_shows_the_devices_own_log(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--speed", "max")

    assert result.status == 0, result.err
    assert result.out.count("*** Booting MCUboot ***") == 2
    assert "Swap type: test" in result.out
    assert result.last_line == "this build updates the device that runs now"


def test_rehearsal_from_the_image_in_the_field(dfu_ble: RunDfuBle, tiny: Path) -> None:
    build = tiny / "build-direct-xip"
    assert dfu_ble("sign", "-d", build, "--image-version", "9.0.0").status == 0
    package = tiny / "field.zip"
    (build / "zephyr/dfu_application.zip").replace(package)

    result = dfu_ble("rehearse", "-d", build, "--from", package, "--force")

    # Direct-xip runs the higher version, and that is already there.
    assert result.status == 7
    assert "error[DV503]" in result.err
    assert "does not update" in result.last_line


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child process")
@pytest.mark.parametrize("place", [("--udp", "127.0.0.1:0"), ("--hci", "tcp-server:127.0.0.1:0")])
def test_another_process_updates_a_served_device(
    dfu_ble: RunDfuBle, tiny: Path, place: tuple[str, str]
) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build).status == 0

    with serving("-d", build, *place) as served:
        # The sample's firmware asks for a passkey; the virtual device always shows the same.
        paired = ("--device", "Tiny swap", "--passkey", "271828")
        device = paired if served.link.startswith("hci") else ()
        result = dfu_ble("upload", "-d", build, "--link", served.link, *device)
        assert result.status == 0, result.err
        assert "runs 1.2.0" in result.last_line
    assert "the device runs 1.2.0" in served.out


def test_a_place_that_is_taken(dfu_ble: RunDfuBle, tiny: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        result = dfu_ble("device", "-d", tiny / "build-swap", "--hci", place)
    assert result.status == 2
    assert "error[EN008]" in result.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child process")
def test_a_front_before_a_server_shows_itself_as_the_build_says(
    dfu_ble: RunDfuBle, tiny: Path
) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build).status == 0

    with (
        serving("-d", build, "--udp", "127.0.0.1:0") as server,
        serving("-d", build, "--forward", server.link, "--hci", "127.0.0.1:0") as front,
    ):
        paired = ("--device", front.name, "--passkey", "271828")
        result = dfu_ble("upload", "-d", build, "--link", front.link, *paired)
        assert result.status == 0, result.err
        assert "runs 1.2.0" in result.last_line
    assert front.name == "Tiny swap"
    assert "Passkey: 271828" in front.log
    assert "requests were forwarded" in front.out
    assert "the device runs 1.2.0" in server.out


@pytest.mark.parametrize(
    "arguments",
    [("--from", "old.bin"), ("--fault", "vanish@3"), ()],
    ids=["an image", "a fault", "virtual"],
)
def test_a_front_with_a_virtual_device_behind_it_is_refused(
    dfu_ble: RunDfuBle, arguments: tuple[str, ...]
) -> None:
    link = "udp:127.0.0.1:1337" if arguments else "virtual"
    result = dfu_ble("device", "--forward", link, *arguments)
    assert result.status == 2
    assert "error[EN008]" in result.err


@pytest.mark.parametrize("sample", ["build-swap", "build-direct-xip"])
def test_every_fault_in_every_phase(dfu_ble: RunDfuBle, tiny: Path, sample: str) -> None:
    result = dfu_ble("rehearse", "-d", tiny / sample, "--faults", "--format", "json")

    assert result.status == 0, result.err
    trials = json.loads(result.out)
    assert {t["fault"] for t in trials} == {kind.value for kind in FaultKind}
    assert all(t["as_reported"] for t in trials)
    # Not everything can be survived: a reboot on trial is a revert, a flash error is the device's.
    ended = {(t["fault"], t["phase"]): t["error"] for t in trials}
    assert ended["request-lost", "upload"] is None
    assert ended["flash-write-error", "upload"] == "DV501"
    if sample == "build-swap":
        assert ended["reboot", "confirm"] == "DV506"
    slow = next(t for t in trials if t["fault"] == "slow-erase")
    assert slow["seconds"] == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("faults", "status", "said", "struck"),
    [
        (["disconnect@upload"], 0, "disconnect@upload", ["disconnect"]),
        (["mtu-23", "response-late@3:0.5s"], 0, "mtu-23@0, response-late@3", ["response-late"]),
        (["reboot@confirm"], 7, "reboot@confirm", ["reboot"]),
        (["power-cut@reset+25%"], 0, "power-cut@reset", []),
        (["power-cut@99999"], 0, "it was over before this could go wrong: power-cut@99999", []),
    ],
    ids=str,
)
def test_one_rehearsal_with_faults(
    dfu_ble: RunDfuBle, tiny: Path, faults: list[str], status: int, said: str, struck: list[str]
) -> None:
    asked = [word for fault in faults for word in ("--fault", fault)]
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--speed", "max", *asked)
    assert result.status == status, result.err
    assert said in result.last_line
    for kind in struck:
        assert f"Fault: {kind}" in result.out


@pytest.mark.parametrize(
    ("action", "fault", "said"),
    [
        ("rehearse", "bad-luck@3", "is no fault; write KIND@NUMBER"),
        ("rehearse", "disconnect@lunch", "is no phase of an update"),
        ("rehearse", "power-cut@inspect", "nothing happens in the phase inspect"),
        ("rehearse", "disconnect", "does not say where"),
        ("device", "disconnect@upload", "is no fault; write KIND@NUMBER"),
    ],
)
def test_a_fault_that_makes_no_sense(
    dfu_ble: RunDfuBle, tiny: Path, action: str, fault: str, said: str
) -> None:
    result = dfu_ble(action, "-d", tiny / "build-swap", "--fault", fault)
    assert result.status == 2
    assert result.err.count("error[") == 1
    assert said in result.err


def test_the_fault_matrix_as_a_table(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--faults")
    header, *rows = result.out.splitlines()
    assert header.split() == [
        "fault",
        "inspect",
        "upload",
        "activate",
        "reset",
        "verify",
        "confirm",
    ]
    assert [row.split()[0] for row in rows[: len(FaultKind)]] == [kind.value for kind in FaultKind]
    assert "DV506   The device ran the new image or tried to" in result.out
    assert next(row for row in rows if row.startswith("reboot")).split()[-2:] == ["DV506"] * 2
    assert next(row for row in rows if row.startswith("flash-write")).endswith("DV501 new")
    assert max(map(len, result.out.splitlines())) <= 80
    assert result.last_line == "after each the device booted a valid image, and it was as reported"


def spoil_mode(build: Path, mode: str) -> None:
    config = build / "mcuboot/zephyr/.config"
    text = config.read_text().replace("CONFIG_BOOT_SWAP_USING_MOVE=y\n", "")
    config.write_text(f"{text}CONFIG_{mode}=y\n")


@pytest.mark.parametrize("action", ["rehearse", "device"])
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("BOOT_RAM_LOAD", "can't play a bootloader in RAM load mode"),
        ("BOOT_FIRMWARE_LOADER", "can't play a bootloader in firmware loader mode"),
    ],
)
def test_a_mode_that_it_can_not_play(
    dfu_ble: RunDfuBle, tiny: Path, action: str, mode: str, said: str
) -> None:
    build = tiny / "build-swap"
    spoil_mode(build, mode)
    before = sorted(tiny.rglob("*"))
    result = dfu_ble(action, "-d", build)
    assert result.status == 7, result.err
    assert result.err.count("error[") == 1
    assert "error[DV513]" in result.err
    assert said in result.err
    assert sorted(tiny.rglob("*")) == before


def test_a_build_without_slots(dfu_ble: RunDfuBle, tiny: Path) -> None:
    build = tiny / "build-swap"
    partitions = build / "partitions.yml"
    partitions.write_text(partitions.read_text().replace("mcuboot_secondary", "spare"))
    result = dfu_ble("rehearse", "-d", build)
    assert result.status in (4, 7)
    assert result.err.count("error[") == 1
    assert "slot" in result.err


@pytest.mark.parametrize("of_another", ["board", "key"])
def test_an_image_that_is_not_for_this_board(
    dfu_ble: RunDfuBle, tiny: Path, of_another: str
) -> None:
    assert dfu_ble("sign", "-d", tiny / "build-direct-xip").status == 0
    foreign = tiny / "build-direct-xip/zephyr/app_update.bin"
    if of_another == "key":
        result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--from", foreign)
        said = "error[IM303] wrong-key"
    else:
        # Without a build it is a board of its own, with slots at other addresses.
        result = dfu_ble("device", "--from", foreign)
        said = "error[IM312] wrong-slot: the running image is linked for 0x8"
    assert result.status == 5, result.err
    assert result.err.count("error[") == 1
    assert said in result.err
    assert str(foreign) in result.err


@pytest.mark.parametrize("option", ["--dry-run", "--no-activate"])
def test_a_rehearsal_claims_no_more_than_it_tried(
    dfu_ble: RunDfuBle, tiny: Path, option: str
) -> None:
    result = dfu_ble("rehearse", "-d", tiny / "build-swap", "--speed", "max", option)
    assert result.status == 0, result.err
    assert "this build updates the device" not in result.out
    assert f"was not tried: {option} was given" in result.last_line
