# SPDX-License-Identifier: Apache-2.0
"""The page to look at: what stands in it, that nothing foreign gets in, that it can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sample_report import WORKSPACE, sample_report
from west_dfu_ble import report as reports
from west_dfu_ble.builddir import Figure, FlashRegion, Partition, Role
from west_dfu_ble.diagnostics import Diagnostic, ExitStatus, Help, Location, Note, Severity
from west_dfu_ble.report.html import Page, UpdateRecord, render_page
from west_dfu_ble.report.html import __file__ as html_room
from west_dfu_ble.report.html.memory_map import memory_maps
from west_dfu_ble.report.html.scale import ticks
from west_dfu_ble.rules import CheckReport
from west_dfu_ble.update import (
    DeviceResult,
    Phase,
    PhaseDone,
    PhaseStarted,
    Remark,
    TimedEvent,
    UploadProgress,
)

HOSTILE = "</style><script>alert(1)</script>\"' onload=x <!--`<b>`\x00\udcff]]>&amp;"
HERE = Location(WORKSPACE / "build/partitions.yml", 3)


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text of each kind of element."""

    VOID = ("meta", "link", "br", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def page_of(report: CheckReport, *updates: UpdateRecord) -> str:
    return render_page(Page(report, updates), WORKSPACE)


def hostile_report() -> CheckReport:
    """A build in which every text that comes from outside attacks the page."""
    base = sample_report()
    build = base.build
    bad = Diagnostic(
        HOSTILE, HOSTILE, Severity.ERROR, HOSTILE, HOSTILE,
        Location(Path(HOSTILE), 1), (Note(HOSTILE, HERE),), (Help(HOSTILE, HOSTILE, HOSTILE),),
    )  # fmt: skip
    build = replace(
        build,
        path=build.path / HOSTILE.replace("/", "_"),
        board=HOSTILE,
        version=HOSTILE,
        zephyr_version=HOSTILE,
        images=tuple(replace(image, name=HOSTILE) for image in build.images),
        slots=tuple(replace(slot, name=HOSTILE, region=HOSTILE) for slot in build.slots),
        partitions=(Partition(HOSTILE, Figure(0, HERE), Figure(0xC000, HERE), HOSTILE),),
        flash=(FlashRegion(HOSTILE, 0, 1 << 20, 4096, 4, HERE),),
    )
    outcomes = tuple(
        replace(one, reason=HOSTILE, image=HOSTILE, diagnostic=one.diagnostic and bad)
        for one in base.outcomes
    )
    return replace(base, build=build, outcomes=outcomes)


def an_update(text: str = "x", status: ExitStatus = ExitStatus.DONE) -> UpdateRecord:
    answers = [
        TimedEvent(1 + at / 10, UploadProgress(text, at * 500, 10_000, at / 10))
        for at in range(1, 21)
    ]
    events = (
        TimedEvent(0.0, PhaseStarted(Phase.CONNECT, text)),
        TimedEvent(0.5, PhaseDone(Phase.CONNECT, text)),
        TimedEvent(1.0, PhaseStarted(Phase.UPLOAD, text)),
        *answers,
        TimedEvent(3.1, Remark(text)),
        TimedEvent(3.2, PhaseStarted(Phase.RESET, text)),
    )
    error = Diagnostic("LK407", "link-lost", Severity.ERROR, text) if status else None
    return UpdateRecord(DeviceResult(text, status, error, seconds=4.0), events, text, (text,))


def test_nothing_of_the_build_becomes_markup() -> None:
    text = page_of(hostile_report(), an_update(HOSTILE, ExitStatus.DEVICE))
    plain = page_of(sample_report(), an_update())

    kinds = {tag for tag, _ in Elements(text).found}
    assert kinds <= {tag for tag, _ in Elements(plain).found} | {"small"}
    assert not kinds & {"script", "iframe", "object", "embed", "img", "form", "b onload"}
    attributes = {name for _, attrs in Elements(text).found for name in attrs}
    assert not [name for name in attributes if name.startswith("on")]
    assert text.count("</style>") == 1
    assert "\x00" not in text
    text.encode("utf-8")
    assert "alert(1)" in " ".join(Elements(text).texts["h1"])


def test_the_page_loads_nothing() -> None:
    text = page_of(hostile_report(), an_update())
    links = [
        attrs[name]
        for _, attrs in Elements(text).found
        for name in ("src", "href", "srcset", "action", "data")
        if name in attrs
    ]
    assert links == ["data:,"]
    style = (Path(html_room).parent / "style.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|@font-face", style)
    assert style.isascii(), "in a style sheet a reference (&#183;) would be shown as it stands"
    assert "default-src &#x27;none&#x27;" in text


def test_the_same_report_makes_the_same_page() -> None:
    assert page_of(sample_report(), an_update()) == page_of(sample_report(), an_update())


def test_findings_stand_with_their_fixes() -> None:
    text = reports.render(sample_report(), "html", colour=False, cwd=WORKSPACE)
    page = Elements(text)
    classes = [attrs.get("class") or "" for _, attrs in page.found]
    assert sum(name.startswith("finding ") for name in classes) == 3
    edits = page.texts["code"]
    assert "CONFIG_IMG_MANAGER=y\nCONFIG_MCUMGR_GRP_IMG=y" in edits
    assert "build/zephyr/.config:12" in edits
    assert "boards only" in text, "a waived finding says why"
    assert "Not fit to update: " in text


def rects(svg: str, kind: str) -> list[tuple[float, float]]:
    """Top and height of the drawing's rectangles of a class."""
    pattern = rf'<rect [^>]*y="([\d.]+)" width="[\d.]+" height="([\d.]+)" class="{kind}"'
    return [(float(y), float(height)) for y, height in re.findall(pattern, svg)]


def with_flash(report: CheckReport, folder: Path, size: int) -> CheckReport:
    """The sample's memory, with an application of `size` bytes."""
    (folder / "zephyr").mkdir(parents=True)
    (folder / "zephyr/zephyr.bin").write_bytes(bytes(size))
    images = tuple(replace(image, directory=folder) for image in report.build.images
                   if image.role is Role.APPLICATION)  # fmt: skip
    flash = (FlashRegion("flash_primary", 0, 1 << 20, 4096, 4, HERE),)
    boot = Partition("mcuboot", Figure(0, HERE), Figure(0xC000, HERE), "flash_primary")
    build = replace(report.build, images=images, flash=flash, partitions=(boot,))
    return replace(report, build=build)


def test_the_memory_is_drawn_to_scale(tmp_path: Path) -> None:
    build = with_flash(sample_report(), tmp_path, 100_000).build
    drawing = str(memory_maps(build))
    ((_, whole),) = rects(drawing, "free")
    ((_, boot),) = rects(drawing, "bootloader")
    (first, second) = rects(drawing, "slot")
    scale = whole / (1 << 20)
    assert boot == pytest.approx(0xC000 * scale, abs=0.02)
    assert first[1] == second[1] == pytest.approx(0x79000 * scale, abs=0.02)
    assert second[0] - first[0] == pytest.approx((0x85000 - 0xC000) * scale, abs=0.02)
    assert [height for _, height in rects(drawing, "image")] == [
        pytest.approx((100_000 + 152) * scale, abs=0.1)
    ] * 2


def test_an_image_that_does_not_fit_is_seen(tmp_path: Path) -> None:
    build = with_flash(sample_report(), tmp_path, 0x79000).build
    drawing = str(memory_maps(build))
    assert len(rects(drawing, "image too-large")) == 2


def test_partitions_that_overlap_stand_side_by_side(tmp_path: Path) -> None:
    build = with_flash(sample_report(), tmp_path, 1000).build
    moved = replace(build.slots[1], address=Figure(0x50000, HERE))
    drawing = str(memory_maps(replace(build, slots=(build.slots[0], moved))))
    edges = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="slot"', drawing)
    (left, width), (right, _) = ((float(x), float(w)) for x, w in edges)
    assert right == left + width


def test_a_failed_update_shows_where_it_ended() -> None:
    text = page_of(sample_report(), an_update(status=ExitStatus.DEVICE))
    assert text.count('class="step failed"') == 1
    assert "reset, 3.20 s to 4.00 s" in text
    assert "5.0 kB/s on average" in text
    assert "The update did not succeed" in text


def test_round_numbers_on_the_axes() -> None:
    assert ticks(7.3, 6) == [0, 2, 4, 6]
    assert ticks(0.05, 6) == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05])
    assert ticks(0, 6) == [0]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_can_be_read(scheme: int) -> None:
    style = (Path(html_room).parent / "style.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", roots[scheme]))
    colours = {name: c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:])
               for name, c in colours.items()}  # fmt: skip
    tones = ("ink", "quiet", "accent", "error", "warning", "info", "good", "unknown")
    for tone in tones:
        for ground in ("card", "page", "code"):
            light, dark = sorted(map(luminance, (colours[tone], colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (tone, ground)


def test_several_builds_are_one_page(tmp_path: Path) -> None:
    text = reports.render(sample_report(), "html", colour=False, cwd=WORKSPACE)
    error = Diagnostic("EN003", "unreadable-kconfig", Severity.ERROR, HOSTILE)
    broken = reports.render_error(tmp_path / "cut", error, "html")
    assert broken is not None
    combined = reports.combined("html")
    combined.add(text)
    combined.add(broken)
    page = Elements(combined.text())
    assert [attrs["href"] for tag, attrs in page.found if tag == "a"] == ["#build-1", "#build-2"]
    assert [attrs["id"] for _, attrs in page.found if "id" in attrs] == ["build-1", "build-2"]
    assert len([1 for tag, _ in page.found if tag == "main"]) == 1
