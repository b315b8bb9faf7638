# SPDX-License-Identifier: Apache-2.0
"""Answers that no server gives: each well-formed up to one thing in it."""

from __future__ import annotations

import random
from typing import Any

import cbor2

from west_dfu_ble.smp import HEADER_SIZE, Header, decode_header

_LONGEST = 0xFFFF  # what a frame's header can say
_VALUES: tuple[object, ...] = (
    *(0, 1, -1, 7, 255, 20_001, -(1 << 31), (1 << 31) - 1, (1 << 32) - 1, 1 << 32, 1 << 63),
    *(-(1 << 63), (1 << 64) - 1, 1 << 70, 0.5, float("nan"), float("inf"), True, False, None),
    *("", "7", "text", "0.0.0", "9" * 300, "1.\x1b[2J.\n", b"", b"\xff" * 32, bytes(64)),
    *([], [[]], [None], {}, {"rc": 8}, {"rc": "8"}, {"group": 1, "rc": 9}, {"group": -1, "rc": 1}),
)
_MILLION = (1_000_000).to_bytes(4, "big")
# Payloads that promise more than there is, or that would take a careless reader's stack or memory.
_BOMBS = (
    b"\x81" * 20_000 + b"\x00",
    b"\xa1\x61a" * 10_000 + b"\x00",
    b"\x9f" * 20_000,
    b"\xbf\x66images\x9a" + _MILLION + b"\xff",
    b"\xbf\x66images\x9a" + _MILLION + b"\xa0" * 60_000 + b"\xff",
    b"\xbf\x66images\x9b" + b"\xff" * 8 + b"\xff",
    b"\xbf\x63off\x9b" + b"\xff" * 8,
    b"\xba" + _MILLION + b"\x61a\x00",
    b"\xbf" + b"\x63off\x00" * 9_000 + b"\xff",
    b"\x5b" + b"\x7f" * 8,
    b"\x7f" + b"\x61a" * 20_000 + b"\xff",
    b"\xc4\x82\x3b" + b"\xff" * 8 + b"\x01",
    b"\xd8\x1c\x81\xd8\x1d\x00",
    b"\xd8\x23\x67(a+)+$b",
)


def lie(frame: bytes, rng: random.Random) -> bytes:
    """Return the frame with another payload: one value changed, added or left out, or a bomb."""
    header = decode_header(frame)
    if rng.random() < 0.1:
        return _framed(header, rng.choice(_BOMBS))
    payload = cbor2.loads(frame[HEADER_SIZE:])
    if rng.random() < 0.05:
        payload = rng.choice(_VALUES)
    elif rng.random() < 0.05:
        entry = rng.choice([{}, {"slot": 0}, {"slot": rng.randrange(9), "version": "1.0.0"}])
        payload["images"] = [entry] * rng.choice([2, 17, 5_000])
    else:
        _spoil(payload, rng)
    return _framed(header, cbor2.dumps(payload))


def _spoil(payload: Any, rng: random.Random) -> None:
    place = payload
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = rng.choice(keys) if keys else None
        if key is not None and isinstance(place[key], dict | list) and rng.random() < 0.8:
            place = place[key]
            continue
        break
    if isinstance(place, list):
        place.append(rng.choice(_VALUES))
    elif key is None or rng.random() < 0.2:
        place[rng.choice(["off", "rc", "err", "ret", "images", "match", "r", 7])] = rng.choice(
            _VALUES
        )
    elif rng.random() < 0.2:
        del place[key]
    else:
        value = place[key]
        near = [value - 1, value + 1, value * 2] if type(value) is int else []
        place[key] = rng.choice([*near * 3, *_VALUES])


def _framed(header: Header, payload: bytes) -> bytes:
    payload = payload[:_LONGEST]
    length = len(payload)
    made = Header(
        header.operation, header.version, length, header.group, header.sequence, header.command
    )
    return bytes(made) + payload
