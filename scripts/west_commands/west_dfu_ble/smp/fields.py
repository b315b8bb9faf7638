# SPDX-License-Identifier: Apache-2.0
"""Taking values out of a response: a missing key has a default, a wrong type is DV511."""

from __future__ import annotations

from collections.abc import Mapping

from .payload import nonsense

Payload = Mapping[str, object]


def integer(payload: Payload, key: str, default: int | None = None, *, least: int = 0) -> int:
    """Return a whole number of at least `least`; without a default the key must be there."""
    value = payload.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise nonsense(f"the device's answer has no number as '{key}': {_show(value)}")
    if value < least and value != default:
        raise nonsense(f"the device's answer has '{key}' = {value}")
    # Nothing in MCUmgr is wider than 32 bits (`size_t` of the largest server).
    if value >= 1 << 32:
        raise nonsense(f"the device's answer has '{key}' = {value}")
    return value


def flag(payload: Payload, key: str) -> bool:
    """Return a flag; one that is missing is false (`CONFIG_MCUMGR_GRP_IMG_FRUGAL_LIST`)."""
    value = payload.get(key, False)
    if not isinstance(value, bool):
        raise nonsense(f"the device's answer has no flag as '{key}': {_show(value)}")
    return value


def text(payload: Payload, key: str, default: str | None = None) -> str:
    """Return a text, without what can't be shown on a line."""
    value = payload.get(key, default)
    if not isinstance(value, str):
        raise nonsense(f"the device's answer has no text as '{key}': {_show(value)}")
    # It goes to a terminal, and the device is not trusted with that.
    return "".join(c if c.isprintable() else "?" for c in value[:256])


def maps(payload: Payload, key: str, most: int) -> list[dict[str, object]]:
    """Return a list of at most `most` maps."""
    value = payload.get(key)
    if not isinstance(value, list):
        raise nonsense(f"the device's answer has no list as '{key}': {_show(value)}")
    if len(value) > most:
        raise nonsense(f"the device's answer has {len(value)} entries in '{key}'")
    if not all(isinstance(item, dict) for item in value):
        raise nonsense(f"the device's answer has something else than maps in '{key}'")
    return value


def _show(value: object) -> str:
    return "missing" if value is None else f"{value!r:.60}"
