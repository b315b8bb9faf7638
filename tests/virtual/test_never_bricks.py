# SPDX-License-Identifier: Apache-2.0
"""Random updates with random faults, in every mode: the device always boots, and nobody lies.

`python -m pytest -m slow tests/virtual/test_never_bricks.py` runs at least 10,000 updates and says
how many it does in a second. About half of them are done by this project's own client, the others
by one that sends whatever comes to its mind.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mcuboot_images import digest_of, make_image
from smp_talk import encode_request
from west_dfu_ble import image as mcuboot_image
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.image.keys import public_key_of
from west_dfu_ble.link.loopback import LoopbackLink
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.update import (
    ActivateMode,
    Candidate,
    DeviceState,
    Knowledge,
    Update,
    UpdateOptions,
)
from west_dfu_ble.virtual import (
    PLAYABLE_MODES,
    DeviceProfile,
    Fault,
    FaultCount,
    FaultKind,
    ServerProfile,
    SlotProfile,
    VirtualDevice,
)
from west_dfu_ble.virtual.warped_time import run_warped

SECTOR, SECTORS = 512, 12
ADDRESSES = (0x4000, 0x8000)
SCRATCH = SlotProfile(0, 2, 0xC000, 2 * SECTOR)
SIZES = st.sampled_from([600, 1500, 2900, 4200])
VERSIONS = st.tuples(*[st.integers(0, 3)] * 3)
# Signed with the device's key, with somebody else's, not at all; or damaged.
KINDS = st.sampled_from(["good", "good", "good", "foreign", "unsigned", "damaged"])
FAULTS = [kind for kind in FaultKind if kind.counts is not FaultCount.NOTHING]
Version = tuple[int, int, int]


@cache
def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


@cache
def make(direct_xip: bool, slot: int, version: Version, size: int, kind: str) -> bytes:
    return make_image(
        version,
        size=size,
        linked_for=ADDRESSES[slot if direct_xip else 0],
        header_size=64,
        rom_fixed=direct_xip,
        wrong_digest=kind == "damaged",
        sign_with=None if kind == "unsigned" else key(kind if kind == "foreign" else "good"),
    )


class Updates(RuleBasedStateMachine):
    """Hosts that do what they like to a device that everything may happen to."""

    uploads = 0

    images: Bundle[bytes] = Bundle("images")

    @initialize(mode=st.sampled_from(PLAYABLE_MODES), size=SIZES, reassembly=st.booleans())
    def make_device(self, mode: BootloaderMode, size: int, reassembly: bool) -> None:
        self.mode = mode
        self.good: set[bytes] = set()
        first = self.image(0, (1, 0, 0), size, "good")
        self.device = VirtualDevice(
            DeviceProfile(
                mode,
                tuple(SlotProfile(0, n, ADDRESSES[n], SECTOR * SECTORS) for n in (0, 1)),
                {(0, 0): first},
                key=public_key_of(key("good").public_key()),
                erase_block=SECTOR,
                max_sectors=SECTORS,
                scratch=SCRATCH,
                server=ServerProfile(buf_size=2475 if reassembly else 384, reassembly=reassembly),
            )
        )

    def image(self, slot: int, version: Version, size: int, kind: str) -> bytes:
        made = make(self.mode.is_direct_xip, slot, version, size, kind)
        if kind == "good":
            self.good.add(digest_of(made))
        return made

    def ask(self, *request: Any) -> Any:
        """Ask on a link of its own; `None` if no answer came that can be understood."""
        self.start()
        frame = encode_request(*request)
        answers = self.device.receive(frame)
        self.device.take_hang_up()
        self.device.disconnected()
        self.start()
        for answer in answers:
            if len(answer) > 8 and answer[4:8] == frame[4:8] and answer[3] == len(answer) - 8:
                return cbor2.loads(answer[8:])
        return None

    def start(self) -> None:
        if not self.device.is_running:
            self.boot()

    def boot(self) -> None:
        """Boot; only an interruption keeps it from running, and only until it is tried again."""
        self.device.boot()
        for _ in range(4):
            if self.device.is_running:
                return
            assert self.device.reset_at is not None, list(self.device.log)[-12:]
            self.device.boot()
        raise AssertionError(list(self.device.log)[-12:])

    @rule(
        target=images,
        version=VERSIONS,
        size=SIZES,
        kind=KINDS,
        other=st.booleans(),
        part=st.one_of(st.none(), st.integers(1, 4000)),
        chunk=st.sampled_from([200, 250, 320]),
    )
    def upload(
        self, version: Version, size: int, kind: str, other: bool, part: int | None, chunk: int
    ) -> bytes:
        """Send an image, or the beginning of one, and never mind the answers."""
        free = 1 - (self.device.active_slot() or 0)
        image = self.image(1 - free if other else free, version, size, kind)
        Updates.uploads += 1
        sha = hashlib.sha256(image).digest()
        for at in range(0, min(len(image), part or len(image)), chunk):
            first = {} if at else {"len": len(image), "sha": sha}
            self.ask(2, 1, 1, {"off": at, "data": image[at : at + chunk], **first})
        return image

    @rule(
        target=images,
        version=VERSIONS,
        size=SIZES,
        kind=KINDS,
        activate=st.sampled_from(ActivateMode),
        erase=st.booleans(),
        then_reset=st.booleans(),
    )
    def update(
        self,
        version: Version,
        size: int,
        kind: str,
        activate: ActivateMode,
        erase: bool,
        then_reset: bool,
    ) -> bytes:
        """A whole update by our own client, which is to say truly what became of it."""
        slots = (0, 1) if self.mode.is_direct_xip else (0,)
        images = [self.image(slot, version, size, kind) for slot in slots]
        Updates.uploads += 1
        self.start()
        options = UpdateOptions(activate=activate, erase=erase)
        work, error = run_warped(self._play(images, options))
        said = [error and error.diagnostic, work.state, list(self.device.log)[-12:]]
        self.start()
        self._must_be_true(work.state, is_done=error is None, said=said)
        if error is None and activate is not ActivateMode.UPLOAD_ONLY:
            running = self.device.running()
            assert running is not None, said
            assert running.digest in map(digest_of, images), said
        if then_reset:
            self.reset_and_compare(work.state if work.state and work.state.is_current else None)
        return images[-1]

    async def _play(
        self, images: list[bytes], options: UpdateOptions
    ) -> tuple[Update, DfuBleError | None]:
        places = {(0, n): (ADDRESSES[n], SECTOR * SECTORS) for n in (0, 1)}
        candidates = [
            Candidate(path, mcuboot_image.parse(data, path), n if len(images) > 1 else None)
            for n, data in enumerate(images)
            for path in [Path(f"{n}.bin")]
        ]
        loop = asyncio.get_running_loop()
        if self.device.reset_at is not None:
            self.device.reset_at = loop.time()  # each update has a time of its own
        link = LoopbackLink(self.device, loss_delay=2.0)
        work = Update(link, candidates, Knowledge(slots=places), options, lambda _event: None)
        try:
            await work.run()
        except DfuBleError as error:
            return work, error
        finally:
            await link.disconnect()
        return work, None

    def _must_be_true(self, state: DeviceState | None, *, is_done: bool, said: Any) -> None:
        running = self.device.running()
        assert running is not None, said
        if state is None or not state.is_current:
            assert not is_done, said
            return
        assert state.running is not None, said
        assert state.running.hash == running.digest, said

    @rule(image=images, confirm=st.booleans())
    def mark(self, image: bytes, confirm: bool) -> None:
        self.ask(2, 1, 0, {"hash": digest_of(image), "confirm": confirm})

    @rule()
    def confirm(self) -> None:
        self.ask(2, 1, 0, {"confirm": True})

    @rule(slot=st.sampled_from([0, 1, None]))
    def erase(self, slot: int | None) -> None:
        self.ask(2, 1, 5, {} if slot is None else {"slot": slot})

    @rule(
        kind=st.sampled_from([*FAULTS, *[FaultKind.POWER_CUT] * 6]),
        after=st.integers(0, 60),
        times=st.integers(1, 3),
        share=st.sampled_from([0.0, 0.4, 0.99]),
    )
    def let_something_go_wrong(self, kind: FaultKind, after: int, times: int, share: float) -> None:
        progress = self.device.progress
        now = {
            FaultCount.REQUESTS: progress.requests,
            FaultCount.BYTES: progress.bytes,
            FaultCount.OPERATIONS: progress.operations,
        }[kind.counts]
        # A power that never stays is no fault that a device can get over.
        often = 1 if kind is FaultKind.POWER_CUT else times
        fault = Fault(kind, now + after, often, seconds=times, share=share, count=times)
        self.device.add_fault(fault)

    @rule()
    def reset(self) -> None:
        self.boot()

    @rule()
    def reset_and_compare(self, told: DeviceState | None = None) -> None:
        """What the state promises is what runs after a reset that nothing disturbs.

        `told` is what our own client made of the state; it is to promise the same.
        """
        self.device.clear_faults()
        answer = self.ask(0, 1, 0, {})
        state = answer.get("images") if answer else None
        if not state:
            self.boot()  # its buffers are all busy, until now
            return
        promised = _promised(state)
        if told is not None:
            assert told.next is not None
            assert told.next.hash == promised, (told, state)
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
        answer = self.ask(0, 1, 0, {})
        held = self.device.running()
        assert held is not None
        assert held.digest in self.good
        if answer and "images" in answer and held == running:
            assert _active(answer["images"]) == running.digest


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
