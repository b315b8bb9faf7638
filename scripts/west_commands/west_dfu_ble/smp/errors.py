# SPDX-License-Identifier: Apache-2.0
"""What an SMP server's errors are called, and what they mean to somebody who updates a device.

Three shapes exist. SMP v1: ``{"rc": n, "rsn": text}``. SMP v2: ``{"err": {"group": g, "rc": n}}``
for a group's own errors (``ret`` instead of ``err`` in Zephyr 3.4), while the protocol's errors
stay a plain ``rc``. Sources: Zephyr `include/zephyr/mgmt/mcumgr/mgmt/mgmt_defines.h`,
`grp/img_mgmt/img_mgmt.h` (`IMG_MGMT_ERR_*`), `grp/os_mgmt/os_mgmt.h` (`OS_MGMT_ERR_*`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from .payload import nonsense


class Rc(IntEnum):
    """The protocol's codes that decide something here (`enum mcumgr_err_t`)."""

    OK = 0
    ENOMEM = 2
    EBADSTATE = 6
    EMSGSIZE = 7
    ENOTSUP = 8
    EBUSY = 10
    TOO_OLD = 12
    TOO_NEW = 13


class ImageError(IntEnum):
    """The image group's codes that decide something here (`IMG_MGMT_ERR_*`)."""

    UNKNOWN = 1
    HASH_NOT_FOUND = 8
    NO_FREE_SLOT = 9
    NO_FREE_MEMORY = 15
    INVALID_FLASH_ADDRESS = 25
    CURRENT_VERSION_IS_NEWER = 27
    IMAGE_ALREADY_PENDING = 28
    CONFIRMATION_DENIED = 32
    TEST_TO_ACTIVE_DENIED = 33


OS_GROUP = 0
IMAGE_GROUP = 1

_PROTOCOL = {
    1: ("EUNKNOWN", "the device failed and does not say how"),
    2: ("ENOMEM", "the device has no buffer or memory left"),
    3: ("EINVAL", "the device finds the request wrong, or the image's header or address"),
    4: ("ETIMEOUT", "the device gave up waiting for something of its own"),
    5: ("ENOENT", "there is no such image or item on the device"),
    6: ("EBADSTATE", "the slot is not free, an update is pending, or the version is too low"),
    7: ("EMSGSIZE", "the answer does not fit the device's buffer"),
    8: ("ENOTSUP", "the device's firmware was built without this command"),
    9: ("ECORRUPT", "the device received something corrupt"),
    10: ("EBUSY", "the device is busy with another command or update"),
    11: ("EACCESSDENIED", "the device's application refused it"),
    12: ("UNSUPPORTED_TOO_OLD", "the device wants a newer version of SMP"),
    13: ("UNSUPPORTED_TOO_NEW", "the device knows only an older version of SMP"),
}

_IMAGE = {
    1: ("UNKNOWN", "the device failed and does not say how"),
    2: ("FLASH_CONFIG_QUERY_FAIL", "the device can't read its own partition layout"),
    3: ("NO_IMAGE", "the slot is empty"),
    4: ("NO_TLVS", "the image has no trailer: it is cut off or not signed"),
    5: ("INVALID_TLV", "the image in the slot is broken"),
    6: ("TLV_MULTIPLE_HASHES_FOUND", "the image in the slot has more than one hash"),
    7: ("TLV_INVALID_SIZE", "the image is broken, or its hash has a length not expected"),
    8: ("HASH_NOT_FOUND", "no image with this hash is on the device"),
    9: ("NO_FREE_SLOT", "the slot is in use: its image is pending, or the running one on trial"),
    10: ("FLASH_OPEN_FAILED", "the device can't open its flash"),
    11: ("FLASH_READ_FAILED", "the device can't read its flash"),
    12: ("FLASH_WRITE_FAILED", "the device can't write its flash"),
    13: ("FLASH_ERASE_FAILED", "the device can't erase its flash"),
    14: ("INVALID_SLOT", "the device has no such slot or image number"),
    15: ("NO_FREE_MEMORY", "the device has no memory left"),
    16: ("FLASH_CONTEXT_ALREADY_SET", "the device lost track of the upload"),
    17: ("FLASH_CONTEXT_NOT_SET", "the device lost track of the upload"),
    18: ("FLASH_AREA_DEVICE_NULL", "the device's flash is not ready"),
    19: ("INVALID_PAGE_OFFSET", "the device lost track of the upload"),
    20: ("INVALID_OFFSET", "the device misses the offset in the request"),
    21: ("INVALID_LENGTH", "the device misses the length in the request"),
    22: ("INVALID_IMAGE_HEADER", "the first piece is too short to hold the image's header"),
    23: ("INVALID_IMAGE_HEADER_MAGIC", "the file is no MCUboot image"),
    24: ("INVALID_HASH", "the device does not take the hash in the request"),
    25: ("INVALID_FLASH_ADDRESS", "the image is linked for the other slot"),
    26: ("VERSION_GET_FAILED", "the device can't tell the version that it runs"),
    27: ("CURRENT_VERSION_IS_NEWER", "the device runs this version or a higher one"),
    28: ("IMAGE_ALREADY_PENDING", "an image is already set to run next"),
    29: ("INVALID_IMAGE_VECTOR_TABLE", "the image is linked for another address"),
    30: ("INVALID_IMAGE_TOO_LARGE", "the image and its trailer do not fit the slot"),
    31: ("INVALID_IMAGE_DATA_OVERRUN", "more data came than was announced"),
    32: ("IMAGE_CONFIRMATION_DENIED", "the device does not let this slot be confirmed"),
    33: ("IMAGE_SETTING_TEST_TO_ACTIVE_DENIED", "the image is the one that is running"),
    34: ("ACTIVE_SLOT_NOT_KNOWN", "the device does not know which slot it runs from"),
}

_OS = {
    1: ("UNKNOWN", "the device failed and does not say how"),
    2: ("INVALID_FORMAT", "the device does not know what was asked for"),
    3: ("QUERY_YIELDS_NO_ANSWER", "the device has no answer to that"),
    4: ("RTC_NOT_SET", "the device's clock is not set"),
    5: ("RTC_COMMAND_FAILED", "the device's clock failed"),
    6: ("QUERY_RESPONSE_VALUE_NOT_VALID", "the device got a value from its own parts that is none"),
    7: ("HEAP_STATS_FETCH_FAILED", "the device can't read its heap's statistics"),
}

_GROUPS = {OS_GROUP: ("OS_MGMT_ERR_", _OS), IMAGE_GROUP: ("IMG_MGMT_ERR_", _IMAGE)}


@dataclass(frozen=True)
class SmpError:
    """An error that a server answered with.

    `group` is `None` for the protocol's own codes (and every code of SMP v1). `text` is what the
    server itself says (``rsn``), mostly nothing.
    """

    code: int
    group: int | None = None
    text: str = ""

    def is_rc(self, *codes: Rc) -> bool:
        """Whether this is one of the protocol's codes."""
        return self.group is None and self.code in codes

    def is_image(self, *codes: ImageError) -> bool:
        """Whether this is one of the image group's codes."""
        return self.group == IMAGE_GROUP and self.code in codes

    @property
    def name(self) -> str:
        """The code as Zephyr's sources call it, for example ``IMG_MGMT_ERR_NO_FREE_SLOT``."""
        if self.group is None:
            known = _PROTOCOL.get(self.code)
            return f"MGMT_ERR_{known[0]}" if known else f"rc {self.code}"
        prefix, table = _GROUPS.get(self.group, ("", {}))
        if self.code in table:
            return prefix + table[self.code][0]
        return f"group {self.group} error {self.code}"

    @property
    def meaning(self) -> str:
        """What it means to the user, one clause."""
        table = _PROTOCOL if self.group is None else _GROUPS.get(self.group, ("", {}))[1]
        if self.code in table:
            return table[self.code][1]
        if self.group is None and self.code >= 256:
            return "an error of the device's own application"
        return "an error that this tool does not know"

    def __str__(self) -> str:
        said = f", the device says '{self.text}'" if self.text else ""
        return f"{self.meaning} ({self.name}{said})"


def find_error(payload: Mapping[str, object]) -> SmpError | None:
    """Return the error that a response carries, `None` if it reports success.

    Raises `DfuBleError` DV511 if the error itself has the wrong type.
    """
    said = payload.get("rsn")
    text = said[:200] if isinstance(said, str) else ""
    for key in ("err", "ret"):
        value = payload.get(key)
        if isinstance(value, dict):
            code, group = value.get("rc", 0), value.get("group", 0)
            if not (_is_integer(code) and _is_integer(group)):
                raise nonsense(f"the device reports an error that is none: {value!r:.80}")
            if code:
                return SmpError(code, group, text)
        elif key == "err" and value is not None:
            raise nonsense(f"the device reports an error that is none: {value!r:.80}")
    code = payload.get("rc", 0)
    if not isinstance(code, int) or isinstance(code, bool):
        raise nonsense(f"the device reports an error that is none: {code!r:.80}")
    return SmpError(code, None, text) if code else None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
