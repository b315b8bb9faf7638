# SPDX-License-Identifier: Apache-2.0
"""An upload as Zephyr takes it: where it goes, what is erased first, when it is written.

The rules are those of Zephyr's `zephyr_img_mgmt.c` (`img_mgmt_upload_inspect`) and `flash_img.c`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from .flash import FlashArea, FlashError
from .image_errors import ImageRc, image_error
from .image_state import ImageStates, SlotImage
from .profile import DeviceProfile
from .slots import FLAG_ROM_FIXED, HEADER_SIZE, decode_header

_SHA_SIZE = 32


@dataclass(frozen=True)
class UploadRequest:
    """One request; `offset` and `length` are `None` where it did not say, sizes in bytes."""

    offset: int | None
    length: int | None
    data: bytes
    sha: bytes
    image: int
    upgrade: bool


@dataclass(frozen=True)
class UploadResult:
    """The offset that the server expects next.

    `match` stands in the last answer of a build that checks images.
    """

    offset: int
    match: bool | None = None


class _Writer:
    """Collects data and writes it in blocks, as `flash_img_buffered_write` does."""

    def __init__(self, area: FlashArea, start: int, block: int, trailer: int | None) -> None:
        """Write to `area` from `start` on; with `trailer` sectors are erased as they are reached.

        `trailer` is the first sector of the image trailer, erased with the last block.
        """
        self._area = area
        self._position = start
        self._block = block
        self._buffer = bytearray()
        self._trailer = trailer
        self._erased = start // area.erase_block

    def write(self, data: bytes, *, last: bool) -> None:
        self._buffer += data
        while len(self._buffer) >= self._block:
            self._flush(bytes(self._buffer[: self._block]))
            del self._buffer[: self._block]
        if last:
            if self._buffer:
                width = self._area.write_block
                size = -(-len(self._buffer) // width) * width
                self._flush(bytes(self._buffer).ljust(size, b"\xff"))
                self._buffer.clear()
            if self._trailer is not None:
                for sector in range(max(self._trailer, self._erased), self._area.sectors):
                    self._area.erase(sector * self._area.erase_block, self._area.erase_block)

    def _flush(self, data: bytes) -> None:
        block = self._area.erase_block
        end = self._position + len(data)
        while self._trailer is not None and self._erased * block < end:
            self._area.erase(self._erased * block, block)
            self._erased += 1
        self._area.write(self._position, data)
        self._position = end


class Upload:
    """The one upload that a server knows of; forgotten at a reset, not at a disconnect."""

    def __init__(
        self, profile: DeviceProfile, states: ImageStates, log: Callable[[str], None]
    ) -> None:
        """Start with no upload under way."""
        self._profile = profile
        self._states = states
        self._log = log
        self.forget()

    def forget(self) -> None:
        """Have no upload under way."""
        self.offset = 0
        self.length = 0
        self._sha = b""
        self._target: tuple[int, int] | None = None
        self._writer: _Writer | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether more data is expected."""
        return self._target is not None

    def take(self, request: UploadRequest) -> UploadResult:
        """Take one request. Raises `GroupError`; the upload is forgotten then."""
        try:
            return self._take(request)
        except FlashError:
            self.forget()
            raise image_error(ImageRc.FLASH_WRITE_FAILED, upload=True) from None

    def refuse(self, code: ImageRc) -> None:
        """Raise the error `code`, with the upload forgotten as the server does then."""
        self.forget()
        raise image_error(code, upload=True)

    def _take(self, request: UploadRequest) -> UploadResult:
        if request.offset is None:
            self.refuse(ImageRc.INVALID_OFFSET)
        if request.offset == 0:
            done = self._first(request)
            if done is not None:
                return done
        else:
            if request.offset != self.offset:
                return UploadResult(self.offset)
            if self.offset + len(request.data) > self.length:
                self.refuse(ImageRc.INVALID_IMAGE_DATA_OVERRUN)
        return self._store(request.data)

    def _first(self, request: UploadRequest) -> UploadResult | None:
        """Begin an upload; return the answer if the data is not to be stored."""
        if len(request.data) < HEADER_SIZE:
            self.refuse(ImageRc.INVALID_IMAGE_HEADER)
        if request.length is None:
            self.refuse(ImageRc.INVALID_LENGTH)
        assert request.length is not None
        if decode_header(request.data) is None:
            self.refuse(ImageRc.INVALID_IMAGE_HEADER_MAGIC)
        if len(request.sha) > _SHA_SIZE:
            self.refuse(ImageRc.INVALID_HASH)
        if self.is_under_way and request.sha and request.sha == self._sha:
            return UploadResult(self.offset)
        target = self._free_slot(request)
        area = self._states.images[target[0]].areas[target[1]]
        self._check(request, area, self._states.images[target[0]].capacity)
        self.offset, self.length, self._sha, self._target = 0, request.length, request.sha, target
        server = self._profile.server
        if server.image_check and len(request.sha) == _SHA_SIZE and self._matches():
            self.forget()
            return UploadResult(request.length, match=True)
        start = self._start()
        trailer = self._states.images[target[0]].trailers[target[1]].first_sector
        if not server.erase_progressively:
            self._erase(area, start + request.length, trailer)
        self._writer = _Writer(
            area, start, server.block_buffer, trailer if server.erase_progressively else None
        )
        self._log(f"Upload of {request.length} bytes to image {target[0]} slot {target[1]}")
        return None

    def _check(self, request: UploadRequest, area: FlashArea, capacity: int) -> None:
        header = decode_header(request.data)
        assert header is not None
        assert request.length is not None
        if request.length > (capacity if self._profile.server.size_limit else area.size):
            self.refuse(ImageRc.INVALID_IMAGE_TOO_LARGE)
        fixed = header.flags & FLAG_ROM_FIXED and header.load_address != area.address
        if fixed and self._profile.server.reject_mismatched_slot:
            self.refuse(ImageRc.INVALID_FLASH_ADDRESS)
        if request.upgrade:
            running = self._states.read_image(0, self._states.active[0])
            if not isinstance(running, SlotImage):
                self.refuse(ImageRc.VERSION_GET_FAILED)
            elif self._states.compare(header.version, running.version) <= 0:
                self.refuse(ImageRc.CURRENT_VERSION_IS_NEWER)

    def _free_slot(self, request: UploadRequest) -> tuple[int, int]:
        # With one image the number in the request is not looked at.
        image = request.image if len(self._states.images) > 1 else min(self._states.images)
        if image in self._states.images:
            for index in (0, 1):
                if not self._states.in_use(image, index):
                    return image, index
        self.refuse(ImageRc.NO_FREE_SLOT)
        raise AssertionError("refuse() raises")

    def _erase(self, area: FlashArea, end: int, trailer: int) -> None:
        if area.is_erased(0, area.size):
            return
        block = area.erase_block
        sectors = -(-end // block)
        if sectors > area.sectors:
            # In swap using offset an image begins behind the slot's first sector.
            self.refuse(ImageRc.FLASH_ERASE_FAILED)
        try:
            area.erase(0, sectors * block)
            if trailer >= sectors:
                area.erase(trailer * block, (area.sectors - trailer) * block)
        except FlashError:
            self.refuse(ImageRc.FLASH_ERASE_FAILED)

    def _store(self, data: bytes) -> UploadResult:
        if not data or self._writer is None:
            return UploadResult(self.offset)
        last = self.offset + len(data) == self.length
        if self._profile.server.whole_words and not last:
            # What does not fill a word is left out, and asked for again by the offset.
            data = data[: len(data) // self._profile.write_block * self._profile.write_block]
        self._writer.write(data, last=last)
        self.offset += len(data)
        if not last:
            return UploadResult(self.offset)
        result = UploadResult(
            self.offset, match=self._matches() if self._profile.server.image_check else None
        )
        self._log(f"Upload of {self.length} bytes is complete")
        self.forget()
        return result

    def _start(self) -> int:
        assert self._target is not None
        image, index = self._target
        return self._states.images[image].secondary_offset if index else 0

    def _matches(self) -> bool:
        assert self._target is not None
        image, index = self._target
        area, start = self._states.images[image].areas[index], self._start()
        if start + self.length > area.size:
            return False
        stored = hashlib.sha256(area.read(start, self.length)).digest()
        # A digest that was cut short is padded with zeros, and so never matches.
        return stored == self._sha.ljust(_SHA_SIZE, b"\0")
