# SPDX-License-Identifier: Apache-2.0
"""Drive an upload window over a session, and put its end into words."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..diagnostics import DfuBleError
from ..faults import fault
from ..link import LinkLost
from ..smp import (
    Failure,
    ImageError,
    Rc,
    SmpError,
    UploadWindow,
    WindowState,
    find_error,
    image_group,
)
from .events import Listener, UploadProgress
from .session import Answer, Refusal, Session
from .waiting import wait_future

# A broken answer is treated as one that was lost; a server that makes several is broken itself.
_NONSENSE_LIMIT = 3
_FOREIGN_PAUSE = 1.0


@dataclass
class Upload:
    """One file on its way to the device.

    `run` may be called again after `LinkLost`, with the window reopened; time and progress go on.
    `progressed` is called whenever the device has more than it ever had before.
    """

    name: str
    window: UploadWindow
    listener: Listener
    progressed: Callable[[], None] = lambda: None
    _best: int = field(default=0, init=False)
    _nonsense: int = field(default=0, init=False)
    _started: float | None = field(default=None, init=False)
    _answers: deque[tuple[int, Answer]] = field(default_factory=deque, init=False)
    _arrived: asyncio.Future[None] | None = field(default=None, init=False)

    async def run(self, session: Session) -> bool:
        """Go on until the device has everything; false if the device lost track of the upload.

        Raises `LinkLost`, and `DfuBleError`: DV501 to DV503 and DV505 as the device refuses, DV508
        if it takes no more data, DV509 if somebody else uploads, DV511 for nonsense, DV512 if it
        says that what it has is not what was sent.
        """
        loop = asyncio.get_running_loop()
        self._started = loop.time() if self._started is None else self._started
        self._answers.clear()
        posted: set[int] = set()
        try:
            while not self.window.is_over:
                await self._send(session, posted)
                await self._receive()
        finally:
            for sequence in posted:
                session.forget(sequence)
        if self.window.state is WindowState.LOST_TRACK:
            return False
        self._judge()
        return True

    async def _send(self, session: Session, posted: set[int]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sequence = session.free_sequence()
            request = self.window.next_request(sequence, loop.time())
            if request is None:
                return
            posted.add(sequence)
            await session.post(request, sequence, self._deliver)

    def _deliver(self, sequence: int, answer: Answer) -> None:
        self._answers.append((sequence, answer))
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def _receive(self) -> None:
        loop, wake = asyncio.get_running_loop(), self.window.wake_at
        if not self._answers:
            self._arrived = loop.create_future()
            wait = None if wake is None else max(wake - loop.time(), 0)
            if not await wait_future(self._arrived, wait):
                self.window.tick(loop.time())
                return
        while self._answers:
            self._take(*self._answers.popleft())
        self._show()

    def _take(self, sequence: int, answer: Answer) -> None:
        if isinstance(answer, LinkLost):
            raise answer
        now = asyncio.get_running_loop().time()
        try:
            if isinstance(answer, DfuBleError):
                raise answer
            error = find_error(answer)
            if error is not None:
                self.window.refuse(sequence, error, now)
            else:
                self.window.answer(sequence, image_group.parse_upload(answer), now)
        except DfuBleError:
            self._nonsense += 1
            if self._nonsense > _NONSENSE_LIMIT:
                raise

    def _show(self) -> None:
        window = self.window
        if window.resumed_at is None or window.offset == self._best:
            return
        if window.offset > self._best:
            self._best = window.offset
            self.progressed()
        assert self._started is not None
        seconds = asyncio.get_running_loop().time() - self._started
        self.listener(
            UploadProgress(self.name, window.offset, window.total, seconds, window.resumed_at)
        )

    def _judge(self) -> None:
        window = self.window
        if window.state is WindowState.DONE:
            if window.match is False:
                raise fault(
                    "DV512",
                    "the device stored the whole image, with another hash than the file has",
                    helps=["upload it again with --erase; if that repeats, the flash is worn out"],
                )
            return
        if window.failure is Failure.REFUSED:
            assert window.error is not None
            raise refused_upload(window.error)
        if window.failure is Failure.FOREIGN:
            raise foreign_upload(f"at byte {window.offset} of ours it went on elsewhere")
        if window.failure is Failure.BEYOND:
            raise fault(
                "DV511", f"the device expects data beyond the end of the image ({window.total})"
            )
        raise fault(
            "DV508",
            f"the device takes no data beyond byte {window.offset} of {window.total}",
            notes=[f"asked {window.patience.tries} times without progress"],
            helps=["reset the device, and try again", "try with --erase"],
        )


def foreign_upload(evidence: str) -> DfuBleError:
    """Make the error DV509."""
    return fault(
        "DV509",
        f"the device is receiving another upload ({evidence})",
        why="Two uploads at the same time spoil each other, and only one slot is free.",
        helps=["let the other one finish, or reset the device, then try again"],
    )


async def empty_slot(
    session: Session, image: int, slot: int, *, timeout: float, attempts: int = 1
) -> None:
    """Have the device erase a slot, which may be empty already.

    `timeout` is in seconds; `attempts` as in `Session.request`. Raises what that does, and
    `DfuBleError` DV505 if the slot is in use.
    """
    request = image_group.erase(2 * image + slot)
    try:
        await session.request(request, timeout=timeout, attempts=attempts)
    except Refusal as refusal:
        # Zephyr answers so when the slot is empty already.
        if not refusal.error.is_image(ImageError.UNKNOWN):
            raise _refused_erase(refusal.error, slot) from refusal


def _refused_erase(error: SmpError, slot: int) -> DfuBleError:
    """Make the error that says best why the device did not erase a slot."""
    if not _is_in_use(error):
        return Refusal(image_group.erase(), error)
    return fault(
        "DV505",
        f"the device does not erase slot {slot}: {error}",
        helps=[
            "if the running image is on trial: keep it with dfu-ble confirm, or go back to the "
            "other one with dfu-ble reset",
            "if the image there waits to run: dfu-ble reset lets it run, and a second one takes it "
            "back unless it was set for good; then erase",
            "firmware with CONFIG_MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING=y erases it at once",
        ],
    )


def _is_in_use(error: SmpError) -> bool:
    return error.is_image(ImageError.NO_FREE_SLOT, ImageError.IMAGE_ALREADY_PENDING) or error.is_rc(
        Rc.EBADSTATE
    )


def refused_upload(error: SmpError) -> DfuBleError:
    """Make the error that says best why an upload was refused."""
    if _is_in_use(error):
        return fault(
            "DV505",
            f"the device has no slot free for the upload: {error}",
            helps=[
                "if the running image is on trial, keep it: dfu-ble confirm",
                "if another one waits to run, let it: dfu-ble reset, or throw it away: --erase",
            ],
        )
    if error.is_image(ImageError.INVALID_FLASH_ADDRESS):
        return fault("DV502", f"the device refused the image: {error}")
    if error.is_image(ImageError.CURRENT_VERSION_IS_NEWER):
        return fault("DV503", f"the device refused the image: {error}", why=error.meaning)
    return Refusal(image_group.upload_first(b"", 0, b"", 0), error)


async def refuse_foreign(
    session: Session, total: int, is_ours: Callable[[int], bool] = lambda _offset: False
) -> None:
    """Look whether somebody else is uploading: an offset that moves while nothing is sent.

    An upload that broke off leaves its offset behind, which does not move. One that `is_ours` needs
    no second look. Raises `DfuBleError` DV509, and `LinkLost`.
    """
    first = await _ask_offset(session, total)
    if not first or is_ours(first):
        return
    await asyncio.sleep(_FOREIGN_PAUSE)
    second = await _ask_offset(session, total)
    if second is not None and second != first:
        raise foreign_upload(f"it went from byte {first} to {second} while nothing was sent")


async def _ask_offset(session: Session, total: int) -> int | None:
    try:
        payload = await session.request(image_group.upload_query(total), attempts=2)
        return image_group.parse_upload(payload).offset
    except DfuBleError:
        # A server that does not answer such questions has nothing to say about others.
        return None
