# SPDX-License-Identifier: Apache-2.0
"""The flash memories to scale: partitions, and in the slots what each image takes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...builddir import Build, Partition
from ...rules import SlotUse, slot_uses
from ..words import percent, shortened, size
from .markup import Markup, join, tag

# Units of the drawing, which is shown at about one a CSS pixel.
_WIDTH, _HEIGHT, _MARGIN = 372, 470, 12
_BAR, _BAR_WIDTH, _LABEL = 64, 104, 190
_LINE = 14
# Characters of a label; the whole is in the drawing's titles and in the table.
_LONGEST = 27
# What would be thinner than a hair is drawn as one.
_HAIR = 1.5

# Where an address stands in the drawing.
Height = Callable[[int], float]


@dataclass(frozen=True)
class Block:
    """A stretch of flash: `kind` is a class of the style sheet, `lines` what stands beside it."""

    kind: str
    start: int
    size: int
    lines: tuple[str, ...]
    use: SlotUse | None = None

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + self.size


def memory_maps(build: Build) -> Markup:
    """Return a drawing of each flash memory that the build uses."""
    blocks = dict(_regions(build))
    return join(*(_figure(name, _extent(build, name, b), b) for name, b in blocks.items() if b))


def _regions(build: Build) -> Iterator[tuple[str, list[Block]]]:
    uses = slot_uses(build)
    names = dict.fromkeys(
        [*(f.name for f in build.flash), *(use.slot.region for use in uses)],
    )
    for name in names:
        slots = [_slot_block(use) for use in uses if use.slot.region == name]
        others = [
            _partition_block(one)
            for one in build.partitions
            if one.region == name and not any(_is_inside(one, slot) for slot in slots)
        ]
        yield name, sorted([*slots, *_outermost(others)], key=lambda b: (b.start, b.size))


def _slot_block(use: SlotUse) -> Block:
    slot = use.slot
    lines = [f"{slot.title} slot, image {slot.image}", size(slot.size.value)]
    if use.size is not None:
        lines.append(f"{percent(use.size, use.limit)} taken by {use.image}")
    return Block("slot", slot.address.value, slot.size.value, tuple(lines), use)


def _partition_block(one: Partition) -> Block:
    kind = "bootloader" if one.name in ("mcuboot", "boot", "boot_partition") else "other"
    lines = (one.name, size(one.size.value))
    return Block(kind, one.address.value, one.size.value, lines)


def _is_inside(one: Partition, block: Block) -> bool:
    return block.start <= one.address.value and one.address.value + one.size.value <= block.end


def _outermost(blocks: Sequence[Block]) -> list[Block]:
    """Leave out what lies within another: Partition Manager names some stretches twice."""
    kept: list[Block] = []
    for block in sorted(blocks, key=lambda b: (b.start, -b.size)):
        if not any(k.start <= block.start and block.end <= k.end for k in kept):
            kept.append(block)
    return kept


def _extent(build: Build, name: str, blocks: Sequence[Block]) -> tuple[int, int]:
    """Return the first and the last address of the drawing."""
    region = next((one for one in build.flash if one.name == name), None)
    end = max(block.end for block in blocks)
    if region is None:
        return min(block.start for block in blocks), end
    return region.address, max(region.address + region.size, end)


def _figure(name: str, extent: tuple[int, int], blocks: Sequence[Block]) -> Markup:
    first, last = extent
    scale = (_HEIGHT - 2 * _MARGIN) / max(last - first, 1)

    def y(address: int) -> float:
        return _MARGIN + (address - first) * scale

    title = f"Flash memory {name}, {size(last - first)} from {first:#x}, lowest address on top"
    parts = [tag("title", title)]
    parts.append(_rect("free", y(first), y(last)))
    parts += [_draw(block, y(block.start), y(block.end), lane) for block, lane in _lanes(blocks)]
    parts += _addresses(blocks, extent, y)
    parts += _labels(blocks, y)
    drawing = tag(
        "svg",
        *parts,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=title,
        class_="map",
    )
    caption = tag("figcaption", tag("b", name), f" · {size(last - first)}")
    return tag("figure", caption, drawing, class_="memory")


def _lanes(blocks: Sequence[Block]) -> Iterator[tuple[Block, tuple[float, float]]]:
    """Yield each block with its left edge and width: those that overlap stand side by side."""
    for block in blocks:
        rivals = [b for b in blocks if b.start < block.end and block.start < b.end]
        width = _BAR_WIDTH / len(rivals)
        yield block, (_BAR + rivals.index(block) * width, width)


def _draw(block: Block, top: float, bottom: float, lane: tuple[float, float]) -> Markup:
    parts = [tag("title", "\n".join(block.lines)), _rect(block.kind, top, bottom, lane)]
    use = block.use
    if use is not None:
        per_byte = (bottom - top) / max(block.size, 1)
        kept = max(block.size - max(use.limit, 0), 0)
        parts.append(_rect("kept", bottom - kept * per_byte, bottom, lane))
        if use.size is not None:
            kind = "image" if use.fits else "image too-large"
            parts.append(_rect(kind, top, min(top + use.size * per_byte, bottom), lane))
    return tag("g", *parts)


def _rect(
    kind: str, top: float, bottom: float, lane: tuple[float, float] = (_BAR, _BAR_WIDTH)
) -> Markup:
    height = max(bottom - top, _HAIR)
    return tag("rect", x=lane[0], y=top, width=lane[1], height=height, class_=kind)


def _addresses(blocks: Sequence[Block], extent: tuple[int, int], y: Height) -> Iterator[Markup]:
    wanted = sorted({extent[0], extent[1], *(block.start for block in blocks)})
    at = -_LINE * 1.0
    for address in wanted:
        place = y(address)
        # Of those that would touch each other the first is written, and always both ends.
        near_end = y(extent[1]) - place < _LINE - 2
        if address != extent[1] and (near_end or place - at < _LINE - 2):
            continue
        at = place
        yield tag("text", f"{address:#x}", x=_BAR - 6, y=place + 3.5, class_="address")


def _labels(blocks: Sequence[Block], y: Height) -> Iterator[Markup]:
    heights = [len(block.lines) * _LINE + 6 for block in blocks]
    centres = [(y(block.start) + y(block.end)) / 2 for block in blocks]
    for block, centre, place in zip(blocks, centres, _spread(centres, heights), strict=True):
        top = place - (len(block.lines) - 1) * _LINE / 2
        edge = _BAR + _BAR_WIDTH
        path = f"M{edge} {centre:.1f}h6L{_LABEL - 8} {place:.1f}h4"
        yield tag("path", d=path, class_="leader")
        for number, line in enumerate(block.lines):
            yield tag(
                "text",
                shortened(line, _LONGEST),
                x=_LABEL,
                y=top + number * _LINE + 4,
                class_="name" if number == 0 else "detail",
            )


def _spread(centres: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Move labels apart so that none covers another, and all stay on the drawing."""
    places = list(centres)
    floor = 0.0
    for at, height in enumerate(heights):
        places[at] = max(places[at], floor + height / 2)
        floor = places[at] + height / 2
    ceiling = float(_HEIGHT)
    for at in range(len(places) - 1, -1, -1):
        places[at] = min(places[at], ceiling - heights[at] / 2)
        ceiling = places[at] - heights[at] / 2
    return places
