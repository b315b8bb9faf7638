# SPDX-License-Identifier: Apache-2.0
"""One update at a time on one device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tiny_device import TinyDevice, TinyLink, make_image, offer
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.link import LinkTraits
from west_dfu_ble.update import Knowledge, Outcome, Update, UpdateOptions, operations
from west_dfu_ble.update.lock import DeviceLock
from west_dfu_ble.virtual.warped_time import run_warped

OLD, NEW = make_image("1.0.0"), make_image("2.0.0")


def update(link: TinyLink) -> Outcome:
    return run_warped(
        Update(link, [offer(NEW)], Knowledge(), UpdateOptions(), lambda _event: None).run()
    )


def test_one_run_at_a_time_on_one_device(tmp_path: Path) -> None:
    traits = LinkTraits("ble", "C0:FF:EE:00:00:01", 244, True)
    first, second = DeviceLock(traits, tmp_path), DeviceLock(traits, tmp_path)
    other = DeviceLock(replace(traits, peer="C0:FF:EE:00:00:02"), tmp_path)
    assert first.acquire()
    assert other.acquire()
    with pytest.raises(DfuBleError, match="another run of this tool is at work on C0:FF") as caught:
        second.acquire()
    assert caught.value.status is ExitStatus.NO_LINK
    first.release()
    assert second.acquire()
    # One that goes by its name is the same; another of that name is not.
    named = replace(traits, peer="Sensor", address="C0:FF:EE:00:00:01")
    with pytest.raises(DfuBleError, match="another run of this tool is at work on Sensor"):
        DeviceLock(named, tmp_path).acquire()
    third = DeviceLock(replace(named, address="C0:FF:EE:00:00:03"), tmp_path)
    assert third.acquire()
    third.release()
    second.release()
    other.release()
    unwritable = tmp_path / "file"
    unwritable.write_text("")
    assert not DeviceLock(traits, unwritable / "locks").acquire()


def test_a_locked_device_is_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path)
    link = TinyLink(TinyDevice(OLD, NEW))
    link.traits = replace(link.traits, in_process=False)
    other = DeviceLock(link.traits)
    assert other.acquire()
    with pytest.raises(DfuBleError, match="LK410"):
        update(link)
    assert link.requests == []
    for step in (
        operations.activate_image,
        operations.confirm_running,
        operations.erase_slot,
        operations.reset_device,
    ):
        with pytest.raises(DfuBleError, match="LK410"):
            run_warped(step(link, Knowledge(), UpdateOptions(), lambda _event: None))
    assert link.requests == []
    look = operations.read_status(link, Knowledge(), UpdateOptions(), lambda _event: None)
    assert run_warped(look).running is not None
    other.release()
    assert "runs 2.0.0" in update(link).state.sentence()
