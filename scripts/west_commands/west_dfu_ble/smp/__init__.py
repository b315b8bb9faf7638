# SPDX-License-Identifier: Apache-2.0
"""The SMP protocol, without input or output: frames, groups, errors, and the upload window.

Nothing here waits, sends or asks for the time. Whoever owns a link sends `Request.encode()`, puts
answers together with a `FrameAssembler`, and reads them with the parsers of `os_group` and
`image_group`, which take unknown keys and missing flags, and raise `DfuBleError` DV511 for
anything that no server would send.
"""

from . import image_group, os_group
from .errors import ImageError, Rc, SmpError, find_error
from .frames import (
    HEADER_SIZE,
    Frame,
    FrameAssembler,
    Header,
    Request,
    decode_header,
)
from .image_group import ImageSlot, ImageState, SlotInfo, UploadAnswer
from .os_group import BootloaderInfo, McumgrParameters
from .payload import decode_payload, nonsense
from .width import first_width, width_limit
from .window import UploadWindow
from .window_model import Failure, Patience, WindowCounts, WindowState

__all__ = [
    "HEADER_SIZE",
    "BootloaderInfo",
    "Failure",
    "Frame",
    "FrameAssembler",
    "Header",
    "ImageError",
    "ImageSlot",
    "ImageState",
    "McumgrParameters",
    "Patience",
    "Rc",
    "Request",
    "SlotInfo",
    "SmpError",
    "UploadAnswer",
    "UploadWindow",
    "WindowCounts",
    "WindowState",
    "decode_header",
    "decode_payload",
    "find_error",
    "first_width",
    "image_group",
    "nonsense",
    "os_group",
    "width_limit",
]
