# SPDX-License-Identifier: Apache-2.0
"""A device of two cores: both images, the network core's first, and one reset."""

from __future__ import annotations

from pathlib import Path

import pytest

from direct_link import DirectLink
from mcuboot_images import make_image
from west_dfu_ble import image
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.smp import Patience
from west_dfu_ble.update import (
    Candidate,
    Event,
    Knowledge,
    PhaseStarted,
    Remark,
    Update,
    UpdateOptions,
)
from west_dfu_ble.virtual import DeviceProfile, SlotProfile, VirtualDevice
from west_dfu_ble.virtual.warped_time import run_warped

SIZE = 0x10000
PLACES = {(0, 0): 0xC000, (0, 1): 0x40000, (1, 0): 0x100000, (1, 1): 0x120000}
KNOWN = Knowledge(slots={place: (address, SIZE) for place, address in PLACES.items()})
OPTIONS = UpdateOptions(
    timeout=10, request_timeout=1, reboot_timeout=60, patience=Patience(first=3)
)
MODES = [BootloaderMode.SWAP_USING_MOVE, BootloaderMode.OVERWRITE_ONLY]


def firmware(number: int, version: int, size: int) -> bytes:
    return make_image((version, 0, 0), linked_for=PLACES[number, 0], seed=number, size=size)


def offered(size: int) -> list[Candidate]:
    made = []
    for number in (0, 1):
        path = Path(f"image{number}.bin")
        made.append(Candidate(path, image.parse(firmware(number, 2, size), path), None, number))
    return made


class Run:
    """One update of both images of a new device."""

    def __init__(
        self, mode: BootloaderMode, size: int = 30_000, trouble: str = "", at: int = 0
    ) -> None:
        slots = tuple(SlotProfile(n, i, address, SIZE) for (n, i), address in PLACES.items())
        factory = {(number, 0): firmware(number, 1, 20_000) for number in (0, 1)}
        self.device = VirtualDevice(DeviceProfile(mode, slots, factory))
        self.boots = self.device.boots
        self.link = DirectLink(
            self.device, faults=lambda number, _header: trouble if number == at else ""
        )
        self.offered = offered(size)
        self.events: list[Event] = []
        self.update = Update(self.link, self.offered, KNOWN, OPTIONS, self.events.append)
        self.error: DfuBleError | None = None
        run_warped(self._play())

    async def _play(self) -> None:
        try:
            await self.update.run()
        except DfuBleError as error:
            self.error = error

    def runs_new(self) -> list[bool]:
        """Whether each image is the one that was on offer."""
        held = [self.device.running(number) for number in (0, 1)]
        return [
            one is not None and one.digest == new.image.digest
            for one, new in zip(held, self.offered, strict=True)
        ]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.title)
def test_the_network_core_goes_first_and_one_reset_does_for_both(mode: BootloaderMode) -> None:
    run = Run(mode)
    assert run.error is None
    assert run.device.boots == run.boots + 1
    assert run.runs_new() == [True, True]
    uploads = [e.text for e in run.events if isinstance(e, PhaseStarted)]
    assert [t.split()[0] for t in uploads if "frames of" in t] == ["image1.bin", "image0.bin"]
    run.device.boot()
    assert run.runs_new() == [True, True], "both were confirmed"


def test_a_reboot_with_one_of_two_images_set_is_taken_back_first() -> None:
    """Else the network core would go back at the reset that brings the application in."""
    clean = Run(MODES[0], 6_000)
    sets = [n for n, h in enumerate(clean.link.requests, 1) if (h.operation, h.command) == (2, 0)]
    first = next(n for n in sets if clean.link.requests[n - 1].group == 1)
    run = Run(MODES[0], 6_000, "reboot", first + 1)
    assert run.error is None
    assert run.runs_new() == [True, True]
    assert run.device.boots == run.boots + 3
    assert any(isinstance(e, Remark) and "rebooted too early" in e.text for e in run.events)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.title)
@pytest.mark.parametrize("trouble", ["lose", "lose answer", "drop", "drop answer", "reboot"])
def test_a_fault_at_every_request(mode: BootloaderMode, trouble: str) -> None:
    count = len(Run(mode, 6_000).link.requests)
    for number in range(1, count + 1):
        run = Run(mode, 6_000, trouble, number)
        if run.error is None:
            assert run.runs_new() == [True, True], number
            run.device.boot()
            assert run.runs_new() == [True, True], number
        else:
            # Only a reboot between the first start of the new images and the last confirmation.
            assert (trouble, mode.reverts) == ("reboot", True), number
            assert number >= count - 4
            assert run.error.diagnostic.code == "DV506"
            assert run.error.status is ExitStatus.DEVICE
