# SPDX-License-Identifier: Apache-2.0
"""The image group (1): the state of the images, upload, test, confirm, erase, and slot info.

Source: Zephyr `doc/services/device_mgmt/smp_groups/smp_group_1.rst` and `grp/img_mgmt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import fields
from .errors import IMAGE_GROUP
from .frames import HEADER_SIZE, Request
from .payload import nonsense

_STATE, _UPLOAD, _ERASE, _SLOTS = 0, 1, 5, 6

# MCUboot itself knows at most 16 images of two slots.
MAX_ENTRIES = 64
_HASH_SIZES = (0, 32, 48, 64)


@dataclass(frozen=True)
class ImageSlot:
    """One image on the device, as the image state lists it.

    `slot` is 0 or 1. `hash` is the value of the image's hash TLV (SHA-256, 384 or 512), the name
    that test and confirm know it by; empty if the device does not tell. `pending`: it runs after
    the next reset; `permanent`: for good then; `confirmed`: nobody undoes it; `active`: it runs.
    """

    image: int
    slot: int
    version: str
    hash: bytes = b""
    bootable: bool = False
    pending: bool = False
    confirmed: bool = False
    active: bool = False
    permanent: bool = False


@dataclass(frozen=True)
class ImageState:
    """All images on the device, by image number and slot."""

    images: tuple[ImageSlot, ...]

    def __iter__(self) -> Iterator[ImageSlot]:
        return iter(self.images)

    def at(self, slot: int, image: int = 0) -> ImageSlot | None:
        """Return what is in a slot, `None` if it is empty."""
        return next((i for i in self.images if (i.image, i.slot) == (image, slot)), None)

    def active(self, image: int = 0) -> ImageSlot | None:
        """Return what runs, `None` if the device does not tell."""
        return next((i for i in self.images if i.image == image and i.active), None)


@dataclass(frozen=True)
class SlotInfo:
    """One slot as the device describes it; sizes in bytes, `None` if not told.

    `upload_image_id` is the number to name in an upload so that it goes to this slot.
    `max_image_size` is the most that fits, less what MCUboot keeps for itself.
    """

    image: int
    slot: int
    size: int | None = None
    upload_image_id: int | None = None
    max_image_size: int | None = None


@dataclass(frozen=True)
class UploadAnswer:
    """The offset that the device expects next, and whether the whole has the announced hash.

    `match` comes with the last answer, and only with `CONFIG_IMG_ENABLE_IMAGE_CHECK`.
    """

    offset: int
    match: bool | None = None


def read_state() -> Request:
    """Ask for the state of all images."""
    return Request("read the image state", False, IMAGE_GROUP, _STATE, {})


def parse_state(payload: fields.Payload) -> ImageState:
    """Read the state of all images. Raises `DfuBleError` DV511."""
    images = tuple(_parse_image(entry) for entry in fields.maps(payload, "images", MAX_ENTRIES))
    places = [(i.image, i.slot) for i in images]
    if len(set(places)) < len(places):
        raise nonsense("the device lists two images in one slot")
    running = [i.image for i in images if i.active]
    if len(set(running)) < len(running):
        raise nonsense("the device says that it runs both slots of one image")
    return ImageState(images)


def _parse_image(entry: fields.Payload) -> ImageSlot:
    digest = entry.get("hash", b"")
    if not isinstance(digest, bytes) or len(digest) not in _HASH_SIZES:
        raise nonsense(f"the device lists an image with a hash that is none: {digest!r:.80}")
    return ImageSlot(
        image=fields.integer(entry, "image", 0),
        slot=fields.integer(entry, "slot"),
        version=fields.text(entry, "version", ""),
        hash=digest,
        bootable=fields.flag(entry, "bootable"),
        pending=fields.flag(entry, "pending"),
        confirmed=fields.flag(entry, "confirmed"),
        active=fields.flag(entry, "active"),
        permanent=fields.flag(entry, "permanent"),
    )


def test(digest: bytes) -> Request:
    """Ask that the image of this hash runs once after the next reset."""
    payload = {"hash": digest, "confirm": False}
    return Request("set the image to test", True, IMAGE_GROUP, _STATE, payload)


def activate(digest: bytes) -> Request:
    """Ask that the image of this hash runs for good after the next reset."""
    payload = {"hash": digest, "confirm": True}
    return Request("activate the image for good", True, IMAGE_GROUP, _STATE, payload)


def confirm() -> Request:
    """Confirm the image that is running, whichever it is."""
    return Request("confirm the image", True, IMAGE_GROUP, _STATE, {"confirm": True})


def erase(slot: int | None = None) -> Request:
    """Ask that a slot is erased; without a number the device takes the free one of image 0."""
    payload = {} if slot is None else {"slot": slot}
    return Request("erase the slot", True, IMAGE_GROUP, _ERASE, payload)


def slot_info() -> Request:
    """Ask for the slots (`CONFIG_MCUMGR_GRP_IMG_SLOT_INFO`, Zephyr 4.0 and later)."""
    return Request("read the slots", False, IMAGE_GROUP, _SLOTS, {})


def parse_slot_info(payload: fields.Payload) -> tuple[SlotInfo, ...]:
    """Read the slots; those that the device reports an error for are left out. Raises DV511."""
    slots = []
    for entry in fields.maps(payload, "images", MAX_ENTRIES):
        image = fields.integer(entry, "image", 0)
        largest = _optional(entry, "max_image_size")
        for slot in fields.maps(entry, "slots", MAX_ENTRIES):
            if "rc" in slot or "err" in slot:
                continue
            slots.append(
                SlotInfo(
                    image,
                    fields.integer(slot, "slot"),
                    _optional(slot, "size"),
                    _optional(slot, "upload_image_id"),
                    largest,
                )
            )
    return tuple(slots)


def _optional(entry: fields.Payload, key: str) -> int | None:
    return fields.integer(entry, key) if key in entry else None


def upload_first(data: bytes, total: int, digest: bytes, image: int) -> Request:
    """Begin an upload, or ask where a broken one stands.

    `data` is the file's beginning, `total` its length in bytes and `digest` the SHA-256 of the
    whole file: a device that already has a part of the same file answers with its offset.
    """
    payload = {"image": image, "len": total, "off": 0, "sha": digest, "data": data}
    return Request("upload the image", True, IMAGE_GROUP, _UPLOAD, payload)


def upload_next(data: bytes, offset: int) -> Request:
    """Send more data, which belongs at `offset`."""
    payload = {"off": offset, "data": data}
    return Request("upload the image", True, IMAGE_GROUP, _UPLOAD, payload)


def upload_query(total: int) -> Request:
    """Ask which offset the device expects next, without sending it anything.

    A chunk without data at the end of the file is at the wrong offset for as long as anything is
    missing, and a wrong offset is answered with the right one; 0 if no upload is under way.
    """
    payload = {"off": total, "data": b""}
    name = "ask for the upload's offset"
    return Request(name, True, IMAGE_GROUP, _UPLOAD, payload, is_question=True)


def parse_upload(payload: fields.Payload) -> UploadAnswer:
    """Read the answer to a piece of an upload. Raises `DfuBleError` DV511."""
    match = fields.flag(payload, "match") if "match" in payload else None
    return UploadAnswer(fields.integer(payload, "off"), match)


def first_chunk_size(frame_size: int, total: int, digest: bytes, image: int) -> int:
    """Return how many bytes of data fill the first frame of `frame_size` bytes exactly."""
    empty = upload_first(b"", total, digest, image).encode(0, 1)
    return fill(frame_size - (len(empty) - 1))


def chunk_size(frame_size: int, offset: int) -> int:
    """Return how many bytes of data fill a later frame of `frame_size` bytes exactly."""
    # a2, 63 "off" and its number, 64 "data" and its length
    room = frame_size - HEADER_SIZE - 1 - 4 - _head(offset) - 5
    return fill(room)


def fill(room: int) -> int:
    """Return how long a CBOR byte string may be so that with its head it takes `room` bytes."""
    for head, most in ((1, 23), (2, 255), (3, 65535)):
        if room - head <= most:
            return max(room - head, 0)
    return max(room - 5, 0)


def _head(number: int) -> int:
    return 1 if number < 24 else 2 if number < 1 << 8 else 3 if number < 1 << 16 else 5
