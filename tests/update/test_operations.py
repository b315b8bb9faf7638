# SPDX-License-Identifier: Apache-2.0
"""The single steps: each does one thing and proves it, also when requests are lost."""

from __future__ import annotations

import pytest

from tiny_device import TinyDevice, TinyLink, make_image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.update import Event, Knowledge, UpdateOptions, operations
from west_dfu_ble.virtual.warped_time import run_warped

OLD, NEW = make_image("1.0.0"), make_image("2.0.0")
SWAP = Knowledge(mode=BootloaderMode.SWAP_USING_MOVE)
OPTIONS = UpdateOptions(timeout=10, request_timeout=1)


def listen(_event: Event) -> None:
    """Take no notice."""


def both() -> TinyDevice:
    device = TinyDevice(OLD, NEW)
    device.slots[1] = NEW
    return device


@pytest.mark.parametrize("trouble", ["", "lose", "lose answer", "drop", "drop answer"])
@pytest.mark.parametrize("number", range(1, 8))
def test_test_reset_confirm_erase(trouble: str, number: int) -> None:
    device = both()

    def link() -> TinyLink:
        return TinyLink(device, faults=lambda count, _h: trouble if count == number else "")

    state = run_warped(operations.activate_image(link(), SWAP, OPTIONS, listen))
    assert state.next is not None
    assert state.next.hash == NEW.digest
    state = run_warped(operations.reset_device(link(), SWAP, OPTIONS, listen))
    rebooted = device.slots[0] is NEW
    assert state.running is not None
    assert state.running.hash == (NEW if rebooted else OLD).digest
    if not rebooted:
        # The reset itself was lost; what is told is what is.
        assert trouble == "drop"
        return
    state = run_warped(operations.confirm_running(link(), SWAP, OPTIONS, listen))
    assert state.running is not None
    assert state.running.confirmed
    assert not device.trial
    state = run_warped(operations.erase_slot(link(), SWAP, OPTIONS, listen))
    assert state.images.at(1) is None
    assert run_warped(operations.echo(link(), OPTIONS, listen, "hello")) == "hello"


def test_status_reads_all_and_changes_nothing() -> None:
    link = TinyLink(both())
    state = run_warped(operations.read_status(link, SWAP, OPTIONS, listen))
    assert [image.version for image in state.images] == ["1.0.0", "2.0.0"]
    assert state.parameters is not None
    assert state.mode is BootloaderMode.SWAP_USING_MOVE
    assert not state.mode_is_told
    assert all(header.operation == 0 for header in link.requests)
    assert not link.is_connected


def test_an_image_is_named_by_the_beginning_of_its_hash() -> None:
    state = run_warped(
        operations.activate_image(
            TinyLink(both()), SWAP, OPTIONS, listen, NEW.digest[:4], permanent=True
        )
    )
    assert state.next is not None
    assert state.next.permanent
    with pytest.raises(DfuBleError, match="no image whose hash begins with 00ff"):
        run_warped(operations.activate_image(TinyLink(both()), SWAP, OPTIONS, listen, b"\x00\xff"))
    with pytest.raises(DfuBleError, match="no image besides the one that runs"):
        run_warped(operations.activate_image(TinyLink(TinyDevice(OLD)), SWAP, OPTIONS, listen))


def test_a_command_that_the_firmware_does_not_have() -> None:
    device = both()
    original = device.answer

    def answer(frame: bytes) -> tuple[dict[str, object], bool]:
        return ({"rc": 8}, False) if frame[0] & 7 == 2 else original(frame)

    device.answer = answer  # type: ignore[method-assign]  # no command that writes
    with pytest.raises(DfuBleError) as caught:
        run_warped(operations.reset_device(TinyLink(device), SWAP, OPTIONS, listen))
    assert caught.value.diagnostic.code == "DV513"
