# SPDX-License-Identifier: Apache-2.0
"""What is known of the build, for the page: its facts, and the memory as drawing and table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...builddir import Build, Partition
from ...rules import CheckReport, SlotUse, slot_uses
from ..facts import build_facts
from ..words import kib, percent, shown_location, shown_path, size
from .markup import Markup, join, tag
from .memory_map import memory_maps

_TITLES = {
    "board": "Board",
    "layout": "Layout",
    "ncs_version": "nRF Connect SDK",
    "zephyr_version": "Zephyr",
    "bootloader_mode": "Bootloader mode",
    "signature_type": "Signature",
    "image_version": "Image version",
    "profile": "Profile",
    "fail_on": "Fails on",
}


def facts(report: CheckReport, cwd: Path) -> Markup:
    """Return what is known of the build as names and values."""
    known = build_facts(report)
    rows = {"Build directory": shown_path(report.build.path, cwd)}
    rows |= {title: known[name] for name, title in _TITLES.items() if name in known}
    rows["Release rules"] = "on" if report.options.release else "off"
    estimate = report.upload
    if estimate is not None:
        rows["Upload"] = f"about {estimate.seconds:.0f} s for {estimate.size / 1000:.0f} kB" + (
            " (there is no image yet)" if estimate.nominal else ""
        )
    return definition_list(rows)


def definition_list(rows: Mapping[str, str]) -> Markup:
    """Return names and values side by side."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in rows.items()))


def memory(build: Build) -> Markup:
    """Return the drawing of the flash memories, what its colours mean, and the same as a table."""
    if not build.slots and not build.partitions:
        return tag("p", "The build tells of no partition.", class_="empty")
    return tag(
        "div",
        tag("div", memory_maps(build), _legend(), class_="maps"),
        tag("div", *_tables(build), class_="tables"),
        class_="columns",
    )


def _legend() -> Markup:
    keys = (
        ("bootloader", "bootloader"),
        ("slot", "slot, free"),
        ("image", "image in it"),
        ("kept", "kept free for the bootloader"),
        ("other", "other partition"),
        ("free", "not used"),
    )
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag("svg", tag("rect", width=14, height=14, class_=kind), **_SWATCH),
                text,
            )
            for kind, text in keys
        ),
        class_="legend",
    )


_SWATCH = {"class_": "swatch", "viewBox": "0 0 14 14", "aria_hidden": "true"}


def _tables(build: Build) -> Iterator[Markup]:
    uses = slot_uses(build)
    if uses:
        yield _table("Slots", _SLOT_COLUMNS, [_slot(use, build) for use in uses])
    if build.partitions:
        ordered = sorted(build.partitions, key=lambda one: (one.region, one.address.value))
        yield _table("Partitions", _PARTITION_COLUMNS, [_partition(one) for one in ordered])


_SLOT_COLUMNS = ("Slot", "Address", "Size", "Image", "Takes", "Fits")
_PARTITION_COLUMNS = ("Partition", "Address", "Size", "Memory")


def _slot(use: SlotUse, build: Build) -> list[str]:
    slot = use.slot
    read_from = f"{slot.name}, {shown_location(slot.address.location, build.path)}"
    return [
        join(f"{slot.title}, image {slot.image}", " ", tag("small", read_from)),
        tag("code", f"{slot.address.value:#x}"),
        size(slot.size.value),
        use.image or "not known",
        "not known" if use.size is None else f"{kib(use.size)} ({percent(use.size, use.limit)})",
        kib(max(use.limit, 0)),
    ]


def _partition(one: Partition) -> list[str]:
    return [
        one.name,
        tag("code", f"{one.address.value:#x}"),
        size(one.size.value),
        one.region,
    ]


def _table(title: str, columns: tuple[str, ...], rows: list[list[str]]) -> Markup:
    table = tag(
        "table",
        tag("caption", title),
        tag("thead", tag("tr", *(tag("th", word, scope="col") for word in columns))),
        tag("tbody", *(tag("tr", *(tag("td", cell) for cell in row)) for row in rows)),
    )
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=title)
