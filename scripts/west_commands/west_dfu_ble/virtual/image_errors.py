# SPDX-License-Identifier: Apache-2.0
"""Errors of the image management group (1) as the server sends them: code, SMP v1 code, text."""

from __future__ import annotations

from enum import IntEnum

from .os_group import GroupError

GROUP = 1


class ImageRc(IntEnum):
    """`enum img_mgmt_err_code_t` of Zephyr, as far as this server uses it."""

    UNKNOWN = 1
    NO_IMAGE = 3
    NO_TLVS = 4
    HASH_NOT_FOUND = 8
    NO_FREE_SLOT = 9
    FLASH_OPEN_FAILED = 10
    FLASH_WRITE_FAILED = 12
    FLASH_ERASE_FAILED = 13
    INVALID_OFFSET = 20
    INVALID_LENGTH = 21
    INVALID_IMAGE_HEADER = 22
    INVALID_IMAGE_HEADER_MAGIC = 23
    INVALID_HASH = 24
    INVALID_FLASH_ADDRESS = 25
    VERSION_GET_FAILED = 26
    CURRENT_VERSION_IS_NEWER = 27
    IMAGE_ALREADY_PENDING = 28
    INVALID_IMAGE_VECTOR_TABLE = 29
    INVALID_IMAGE_TOO_LARGE = 30
    INVALID_IMAGE_DATA_OVERRUN = 31
    IMAGE_CONFIRMATION_DENIED = 32
    IMAGE_SETTING_TEST_TO_ACTIVE_DENIED = 33


# What `img_mgmt_translate_error_code` makes of them for SMP v1; 1 (unknown) for all others.
_VERSION_1 = {
    ImageRc.NO_IMAGE: 5,
    ImageRc.NO_TLVS: 5,
    ImageRc.NO_FREE_SLOT: 6,
    ImageRc.CURRENT_VERSION_IS_NEWER: 6,
    ImageRc.IMAGE_ALREADY_PENDING: 6,
    ImageRc.INVALID_OFFSET: 3,
    ImageRc.INVALID_LENGTH: 3,
    ImageRc.INVALID_IMAGE_HEADER: 3,
    ImageRc.INVALID_HASH: 3,
    ImageRc.INVALID_FLASH_ADDRESS: 3,
}

# What trees up to Zephyr 3.3 sent instead, before there were errors of groups.
_ORIGINAL = {ImageRc.HASH_NOT_FOUND: 3, ImageRc.INVALID_IMAGE_HEADER_MAGIC: 3}
_ORIGINAL_UPLOAD = {**_ORIGINAL, ImageRc.NO_FREE_SLOT: 2}

# Texts of CONFIG_MCUMGR_GRP_IMG_VERBOSE_ERR; only refusals of an upload have one.
_REASONS = {
    ImageRc.INVALID_OFFSET: "header malformed",
    ImageRc.INVALID_LENGTH: "header malformed",
    ImageRc.INVALID_IMAGE_HEADER: "header malformed",
    ImageRc.INVALID_IMAGE_HEADER_MAGIC: "magic mismatch",
    ImageRc.NO_FREE_SLOT: "no slot",
    ImageRc.FLASH_OPEN_FAILED: "fa open fail",
    ImageRc.FLASH_ERASE_FAILED: "fa erase fail",
    ImageRc.FLASH_WRITE_FAILED: "fa write fail",
    ImageRc.CURRENT_VERSION_IS_NEWER: "downgrade",
    ImageRc.INVALID_FLASH_ADDRESS: "img addr mismatch",
    ImageRc.INVALID_IMAGE_TOO_LARGE: "img too large",
    ImageRc.INVALID_IMAGE_DATA_OVERRUN: "data overrun",
}


def image_error(code: ImageRc, *, upload: bool = False) -> GroupError:
    """Make the error, ready to raise."""
    return GroupError(
        GROUP,
        code,
        _VERSION_1.get(code, 1),
        _REASONS.get(code, "") if upload else "",
        (_ORIGINAL_UPLOAD if upload else _ORIGINAL).get(code),
    )
