# SPDX-License-Identifier: Apache-2.0
"""Spoil the bytes of a file: with hypothesis, which shrinks what it finds, and by mutation."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

# Pieces that mean something to one reader or another, to be put where they do not belong.
PIECES = [
    b"\0", b"\xff", b"\r\n", b"\n", b'"',
    b"'", b"=", b":", b";", b"{", b"}", b"[", b"]", b"<", b">", b",",
    b"&", b"*", b"&id001 ", b"*id001", b"!!int ", b"---\n", b"...", b"? ", b"- ", b"#", b"\\", b"/",
    b"//", b"/*", b"*/", b"/dts-v1/;", b"/delete-node/ ", b"0x", b"-1", b"99999999999999999999",
    b"0xffffffffffffffff", b"CONFIG_", b"SB_CONFIG_A=y\n", b"CONFIG_MCUBOOT=y\n", b"..", b"~",
    b"${ZEPHYR_BASE}", b"slot0_partition: ", b"reg = < >;", b"\t", b" " * 40, "\u2028".encode(),
    b"null", b"true", b"1e999", b"NaN", b"../../../etc/passwd", b"\xed\xa0\x80", b"PK\x01\x02",
    b"\x07\x69\x04\x00", b"\x08\x69\xff\xff",
]  # fmt: skip
# Numbers at the edges of what a field can hold.
_EDGES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


@st.composite
def damaged(draw: st.DrawFn, original: bytes) -> bytes:
    """`original` after some cuts, repetitions, exchanges and insertions."""
    data = original
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 60)))
        kind = draw(st.sampled_from(["cut", "drop", "repeat", "insert", "replace", "move"]))
        if kind == "cut":
            data = data[:start]
        elif kind == "drop":
            data = data[:start] + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[start:end] * draw(st.integers(1, 5)) + data[end:]
        elif kind == "insert":
            data = data[:start] + draw(st.sampled_from(PIECES)) + data[start:]
        elif kind == "replace":
            data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
        else:
            to = draw(st.integers(0, len(data)))
            data = data[:to] + data[start:end] + data[to:]
    return data


def mutated(original: bytes, chance: Random) -> bytes:
    """`original` after one to six changes; numbers and the file's both ends are hit most."""
    data = bytearray(original)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        _mutate(data, chance)
    return bytes(data)


def _mutate(data: bytearray, chance: Random) -> None:
    start = _place(data, chance)
    end = min(len(data), start + chance.choice((1, 2, 4, 8, 16, 60, 400)))
    kind = chance.randrange(9)
    if kind == 0:
        del data[start:]
    elif kind == 1:
        del data[start:end]
    elif kind == 2:
        data[end:end] = bytes(data[start:end]) * chance.randint(1, 5)
    elif kind == 3:
        data[start:start] = chance.choice(PIECES)
    elif kind == 4:
        data[start:end] = chance.randbytes(chance.randint(0, 8))
    elif kind == 5:
        to = _place(data, chance)
        data[to:to] = data[start:end]
    elif kind == 6 and data:
        at = min(start, len(data) - 1)
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 7:
        width = chance.choice((1, 2, 4, 8))
        number = chance.choice(_EDGES) & ((1 << 8 * width) - 1)
        data[start : start + width] = number.to_bytes(width, chance.choice(("little", "big")))
    elif data:
        # Two lines change places, or the two halves of a file without lines.
        lines = bytes(data).splitlines(keepends=True)
        one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        data[:] = b"".join(lines)


def _place(data: bytearray, chance: Random) -> int:
    """Somewhere in `data`; headers and directories stand at its ends."""
    if len(data) > 1200 and chance.random() < 0.7:
        near = chance.randrange(600)
        return near if chance.random() < 0.5 else len(data) - near
    return chance.randint(0, len(data))
