# SPDX-License-Identifier: Apache-2.0
"""Several devices in one call: boards on one air, reached through one controller over TCP."""

from __future__ import annotations

import json
import os
import signal
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from boards import make_update
from crowd import address_of, make_crowd, served
from event_lines import events_of
from running import RunDfuBle
from served_device import in_thread
from west_dfu_ble.link import search
from west_dfu_ble.virtual import Fault, FaultKind, VirtualDevice


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_SETTLE_NAME", "_SETTLE_SERVICE", "_SETTLE_RETURN"):
        monkeypatch.setattr(search, name, 0.1)
    monkeypatch.setattr("west_dfu_ble.commands.several_devices._LISTEN", 0.5)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path / "cache")


def on_air(
    boards: Sequence[VirtualDevice], watch: Callable[[], None] = lambda: None
) -> AbstractContextManager[str]:
    """Serve the boards from another thread; gives the link. `watch` is called again and again."""
    return in_thread(served(boards), watch)


@pytest.fixture
def update(tmp_path: Path) -> Path:
    path = tmp_path / "update.bin"
    path.write_bytes(make_update())
    return path


def runs(board: VirtualDevice) -> str:
    running = board.running()
    return str(running.version).partition("+")[0] if running else ""


def with_faults(board: VirtualDevice, *faults: Fault) -> VirtualDevice:
    return VirtualDevice(board.profile, faults=faults)


def test_devices_named_one_by_one(dfu_ble: RunDfuBle, update: Path) -> None:
    boards = make_crowd(["Door", "Window", "Roof"])
    with on_air(boards) as link:
        result = dfu_ble(
            *("upload", "--link", link, "--image", update),
            *("--device", "Door", "--device", address_of(2), "--device", "Roof"),
        )
    assert result.status == 0, result.err
    assert [runs(board) for board in boards] == ["2.0.0"] * 3
    table = result.out.splitlines()
    assert [line.split("  ")[0] for line in table] == [
        "Door",
        address_of(2),
        "Roof",
        "3 devices: 3 done",
    ]
    assert all("done" in line and "the device runs 2.0.0" in line for line in table[:3])
    note, *progress = result.err.splitlines()
    assert "update.bin has no signature" in note
    # Each line of progress begins with the device.
    assert {line.split("  ")[0] for line in progress} == {
        "Door",
        address_of(2),
        "Roof",
    }


def test_one_vanishes_and_one_refuses_and_the_others_are_updated(
    dfu_ble: RunDfuBle, update: Path, tmp_path: Path
) -> None:
    one, two, three, four = make_crowd(["Tag 1", "Tag 2", "Tag 3", "Other"])
    vanishing = with_faults(two, Fault(FaultKind.VANISH, at=9, times=10**6))
    refusing = with_faults(three, Fault(FaultKind.FLASH_WRITE_ERROR, at=0, times=10**6))
    junit, lines = tmp_path / "devices.xml", tmp_path / "devices.jsonl"
    with on_air([one, vanishing, refusing, four]) as link:
        result = dfu_ble(
            *("upload", "--link", link, "--image", update, "--all-named", "Tag *"),
            *("--retries", "1", "--report", f"junit:{junit}", "--report", f"json:{lines}"),
        )
    assert result.status == 7, result.err
    assert [runs(board) for board in (one, vanishing, refusing, four)] == [
        *("2.0.0", "1.0.0", "1.0.0", "1.0.0")
    ]
    assert "Traceback" not in result.err
    assert "3 devices: Tag 1, Tag 2, Tag 3" in result.err
    assert result.last_line == "3 devices: 1 done, 2 failed"
    done, vanished, refused = result.out.splitlines()[:3]
    assert "the device runs 2.0.0" in done
    assert "LK407" in vanished
    assert "when last seen, the device runs 1.0.0" in vanished
    assert "failed" in refused
    assert "; the device runs 1.0.0" in refused

    told = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert [(one["device"], one["status"]) for one in told] == [
        *(("Tag 1", 0), ("Tag 2", 7), ("Tag 3", 7))
    ]
    suite = ET.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == [
        *("3", "2", "0", "0")
    ]
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == ["Tag 1", "Tag 2", "Tag 3"]
    assert [case.find("failure") is None for case in cases] == [True, False, False]


def test_a_device_that_is_not_there_is_status_6(dfu_ble: RunDfuBle, update: Path) -> None:
    (board,) = make_crowd(["Door"])
    with on_air([board]) as link:
        result = dfu_ble(
            *("upload", "--link", link, "--image", update, "--timeout", "2", "--format", "json"),
            *("--device", "Nobody", "--device", "Door"),
        )
    assert result.status == 6
    events = events_of(result.out)
    assert {event["device"] for event in events} == {"Nobody", "Door"}
    verdicts = {e["device"]: e for e in events if e["event"] == "verdict"}
    assert verdicts["Nobody"]["error"] == "LK402"
    assert verdicts["Nobody"]["state"].endswith("it was never reached")
    assert verdicts["Nobody"]["images"] is verdicts["Nobody"]["running"] is None
    assert verdicts["Door"]["status"] == 0
    assert "runs 2.0.0" in verdicts["Door"]["state"]
    assert verdicts["Door"]["running"]["version"] == "2.0.0"
    assert runs(board) == "2.0.0"


def test_devices_of_one_name_are_told_apart(dfu_ble: RunDfuBle, update: Path) -> None:
    boards = make_crowd(["Tag", "Tag", "Tag"])
    with on_air(boards) as link:
        result = dfu_ble(
            "upload", "--link", link, "--image", update, "--all-named", "T?g", "--jobs", "2"
        )
    assert result.status == 0, result.err
    assert [runs(board) for board in boards] == ["2.0.0"] * 3
    assert [line.split("  ")[0] for line in result.out.splitlines()[:3]] == [
        f"Tag ({address_of(number)})" for number in (1, 2, 3)
    ]


def test_a_dry_run_of_several_writes_nothing(dfu_ble: RunDfuBle, update: Path) -> None:
    boards = make_crowd(["Tag 1", "Tag 2"])
    with on_air(boards) as link:
        result = dfu_ble(
            "upload", "--link", link, "--image", update, "--all-named", "*", "--dry-run"
        )
    assert result.status == 0, result.err
    assert result.out.count("would upload update.bin (2.0.0+0) to image 0 slot 1") == 2
    assert [runs(board) for board in boards] == ["1.0.0"] * 2


def test_a_pattern_that_fits_nobody(dfu_ble: RunDfuBle, update: Path, tmp_path: Path) -> None:
    junit = tmp_path / "devices.xml"
    with on_air(make_crowd(["Door"])) as link:
        result = dfu_ble(
            *("upload", "--link", link, "--image", update, "--all-named", "Tag*"),
            *("--report", f"junit:{junit}"),
        )
    assert result.status == 6
    assert "no device in range has a name like 'Tag*'" in result.err
    assert f"seen: Door at {address_of(1)}" in result.err
    assert ET.parse(junit).getroot().get("errors") == "1"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one's own process")
def test_ctrl_c_ends_all_and_tells_the_state_of_each(dfu_ble: RunDfuBle, update: Path) -> None:
    one, two, three = make_crowd(["Tag 1", "Tag 2", "Tag 3"])
    # The second answers nothing any more: the run would go on for long.
    silent = with_faults(two, Fault(FaultKind.REQUEST_LOST, at=12, times=10**6))
    looks = 0

    def interrupt() -> None:
        nonlocal looks
        if runs(one) == "2.0.0" and any("Fault" in line for line in silent.log):
            looks += 1
            if looks == 50:  # a second later the first is confirmed
                os.kill(os.getpid(), signal.SIGINT)

    with on_air([one, silent, three], interrupt) as link:
        result = dfu_ble(
            *("upload", "--link", link, "--image", update, "--jobs", "2"),
            *("--device", "Tag 1", "--device", "Tag 2", "--device", "Nobody"),
        )
    assert result.status == 130, result.err
    assert "Traceback" not in result.err
    rows = {line[:6].strip(): line for line in result.out.splitlines()}
    assert "the device runs 2.0.0" in rows["Tag 1"]
    assert "interrupted" in rows["Tag 2"]
    assert "when last seen, the device runs 1.0.0" in rows["Tag 2"]
    assert "never reached" in rows["Nobody"]


def test_the_whole_job_reports_the_check_and_the_devices(
    dfu_ble: RunDfuBle, tiny: Path, tmp_path: Path
) -> None:
    from west_dfu_ble import builddir
    from west_dfu_ble.virtual import profile_from_build

    board = VirtualDevice(profile_from_build(builddir.load(tiny / "build-swap"), None))
    report = tmp_path / "all.xml"
    with on_air([board]) as link:
        result = dfu_ble(
            *("-d", tiny / "build-swap", "--link", link, "--passkey", "271828"),
            *("--all-named", "Tiny*", "--report", f"junit:{report}"),
        )
    assert result.status == 0, result.err
    assert runs(board) == "1.2.0"
    check, devices = ET.parse(report).getroot().findall("testsuite")
    assert int(check.get("tests", "0")) > 50
    assert [case.get("name") for case in devices] == ["Tiny swap"]


def test_one_device_has_its_report_too(dfu_ble: RunDfuBle, update: Path, tmp_path: Path) -> None:
    junit = tmp_path / "device.xml"
    with on_air(make_crowd(["Door"])) as link:
        result = dfu_ble(
            *("upload", "--link", link, "--image", update, "--device", "Door"),
            *("--report", f"junit:{junit}"),
        )
    assert result.status == 0, result.err
    assert "runs 2.0.0" in result.last_line
    root = ET.parse(junit).getroot()
    assert [case.get("name") for case in root.iter("testcase")] == ["Door"]


TWO = ("--device", "One", "--device", "Two")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("status", *TWO), "EN008", "several devices were asked for"),
        (("reset", *TWO, "--link", "udp:127.0.0.1:9"), "EN008", "several devices were asked for"),
        (
            ("upload", *TWO, "--link", "udp:127.0.0.1:9"),
            "LK408",
            "the link 'udp:127.0.0.1:9' leads to one device, not to 2",
        ),
        (
            ("upload", *TWO, "--link", "virtual"),
            "LK408",
            "the link 'virtual' leads to one device, not to 2",
        ),
        (
            ("upload", *TWO, "--report", "sarif:x"),
            "EN008",
            "there is no report of devices in the format sarif",
        ),
        (
            ("upload", *TWO, "--permanent", "--no-confirm"),
            "EN008",
            "more than one of --no-confirm, --permanent and --no-activate was given",
        ),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    dfu_ble: RunDfuBle, update: Path, arguments: tuple[str, ...], code: str, message: str
) -> None:
    image = ("--image", update) if arguments[0] == "upload" else ()
    result = dfu_ble(*arguments, *image)
    assert result.status == 2
    assert f"error[{code}]" in result.err
    assert message in result.err


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_jobs_are_one_or_more(dfu_ble: RunDfuBle, jobs: str) -> None:
    result = dfu_ble("upload", "--jobs", jobs)
    assert result.status == 2
    assert f"argument --jobs: {jobs!r} is not a whole number, 1 or more" in result.err
