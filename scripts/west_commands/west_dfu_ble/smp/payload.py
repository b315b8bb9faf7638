# SPDX-License-Identifier: Apache-2.0
"""Decoding a response's CBOR map, which is not trusted.

A payload is walked through before it is decoded, so that its depth, the number of its items and
every length in it are known to be harmless.
"""

from __future__ import annotations

from ..diagnostics import DfuBleError
from ..faults import fault

# An image list of 16 images is about 250 items 4 deep; nothing that MCUmgr sends comes near.
MAX_DEPTH = 8
MAX_ITEMS = 4096


def decode_payload(payload: bytes) -> dict[str, object]:
    """Decode a response's CBOR map; keys that are no text are left out.

    Raises `DfuBleError` DV511 for anything that is no map, or that no server would send.
    """
    import cbor2

    try:
        value = cbor2.loads(payload[: _measure(payload)])
    # What cbor2 raises differs between its versions; the structure is sound by now, so that these
    # are about details: text that is not UTF-8, reserved simple values, odd map keys.
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, EOFError) as error:
        raise nonsense(f"the device's answer is no usable CBOR: {error}", payload) from error
    if not isinstance(value, dict):
        raise nonsense("the device's answer is no CBOR map", payload)
    return {key: item for key, item in value.items() if isinstance(key, str)}


def nonsense(message: str, evidence: bytes = b"") -> DfuBleError:
    """Make the error DV511; `evidence` are the bytes that caused it."""
    notes = [f"the answer begins {evidence[:32].hex(' ')}"] if evidence else []
    return fault("DV511", message, notes=notes)


class _BadCborError(ValueError):
    """The bytes are no CBOR that this client takes."""


def _measure(data: bytes) -> int:
    """Walk over the CBOR item that `data` begins with and return its length in bytes.

    Nothing is decoded or allocated. Tags are refused: MCUmgr uses none, and decoders do expensive
    and surprising things with some (regular expressions, references that make circles).
    """
    # One entry a container that is open: items still to come (-1 where a break ends it), whether
    # it is a map, and the string type that an indefinite string's pieces must have.
    stack: list[list[int]] = [[1, 0, -1]]
    at = items = 0
    while stack:
        top = stack[-1]
        if top[0] == 0:
            stack.pop()
            continue
        if at >= len(data):
            raise _BadCborError("it ends too early")
        first = data[at]
        if first == 0xFF and top[0] < 0:
            if top[1] and top[0] % 2 == 0:
                raise _BadCborError("a map ends behind a key")
            at += 1
            stack.pop()
            continue
        items += 1
        if items > MAX_ITEMS:
            raise _BadCborError(f"it has more than {MAX_ITEMS} items")
        major, at, argument = _read_head(data, at)
        if top[2] >= 0 and (major != top[2] or argument is None):
            raise _BadCborError("a string in pieces has a piece that is no string")
        # -1, -2, -3 ... counts the items of an indefinite container; odd means at a key.
        is_key = bool(top[1]) and top[0] % 2 == (0 if top[0] > 0 else 1)
        top[0] -= 1
        if major in (4, 5) or (major in (2, 3) and argument is None):
            if is_key and major in (4, 5):
                raise _BadCborError("a map's key is a container")
            if len(stack) > MAX_DEPTH:
                raise _BadCborError(f"it is more than {MAX_DEPTH} deep")
            if major in (2, 3):
                stack.append([-1, 0, major])
            elif argument is None:
                stack.append([-1, int(major == 5), -1])
            else:
                if argument > len(data) - at:
                    raise _BadCborError("a container is longer than the answer")
                stack.append([argument * (2 if major == 5 else 1), int(major == 5), -1])
        elif major in (2, 3):
            assert argument is not None
            if argument > len(data) - at:
                raise _BadCborError("a string is longer than the answer")
            at += argument
    return at


def _read_head(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Return an item's major type, where its head ends, and its argument (`None`: indefinite)."""
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == 6:
        raise _BadCborError("it has tags")
    if low < 24:
        return major, at, low
    if low < 28:
        size = 1 << (low - 24)
        if at + size > len(data):
            raise _BadCborError("it ends too early")
        return major, at + size, int.from_bytes(data[at : at + size], "big")
    if low == 31 and major in (2, 3, 4, 5):
        return major, at, None
    raise _BadCborError(f"0x{data[at - 1]:02x} begins no item")
