# SPDX-License-Identifier: Apache-2.0
"""A whole device without a radio: flash, bootloader, application and its SMP server.

It knows bytes and seconds: fragments go in, frames come out, and whoever owns it tells it what time
it is. Nothing here waits, so that a test can run thousands of updates a minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..mcuboot import BootloaderMode
from .fault_effects import Progress, foreign_upload, with_standing_faults
from .faults import Fault, FaultCount, FaultKind, Faults, HangUp
from .flash import FlashArea, FlashController, FlashError, PowerCut
from .image_group import ImageGroup
from .image_state import ImageStates, SlotImage
from .mcuboot import Bootloader
from .os_group import OsGroup
from .profile import DeviceProfile, RadioProfile
from .served import Answer
from .server import Group, SmpServer
from .slots import ImageSlots
from .trailer import Magic
from .upload_lock import UploadLock

if TYPE_CHECKING:
    from bumble.keys import KeyStore

    from .clock import Clock
    from .peripheral import VirtualRadio
    from .timing import LinkTiming

_LOG_LINES = 2000
# Seconds until a device whose bootloader stopped, or whose power went, is started again.
_RESTART = 1.0
# The client that exists only as a fault.
_SOMEBODY_ELSE = -1
# Looks like the beginning of a long frame.
_GARBAGE = bytes.fromhex("0bff7fff00010103a5a5a5")


class VirtualDevice:
    """One device made from a profile, running its factory image.

    `log` holds what its bootloader and application say, the last 2000 lines of `lines`. `reset_at`
    is the time of the reset that was asked for, `None` if there is none. `bonds` are its pairings,
    `shown_passkey` is what its display shows while somebody pairs.
    """

    def __init__(
        self, profile: DeviceProfile, *, faults: Sequence[Fault] = (), now: float = 0.0
    ) -> None:
        """Program the factory images, confirmed, and boot; `faults` begin to count then."""
        self._faults = Faults(faults)
        self.profile = profile = with_standing_faults(profile, self._faults)
        self._extra: deque[Answer] = deque()
        self._repeated = False
        self._hang_up: HangUp | None = None
        self.flash = FlashController(erase_time=profile.erase_time, write_time=profile.write_time)
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self.lines = 0
        self.reset_at: float | None = None
        self.boots = 0
        self.boot_seconds = 0.0
        self.bonds: KeyStore | None = None
        self.shown_passkey: int | None = None
        self._now = now
        self._server: SmpServer | None = None
        self._states: ImageStates | None = None
        self.images = {number: ImageSlots(profile, number, self.flash) for number in profile.images}
        self._bootloader = Bootloader(
            profile, tuple(self.images.values()), self._make_scratch(), self._say
        )
        self._program_factory()
        self.boot()
        self.flash.operations = self.flash.erases = 0
        self.flash.follow(self._faults.fails, self._faults.cuts, self._faults.delay)

    def _make_scratch(self) -> FlashArea | None:
        place = self.profile.scratch
        if self.profile.mode is not BootloaderMode.SWAP_USING_SCRATCH or place is None:
            return None
        blocks = self.profile.erase_block, self.profile.write_block
        return FlashArea(self.flash, place.address, place.size, *blocks)

    def _program_factory(self) -> None:
        for (number, index), data in self.profile.factory.items():
            slots = self.images[number]
            offset = slots.secondary_offset if index else 0
            slots.areas[index].program(offset, data)
            # Only this mode runs nothing without a trailer; images signed for it bring their own.
            trailer = slots.trailers[index]
            revert = self.profile.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT
            if revert and trailer.read().magic is not Magic.GOOD:
                trailer.write_copy_done()
                trailer.write_image_ok()
                trailer.write_magic()
        self.flash.take_seconds()

    @property
    def progress(self) -> Progress:
        """How far it has come since it was made; what the places of faults count."""
        flash = self.flash
        return Progress(self._faults.requests, self._faults.bytes, flash.operations, flash.erases)

    def add_fault(self, fault: Fault) -> None:
        """Let something go wrong from now on; its place counts from when the device was made.

        What holds from the start (`FaultCount.NOTHING`) can't be added.
        """
        if fault.kind.counts is FaultCount.NOTHING:
            raise ValueError(f"{fault.kind.value} holds from the start, or not at all")
        self._faults.add(fault)

    def clear_faults(self) -> None:
        """Let nothing more go wrong that has not yet; what holds from the start goes on."""
        self._faults.clear()

    @property
    def struck(self) -> frozenset[Fault]:
        """The faults that have struck so far."""
        return frozenset(self._faults.struck)

    # What the air sees: see `ServedDevice`

    @property
    def radio(self) -> RadioProfile:
        """How it shows itself on the air."""
        return self.profile.radio

    def on_change(self, changed: Callable[[], None]) -> None:
        """Do nothing: nothing happens here but by `take`, `serve` and `tick`."""

    @property
    def is_running(self) -> bool:
        """Whether an application runs (and so advertises)."""
        return self._server is not None

    def take(self, fragment: bytes, now: float, client: int = 0) -> bool:
        """Take one write of a client; return whether the server kept it."""
        self._now = now
        if self._faults.ends_link(len(fragment)):
            self._say("Fault: disconnect-at-byte")
            self._hang_up = HangUp.DISCONNECT
        if self._server is None or self._hang_up:
            return False
        return self._server.take(fragment, client)

    def serve(self, now: float) -> Answer | None:
        """Answer the oldest request; its buffers are busy until `sent`. `None` if there is none."""
        self._now = now
        if self._server is None:
            return None
        if self._extra:
            return self._extra.popleft()
        try:
            while not self._server.is_idle:
                faults = self._begin_request(self._server)
                if faults is None:
                    continue
                if self._server is None:
                    return None
                served = self._server.serve()
                if served is not None:
                    seconds = self.flash.take_seconds()
                    return self._spoil(Answer(served.frame, seconds, served.client), faults)
        except PowerCut as cut:
            self._power_off(cut)
        return None

    def _begin_request(self, server: SmpServer) -> list[Fault] | None:
        """Do to the next request what the faults ask for; return those that meet its answer.

        `None` if the request is lost.
        """
        if self._repeated:
            self._repeated = False
            return []
        number = self._faults.requests
        self._faults.requests += 1
        faults = self._faults.at_request(number)
        for fault in faults:
            self._say(f"Fault: {fault.kind.value} at request {number}")
            if fault.kind is FaultKind.REQUEST_LOST:
                server.discard_oldest()
                return None
            if fault.kind is FaultKind.REQUEST_DUPLICATED:
                server.repeat_oldest()
                self._repeated = True
            elif fault.kind is FaultKind.REQUEST_CUT:
                server.cut_oldest()
                if self.profile.server.reassembly:
                    return None
            elif fault.kind is FaultKind.BUFFERS_BUSY:
                server.hold_buffers(fault.count)
            elif fault.kind is FaultKind.SECOND_CLIENT:
                server.insert(fault.data or foreign_upload(self.profile), _SOMEBODY_ELSE)
                server.serve()  # somebody else gets the answer
                server.sent()
            elif fault.kind is FaultKind.DISCONNECT:
                self._hang_up = HangUp.DISCONNECT
            elif fault.kind is FaultKind.VANISH:
                self._hang_up = HangUp.VANISH
            elif fault.kind is FaultKind.REBOOT:
                self._server = self._states = None
                self.reset_at = self._now
        return faults

    def _spoil(self, answer: Answer, faults: Sequence[Fault]) -> Answer:
        for fault in faults:
            kind = fault.kind
            if kind in (FaultKind.RESPONSE_LOST, FaultKind.DISCONNECT, FaultKind.VANISH):
                answer = replace(answer, frame=b"")
            elif kind is FaultKind.RESPONSE_LATE:
                answer = replace(answer, seconds=answer.seconds + fault.seconds)
            elif kind is FaultKind.RESPONSE_CUT:
                answer = replace(answer, frame=answer.frame[: len(answer.frame) // 2])
            elif kind is FaultKind.RESPONSE_DUPLICATED:
                self._extra.append(replace(answer, seconds=0.0))
            elif kind is FaultKind.GARBAGE:
                self._extra.append(answer)
                answer = replace(answer, frame=fault.data or _GARBAGE)
        return answer

    def take_hang_up(self) -> HangUp | None:
        """Return how the device ends the link now, if it does, and forget it."""
        hang_up, self._hang_up = self._hang_up, None
        return hang_up

    def sent(self) -> None:
        """The last answer was sent (or can't be any more)."""
        if self._server is not None:
            self._server.sent()

    def receive(self, fragment: bytes, now: float = 0.0) -> list[bytes]:
        """Take one write and return all answers to it at once, for callers without a clock."""
        self.take(fragment, now)
        frames = []
        while (answer := self.serve(now)) is not None:
            if answer.frame:
                frames.append(answer.frame)
            self.sent()
        return frames

    def disconnected(self) -> None:
        """The client is gone: a frame that is not complete is forgotten, an upload is not."""
        if self._server is not None:
            self._server.drop_partial()

    # Resets

    def tick(self, now: float) -> bool:
        """Do the reset whose time has come; return whether there was one (the link is gone then).

        A bootloader that was interrupted is started again a second later, as by a watchdog.
        """
        self._now = now
        if self.reset_at is None or now < self.reset_at:
            return False
        self.boot()
        return True

    def boot(self) -> float:
        """Start the device now, whatever it was doing; return the seconds that it takes.

        `boot_seconds` keeps them; a device that can't run anything does not run afterwards.
        """
        self.boot_seconds = self._boot()
        return self.boot_seconds

    def _boot(self) -> float:
        self.reset_at = None
        self._server = self._states = None
        self._extra.clear()
        self._repeated, self._hang_up = False, None
        self.boots += 1
        try:
            active = self._bootloader.boot()
        except PowerCut as cut:
            self._power_off(cut)
            return _RESTART
        except FlashError as error:
            self._say(f"Flash error in the bootloader: {error}")
            self.reset_at = self._now + _RESTART
            return _RESTART
        seconds = self.profile.boot_time + self.flash.take_seconds()
        if active is None:
            return seconds
        self._states = ImageStates(self.profile, self.images, active)
        groups: dict[int, Group] = {}
        server = self._server = SmpServer(self.profile.server, groups)
        lock = UploadLock(self.profile.server.upload_lock, lambda: server.client, lambda: self._now)
        groups[1] = ImageGroup(self.profile, self._states, lock, self._say)
        if self.profile.server.os_group:
            groups[0] = OsGroup(self.profile, lambda: self._request_reset(lock))
        return seconds

    def _request_reset(self, lock: UploadLock) -> None:
        lock.require()
        self.reset_at = self._now + self.profile.server.reset_delay

    def _power_off(self, cut: PowerCut) -> None:
        self._say(f"Power lost {cut}")
        self._server = self._states = None
        self.flash.take_seconds()
        self.reset_at = self._now + _RESTART

    def show_passkey(self, passkey: int) -> None:
        """Put a passkey on the display."""
        self.shown_passkey = passkey
        self._say(f"Passkey: {passkey:06}")

    @property
    def address(self) -> str:
        """The Bluetooth address, random static."""
        return self.profile.radio.address

    def on_air(
        self,
        clock: Clock | None = None,
        timing: LinkTiming | None = None,
        loss_delay: float = 0.0,
    ) -> VirtualRadio:
        """Make the radio that this device can be reached by (with Bumble); nothing is on yet.

        `clock` may run faster than the host's; with `timing` data takes the time of a real radio,
        and without it a device that vanished is missed `loss_delay` seconds later.
        """
        from .peripheral import VirtualRadio

        return VirtualRadio(self, clock, timing, loss_delay)

    # What a test or a report wants to know

    def running(self, image: int = 0) -> SlotImage | None:
        """Return the image that runs, `None` while none does."""
        if self._states is None:
            return None
        held = self._states.read_image(image, self._states.active[image])
        return held if isinstance(held, SlotImage) else None

    def is_confirmed(self, image: int = 0) -> bool:
        """Whether what runs stays after a reset; false while nothing runs."""
        if self._states is None:
            return False
        return self._states.flags(image)[self._states.active[image]].confirmed

    def active_slot(self, image: int = 0) -> int | None:
        """Return the slot index that runs, `None` while none does."""
        return None if self._states is None else self._states.active[image]

    def _say(self, line: str) -> None:
        self.log.append(line)
        self.lines += 1
