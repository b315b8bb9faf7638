# SPDX-License-Identifier: Apache-2.0
"""Read the flash memories and partitions of a `zephyr.dts`, with Zephyr's own `dtlib`.

`edt.pickle` would hold the same, but unpickling a file runs whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..diagnostics import Location
from .dtsguard import GuardedError, parse_guarded
from .model import Figure, FlashRegion, Partition
from .textfile import read_text, shorten, unreadable

# The devicetree of the largest SoCs has 100 kB, with comments twice that.
_LIMIT = 400_000
_SLOT_LABEL = re.compile(r"slot(\d)_partition")
_SLOT_NAME = re.compile(r"image-(\d)")


@dataclass(frozen=True)
class Block:
    """What a flash can erase and write at once, in bytes; `None` if not told."""

    erase: int | None
    write: int | None


@dataclass(frozen=True)
class DeviceTree:
    """What a `zephyr.dts` says about flash.

    `slots` maps 0, 1, 2 ... (``slot0_partition`` ...) to their partitions. `blocks` maps node
    labels and chosen nodes (``zephyr,flash``) to the erase and write blocks of their flash.
    """

    path: Path
    partitions: tuple[Partition, ...]
    slots: Mapping[int, Partition]
    regions: tuple[FlashRegion, ...]
    blocks: Mapping[str, Block]


def read_devicetree(path: Path) -> DeviceTree:
    """Read the `zephyr.dts` at `path`.

    Raises `DfuBleError` EN005 for a file that is missing or does not parse, and for one that
    reaches outside itself (``/include/``, ``/incbin/``), which no `zephyr.dts` does.
    """
    text = read_text(path, "EN005", limit=_LIMIT)
    try:
        root = parse_guarded(path, text)
    except GuardedError as error:
        raise unreadable(
            "EN005", path, f"`{path.name}` does not parse: {error.problem}", error.line
        ) from None
    return _Reader(path, text, root).read()


class _Reader:
    """Walks the tree once and remembers what concerns flash."""

    def __init__(self, path: Path, text: str, root: Any) -> None:
        self._path, self._text, self._root = path, text, root
        self._regions: dict[Any, FlashRegion] = {}
        self._partitions: dict[Any, Partition] = {}
        self._slots: dict[int, Partition] = {}

    def read(self) -> DeviceTree:
        nodes = list(_walk(self._root))
        for node in nodes:
            if _is_partition(node):
                self._take_partition(node)
        for node in nodes:
            if "erase-block-size" in node.props or _has(node, "soc-nv-flash"):
                self._region(node)
        return DeviceTree(
            path=self._path,
            partitions=tuple(self._partitions.values()),
            slots=self._slots,
            regions=tuple(self._regions.values()),
            blocks=self._blocks(nodes),
        )

    def _take_partition(self, node: Any) -> None:
        reg = self._reg(node)
        if not reg:
            return
        memory, base = self._memory(node)
        region = self._region(memory)
        line = self._line(node, "reg")
        where = Location(self._path, line)
        partition = Partition(
            name=_name(node),
            address=Figure(base + reg[0], where),
            size=Figure(reg[1], where),
            region=region.name,
        )
        self._partitions[node] = partition
        for index in self._slot_indices(node):
            self._slots.setdefault(index, partition)

    def _slot_indices(self, node: Any) -> Iterator[int]:
        for label in node.labels:
            match = _SLOT_LABEL.fullmatch(label)
            if match:
                yield int(match[1])
        match = _SLOT_NAME.fullmatch(_string(node, "label"))
        if match:
            yield int(match[1])

    def _memory(self, node: Any) -> tuple[Any, int]:
        """Return the memory that holds a partition and the address that its own is relative to."""
        base = 0
        parent = node.parent
        while parent.parent is not None:
            if _is_partition(parent):
                base += (self._reg(parent) or (0, 0))[0]
            elif not _is_partition_table(parent) and ("reg" in parent.props):
                break
            parent = parent.parent
        return parent, base + self._region(parent).address

    def _region(self, node: Any) -> FlashRegion:
        known = self._regions.get(node)
        if known:
            return known
        reg = self._reg(node)
        bits = _number(node, "size")  # of SPI and QSPI memories, whose `reg` is a chip select
        erase, write = _number(node, "erase-block-size"), _number(node, "write-block-size")
        region = FlashRegion(
            name=_name(node),
            address=reg[0] if reg else 0,
            size=reg[1] if reg else (bits or 0) // 8,
            erase_block=erase or None,
            write_block=write or None,
            location=Location(self._path, self._line(node)),
        )
        self._regions[node] = region
        return region

    def _reg(self, node: Any) -> tuple[int, int] | None:
        """Return the first (address, size) of `reg`; `None` where there is none with a size."""
        if "reg" not in node.props or node.parent is None:
            return None
        address_cells = _number(node.parent, "#address-cells", 2) or 0
        size_cells = _number(node.parent, "#size-cells", 1) or 0
        value = node.props["reg"].value
        end = 4 * (address_cells + size_cells)
        if not 0 < size_cells <= 2 or address_cells > 2 or len(value) < end:
            return None
        cut = 4 * address_cells
        return int.from_bytes(value[:cut], "big"), int.from_bytes(value[cut:end], "big")

    def _blocks(self, nodes: list[Any]) -> dict[str, Block]:
        found: dict[str, Block] = {}
        for node in nodes:
            erase, write = _number(node, "erase-block-size"), _number(node, "write-block-size")
            if not erase and not write:
                continue
            # Partition Manager names the flash controller, whose child is the memory.
            owners = [node, *([node.parent] if node.parent and _is_controller(node.parent) else [])]
            for label in (label for owner in owners for label in owner.labels):
                found.setdefault(label, Block(erase or None, write or None))
        for name, node in self._chosen().items():
            for label in node.labels:
                if label in found:
                    found[name] = found[label]
        return found

    def _chosen(self) -> dict[str, Any]:
        chosen = self._root.nodes.get("chosen")
        found = {}
        for prop in chosen.props.values() if chosen else ():
            try:
                found[prop.name] = prop.to_path()
            except Exception:  # noqa: S112 (dtlib's DTError, imported lazily: not a path, no node)
                continue
        return found

    def _line(self, node: Any, prop: str = "") -> int | None:
        """Find the line of a node, or of its property: dtlib does not tell."""
        key = f"{node.labels[0]}:" if node.labels else f"{node.name} {{"
        start = re.search(rf"(?<![\w,.@-]){re.escape(key)}", self._text)
        if start is None:
            return None
        at = start.start()
        if prop:
            end = self._text.find("}", at)
            inside = re.compile(rf"(?<![\w,-]){re.escape(prop)}\s*=").search(
                self._text, at, end if end >= 0 else len(self._text)
            )
            at = inside.start() if inside else at
        return self._text.count("\n", 0, at) + 1


def _walk(root: Any) -> Iterator[Any]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.nodes.values()))


def _name(node: Any) -> str:
    return shorten(node.labels[0] if node.labels else node.name)


def _is_partition(node: Any) -> bool:
    return _has(node, "zephyr,mapped-partition") or (
        node.parent is not None and _is_partition_table(node.parent)
    )


def _is_partition_table(node: Any) -> bool:
    return _has(node, "fixed-partitions") or _has(node, "fixed-subpartitions")


def _is_controller(node: Any) -> bool:
    return "reg" in node.props and not _is_partition_table(node)


def _has(node: Any, compatible: str) -> bool:
    prop = node.props.get("compatible")
    return prop is not None and compatible.encode() in prop.value.split(b"\0")


def _number(node: Any, name: str, default: int | None = None) -> int | None:
    prop = node.props.get(name)
    if prop is None or len(prop.value) != 4:
        return default
    return int.from_bytes(prop.value, "big")


def _string(node: Any, name: str) -> str:
    prop = node.props.get(name)
    return prop.value.rstrip(b"\0").decode("utf-8", "replace") if prop is not None else ""
