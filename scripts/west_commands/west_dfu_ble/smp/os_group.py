# SPDX-License-Identifier: Apache-2.0
"""The OS group (0): echo, reset, MCUmgr parameters, information on the bootloader and the system.

Source: Zephyr `doc/services/device_mgmt/smp_groups/smp_group_0.rst` and `grp/os_mgmt`.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import fields
from .errors import OS_GROUP
from .frames import Request
from .payload import nonsense

_ECHO, _RESET, _PARAMETERS, _BOOTLOADER = 0, 5, 6, 8


@dataclass(frozen=True)
class McumgrParameters:
    """The server's buffers: the largest frame it takes, in bytes, and how many it holds.

    `CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE` and `_COUNT`. Requests and responses share them, and
    nothing here tells whether the server puts a frame together from several writes.
    """

    buffer_size: int
    buffer_count: int


@dataclass(frozen=True)
class BootloaderInfo:
    """The bootloader: its name, and for MCUboot its mode.

    `mode` is MCUboot's number (`enum mcuboot_mode`), `None` if it is unknown (-1) or not told;
    `no_downgrade` tells that it refuses lower versions (newer servers only).
    """

    name: str
    mode: int | None = None
    no_downgrade: bool = False


def echo(text: str) -> Request:
    """Ask for `text` to be sent back."""
    return Request("echo", True, OS_GROUP, _ECHO, {"d": text}, is_question=True)


def parse_echo(payload: fields.Payload) -> str:
    """Return the text that came back. Raises `DfuBleError` DV511."""
    value = payload.get("r", "")
    if not isinstance(value, str):
        raise nonsense("the device's echo is no text")
    return value


def reset(*, force: bool = False) -> Request:
    """Ask for a reboot; `force` overrides an application that objects."""
    return Request("reset the device", True, OS_GROUP, _RESET, {"force": True} if force else {})


def parameters() -> Request:
    """Ask for the server's buffers (`CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS`)."""
    return Request("read the MCUmgr parameters", False, OS_GROUP, _PARAMETERS, {})


def parse_parameters(payload: fields.Payload) -> McumgrParameters:
    """Read the server's buffers. Raises `DfuBleError` DV511."""
    size = fields.integer(payload, "buf_size", least=1)
    count = fields.integer(payload, "buf_count", 0)
    return McumgrParameters(size, count)


def bootloader(query: str = "") -> Request:
    """Ask for the bootloader's name, or with ``mode`` for its mode."""
    payload = {"query": query} if query else {}
    return Request("read the bootloader's information", False, OS_GROUP, _BOOTLOADER, payload)


def parse_bootloader(payload: fields.Payload) -> str:
    """Return the bootloader's name. Raises `DfuBleError` DV511."""
    return fields.text(payload, "bootloader", "")


def parse_bootloader_mode(name: str, payload: fields.Payload) -> BootloaderInfo:
    """Read the bootloader's mode. Raises `DfuBleError` DV511."""
    mode = fields.integer(payload, "mode", -1, least=-1)
    return BootloaderInfo(name, None if mode < 0 else mode, fields.flag(payload, "no-downgrade"))
