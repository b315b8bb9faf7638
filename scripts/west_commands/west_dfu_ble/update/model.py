# SPDX-License-Identifier: Apache-2.0
"""What an update is made of: the images on offer, what the build knows, and what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..smp import Patience

if TYPE_CHECKING:
    from ..image import McubootImage
    from ..mcuboot import BootloaderMode


@dataclass(frozen=True)
class Candidate:
    """An update image on offer.

    `slot` is the slot index that it is linked for where that is known (direct-xip), `None` for an
    image that goes to the secondary slot whatever. `image_number` is MCUboot's.
    """

    path: Path
    image: McubootImage
    slot: int | None
    image_number: int = 0


@dataclass(frozen=True)
class Knowledge:
    """What the build knows of the device; `None` where it does not.

    The device may run another build than this one, so that what the device itself says wins.
    `slots` maps (image number, slot index) to (address, size in bytes). `reassembly`: the device
    puts a frame together from several writes. `buffer_size` in bytes, `buffer_count`: the server's.
    `compares_build_number`: the bootloader takes the version's build number into account.
    `rejects_downgrade`: it refuses lower versions. `chunk_alignment`: the multiple of bytes that
    a chunk of the upload must have.
    """

    mode: BootloaderMode | None = None
    slots: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    reassembly: bool | None = None
    buffer_size: int | None = None
    buffer_count: int | None = None
    compares_build_number: bool | None = None
    rejects_downgrade: bool | None = None
    # Servers up to NCS 1.8 need whole words (nRF flash); it costs at most 3 bytes of a frame.
    chunk_alignment: int = 4


class ActivateMode(Enum):
    """What happens to the image behind the upload.

    CONFIRM: test, verify that it runs, confirm. TEST: the same without the confirming, so that the
    device goes back at its next reset. PERMANENT: no trial. UPLOAD_ONLY: nothing.
    """

    CONFIRM = "confirm"
    TEST = "test"
    PERMANENT = "permanent"
    UPLOAD_ONLY = "upload only"


@dataclass(frozen=True)
class UpdateOptions:
    """How an update is done. Times in seconds.

    `timeout` bounds each attempt to find and connect to the device. `retries` is how many times in
    a row a lost link is made anew without any progress between. `erase` empties the free slot
    before the upload, also when an image is pending there. `reboot_timeout` is how long the device
    may stay away behind the reset; `None` for a time that suits the image's size.
    `request_timeout` is how long an answer to anything but an upload may take.
    """

    activate: ActivateMode = ActivateMode.CONFIRM
    timeout: float = 30.0
    retries: int = 5
    erase: bool = False
    reboot_timeout: float | None = None
    request_timeout: float = 3.0
    patience: Patience = field(default_factory=Patience)
