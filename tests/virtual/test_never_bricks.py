# SPDX-License-Identifier: Apache-2.0
"""Random updates with random faults, in every mode: the device always boots, and never lies.

`python -m pytest -m slow tests/virtual/test_never_bricks.py` runs at least 10,000 updates and says
how many it does in a second.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mcuboot_images import digest_of, make_image
from smp_talk import Talk
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.virtual import PLAYABLE_MODES, DeviceProfile, SlotProfile, VirtualDevice

SECTOR, SECTORS = 512, 12
ADDRESSES = (0x4000, 0x8000)
SCRATCH = SlotProfile(0, 2, 0xC000, 2 * SECTOR)
SIZES = st.sampled_from([600, 1500, 2900, 4200])


class Updates(RuleBasedStateMachine):
    """A host that does what it likes to a device whose power and flash fail at random."""

    uploads = 0

    images: Bundle[bytes] = Bundle("images")

    @initialize(mode=st.sampled_from(PLAYABLE_MODES), size=SIZES)
    def make_device(self, mode: BootloaderMode, size: int) -> None:
        self.mode = mode
        first = self.image(0, (1, 0, 0), size)
        self.device = VirtualDevice(
            DeviceProfile(
                mode,
                tuple(SlotProfile(0, n, ADDRESSES[n], SECTOR * SECTORS) for n in (0, 1)),
                {(0, 0): first},
                erase_block=SECTOR,
                max_sectors=SECTORS,
                scratch=SCRATCH,
            )
        )
        self.talk = Talk(self.device)
        self.good = {digest_of(first)}

    def image(
        self, slot: int, version: tuple[int, int, int], size: int, *, damaged: bool = False
    ) -> bytes:
        linked_for = ADDRESSES[slot if self.mode.is_direct_xip else 0]
        return make_image(
            version,
            size=size,
            linked_for=linked_for,
            header_size=64,
            rom_fixed=self.mode.is_direct_xip,
            wrong_digest=damaged,
        )

    def ask(self, *request: Any) -> Any:
        """Ask, and come through whatever happens to the power; `None` if no answer came."""
        if not self.device.is_running:
            self.boot()
        try:
            return self.talk.ask(*request)
        except ValueError:
            assert not self.device.is_running
            self.boot()
            return None

    def boot(self) -> None:
        self.device.boot()
        for _ in range(3):
            if self.device.is_running:
                return
            # Only an interruption keeps it from running, and only until it is tried again.
            assert self.device.reset_at is not None, list(self.device.log)[-12:]
            self.device.boot()
        raise AssertionError(list(self.device.log)[-12:])

    @rule(
        target=images,
        version=st.tuples(*[st.integers(0, 3)] * 3),
        size=SIZES,
        damaged=st.booleans(),
        other=st.booleans(),
        part=st.one_of(st.none(), st.integers(1, 4000)),
        chunk=st.sampled_from([200, 777, 2000]),
    )
    def upload(
        self,
        version: tuple[int, int, int],
        size: int,
        damaged: bool,
        other: bool,
        part: int | None,
        chunk: int,
    ) -> bytes:
        free = 1 - (self.device.active_slot() or 0)
        image = self.image(1 - free if other else free, version, size, damaged=damaged)
        if not damaged:
            self.good.add(digest_of(image))
        Updates.uploads += 1
        try:
            self.talk.upload(image, chunk=chunk, until=part and min(part, len(image)))
        except ValueError:
            assert not self.device.is_running
            self.boot()
        return image

    @rule(image=images, confirm=st.booleans())
    def mark(self, image: bytes, confirm: bool) -> None:
        self.ask(2, 1, 0, {"hash": digest_of(image), "confirm": confirm})

    @rule()
    def confirm(self) -> None:
        self.ask(2, 1, 0, {"confirm": True})

    @rule(slot=st.sampled_from([0, 1, None]))
    def erase(self, slot: int | None) -> None:
        self.ask(2, 1, 5, {} if slot is None else {"slot": slot})

    @rule(after=st.integers(0, 60), share=st.sampled_from([0.0, 0.4, 0.99]))
    def lose_power_later(self, after: int, share: float) -> None:
        self.device.flash.cut_power(after, share)

    @rule()
    def reset(self) -> None:
        self.boot()

    @precondition(lambda self: self.mode is not BootloaderMode.OVERWRITE_ONLY)
    @rule()
    def reset_and_compare(self) -> None:
        """What the state promises is what runs after a reset that nothing disturbs."""
        self.device.flash.keep_power()
        state = self.ask(0, 1, 0, {})["images"]
        promised = _promised(state)
        tied = len({one["version"] for one in state}) < len(state)
        if self.mode is BootloaderMode.DIRECT_XIP and tied:
            # MCUboot takes slot 0 then, and Zephyr's listing does not promise it.
            promised = next(one["hash"] for one in state if one["slot"] == 0)
        runs = promised in self.good and self.fits(state, promised)
        self.boot()
        running = self.device.running()
        assert running is not None
        if runs:
            assert running.digest == promised, (state, list(self.device.log)[-12:])
        else:
            # It was refused: what ran before goes on running.
            assert running.digest == _active(state), (state, list(self.device.log)[-12:])

    def fits(self, state: Any, digest: bytes) -> bool:
        """Whether the slot that holds an image is the one that it is linked for."""
        if not self.mode.is_direct_xip:
            return True
        slot = next(entry["slot"] for entry in state if entry["hash"] == digest)
        return self.device.images[0].header(slot).load_address == ADDRESSES[slot]  # type: ignore[union-attr]

    @invariant()
    def the_device_runs_what_is_good_and_says_so(self) -> None:
        if not hasattr(self, "device") or not self.device.is_running:
            return
        running = self.device.running()
        assert running is not None
        assert running.digest in self.good
        state = self.device.receive(_STATE)
        assert _active(_decoded(state[0])) == running.digest


_STATE = bytes.fromhex("0800000100010000a0")


def _decoded(frame: bytes) -> Any:
    import cbor2

    return cbor2.loads(frame[8:])["images"]


def _active(state: Any) -> bytes:
    found: bytes = next(entry["hash"] for entry in state if entry["active"])
    return found


def _promised(state: Any) -> bytes:
    """The image that a client would say runs next."""
    active = next(entry for entry in state if entry["active"])
    other = [entry for entry in state if not entry["active"]]
    if other and (other[0]["pending"] or not active["confirmed"]):
        found: bytes = other[0]["hash"]
        return found
    return _active(state)


QUICK = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestUpdates = Updates.TestCase
TestUpdates.settings = QUICK


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_thousand_updates(capsys: pytest.CaptureFixture[str]) -> None:
    Updates.uploads = 0
    begin = time.monotonic()
    while Updates.uploads < 10_000:
        run_state_machine_as_test(
            Updates, settings=settings(QUICK, max_examples=1000, database=None)
        )
    seconds = time.monotonic() - begin
    with capsys.disabled():
        print(f"\n{Updates.uploads} updates in {seconds:.0f} s: {Updates.uploads / seconds:.0f}/s")
