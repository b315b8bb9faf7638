# SPDX-License-Identifier: Apache-2.0
"""Bring one image into its slot: erase, frame size, upload, resume, and proof that it is there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..faults import fault
from ..smp import UploadWindow, WindowCounts, image_group
from .device import DeviceState
from .events import Listener, Phase, PhaseStarted
from .frame_size import FrameSize, FrameSizes
from .model import Knowledge, UpdateOptions
from .plan import ImagePlan
from .session import Session
from .upload import Upload, empty_slot, refuse_foreign
from .verdict import is_stored

# An upload that the device loses track of this often is not going to end.
_LOST_TRACK_LIMIT = 3
# Bytes of an image's header; a first chunk without all of it is refused (Zephyr's error 22).
_LEAST_DATA = 32


@dataclass
class ImageStore:
    """One image on its way into its slot; `refresh` reads the device's images again.

    `step` may be done again after a lost link: it begins with what the device has by then.
    """

    plan: ImagePlan
    session: Session
    knowledge: Knowledge
    options: UpdateOptions
    listener: Listener
    progressed: Callable[[], None]
    refresh: Callable[[], Awaitable[DeviceState]]
    frames: FrameSizes
    _upload: Upload | None = field(default=None, init=False)
    _erased: bool = field(default=False, init=False)
    _lost_track: int = field(default=0, init=False)
    _started: float = field(default=0.0, init=False)

    @property
    def counts(self) -> WindowCounts | None:
        """What happened in the upload window, `None` if nothing had to be sent."""
        return self._upload.window.counts if self._upload else None

    def describe(self) -> str:
        """Say how it went: bytes, seconds and kB/s that this run has sent."""
        if self._upload is None:
            return "it is on the device"
        window = self._upload.window
        size = window.total - (window.resumed_at or 0)
        seconds = max(asyncio.get_running_loop().time() - self._started, 0.001)
        text = f"{size} bytes in {seconds:.1f} s, {size / seconds / 1000:.1f} kB/s"
        return f"{text}, {window.counts.rewinds} rewinds" if window.counts.rewinds else text

    async def step(self) -> None:
        """Bring the image into the slot. Raises `DfuBleError` DV5xx, and `LinkLost`."""
        # The device may have rebooted or been changed by others since the plan was made.
        device = await self.refresh()
        erases = self.plan.erase and not self._erased
        if is_stored(self.plan, device) and not erases:
            return
        if self._upload is None:
            await refuse_foreign(self.session, self.plan.candidate.image.size)
            if erases:
                await self._erase()
            frame = await self.frames.find(self.session, device.parameters)
            self._upload = self._begin(device, frame)
        else:
            window = self._upload.window
            # Somebody else may have been faster to connect.
            await refuse_foreign(self.session, window.total, window.may_stand_at)
            frame = await self.frames.find(self.session, device.parameters)
            _require_room(frame, window)
            window.reopen(frame.size)
        while not await self._upload.run(self.session):
            # Either the last answer was lost, or the device forgot the upload.
            if is_stored(self.plan, await self.refresh()):
                return
            self._lost_track += 1
            if self._lost_track > _LOST_TRACK_LIMIT:
                raise fault(
                    "DV508",
                    f"the device forgot the upload {self._lost_track} times before its end",
                    helps=["is somebody else erasing the slot or uploading?"],
                )
            self._upload.window.reopen()
        device = await self.refresh()
        if not is_stored(self.plan, device):
            raise fault(
                "DV512",
                "the device took the whole image, and does not list it afterwards",
                notes=[device.sentence()],
                helps=["upload it again with --erase"],
            )

    def _begin(self, device: DeviceState, frame: FrameSize) -> Upload:
        image, name = self.plan.candidate.image, self.plan.candidate.path.name
        # A file may be longer than its image (padding up to the trailer): that is not sent.
        data = image.data[: image.size]
        told = device.parameters
        count = told.buffer_count if told else self.knowledge.buffer_count
        window = UploadWindow(
            data=data,
            digest=hashlib.sha256(data).digest(),
            frame_size=frame.size,
            image=self.plan.candidate.image_number,
            buffer_count=count,
            most_in_flight=frame.most_in_flight,
            sure_frame_size=frame.sure_size,
            alignment=self.knowledge.chunk_alignment,
            patience=self.options.patience,
        )
        _require_room(frame, window)
        text = (
            f"{name} {image.version} to slot {self.plan.target}: frames of {frame.size} bytes "
            f"({frame.reason}), {window.width} in flight"
        )
        self.listener(PhaseStarted(Phase.UPLOAD, text))
        self._started = asyncio.get_running_loop().time()
        return Upload(name, window, self.listener, self.progressed)

    async def _erase(self) -> None:
        image, timeout = self.plan.candidate.image_number, self.options.patience.first
        await empty_slot(self.session, image, self.plan.target, timeout=timeout)
        self._erased = True


def _require_room(frame: FrameSize, window: UploadWindow) -> None:
    """Raise DV508 if not even the first request, which holds the image's header, fits a frame."""
    room = image_group.first_chunk_size(frame.size, window.total, window.digest, window.image)
    if room < _LEAST_DATA:
        raise fault(
            "DV508",
            f"frames of {frame.size} bytes ({frame.reason}) have no room for an upload",
            why="The first request names the file's length and hash, and holds the image's header.",
            helps=[
                "give the server larger buffers: CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE",
                "over Bluetooth LE: a larger CONFIG_BT_L2CAP_TX_MTU, or "
                "CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY=y",
            ],
        )
