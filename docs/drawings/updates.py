# SPDX-License-Identifier: Apache-2.0
"""Draw what an update does to a device's slots: ``python docs/drawings/updates.py``.

The steps are those of `docs/update.md`; what happens to the slots in each mode is MCUboot's design
document (`docs/design.md` there).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from drawing import Drawing

PICTURES = Path(__file__).resolve().parent.parent / "pictures"
_WIDTH, _ROW, _TOP = 620, 78, 64
_LEFT, _RIGHT, _CELL, _HEIGHT = 280, 454, 144, 46


@dataclass(frozen=True)
class Slot:
    """What is in a slot: the `kind` of image (a style of `drawing`), in words, and if it runs."""

    kind: str
    text: str
    more: str = ""
    runs: bool = False


@dataclass(frozen=True)
class Step:
    """A moment of the update: both slots; `exchanged` if they were swapped to come here."""

    name: str
    text: str
    first: Slot
    second: Slot
    exchanged: bool = False


@dataclass(frozen=True)
class Story:
    """An update from its beginning to its end."""

    title: str
    slots: tuple[str, str]
    steps: tuple[Step, ...]

    def description(self) -> str:
        """Return the picture in words."""
        return " ".join(
            f"{step.name}: {step.text}; {self.slots[0]}: {_words(step.first)}, "
            f"{self.slots[1]}: {_words(step.second)}."
            for step in self.steps
        )


def _words(slot: Slot) -> str:
    return slot.text + (f" {slot.more}" if slot.more else "") + (", runs" if slot.runs else "")


_FREE = Slot("free", "free")


def _old(*, runs: bool = False, more: str = "") -> Slot:
    return Slot("old", "1.1.0", more, runs)


def _new(*, runs: bool = False, more: str = "") -> Slot:
    return Slot("new", "1.2.0", more, runs)


def _trial() -> Slot:
    return Slot("warn", "1.2.0", "on trial", runs=True)


_SWAPPED = Step("Reset", "MCUboot exchanges the slots", _trial(), _old(), exchanged=True)

STORIES = {
    "swap": Story(
        "An update with swap",
        ("primary", "secondary"),
        (
            Step("Before", "the old image runs", _old(runs=True), _FREE),
            Step("Upload", "to the secondary slot", _old(runs=True), _new()),
            Step("Test", "marked to run once", _old(runs=True), _new(more="pending")),
            _SWAPPED,
            Step("Verify", "it reports the hash that was built", _trial(), _old()),
            Step("Confirm", "the new image stays", _new(runs=True), _old()),
        ),
    ),
    "revert": Story(
        "A revert with swap",
        ("primary", "secondary"),
        (
            _SWAPPED,
            Step(
                "Trouble", "crash, watchdog, power cut", Slot("warn", "1.2.0", "on trial"), _old()
            ),
            Step("Reset", "exchanged back", _old(runs=True), _new(), exchanged=True),
            Step("After", "reported as a revert: DV506", _old(runs=True), _new()),
        ),
    ),
    "direct-xip": Story(
        "An update with direct-xip",
        ("slot 0", "slot 1"),
        (
            Step("Before", "the old image runs in slot 0", _old(runs=True), _FREE),
            Step("Upload", "the variant linked for slot 1", _old(runs=True), _new()),
            Step("Reset", "the higher version runs", _old(), _new(runs=True)),
            Step("Verify", "it reports the hash that was built", _old(), _new(runs=True)),
            Step(
                "Next time",
                "1.3.0, linked for slot 0",
                Slot("new", "1.3.0", runs=True),
                Slot("old", "1.2.0"),
            ),
        ),
    ),
    "direct-xip-revert": Story(
        "A revert with direct-xip",
        ("slot 0", "slot 1"),
        (
            Step("Reset", "the new image is tried", _old(), _trial()),
            Step("Trouble", "a reset before it was confirmed", _old(), Slot("warn", "1.2.0")),
            Step("After", "MCUboot erased it: DV506", _old(runs=True), _FREE),
        ),
    ),
}


def draw(story: Story) -> str:
    """Return the story as SVG: time runs downwards."""
    drawing = Drawing(_WIDTH, story.title, story.description())
    drawing.text(20, 36, story.title, "bold")
    for x, name in zip((_LEFT, _RIGHT), story.slots, strict=True):
        drawing.text(x + _CELL / 2, 36, name, "middle small")
    for number, step in enumerate(story.steps):
        y = _TOP + number * _ROW
        drawing.text(20, y + 20, step.name, "bold")
        drawing.text(20, y + 39, step.text, "small")
        for x, slot in ((_LEFT, step.first), (_RIGHT, step.second)):
            _draw_slot(drawing, x, y, slot)
        if step.exchanged and number:
            _draw_exchange(drawing, y)
    return drawing.render(_TOP + len(story.steps) * _ROW - 12)


def _draw_slot(drawing: Drawing, x: float, y: float, slot: Slot) -> None:
    drawing.box(x, y, _CELL, _HEIGHT, slot.kind + (" runs" if slot.runs else ""))
    if slot.runs:
        drawing.triangle(x + 10, y + _HEIGHT / 2)
    middle = x + _CELL / 2
    more = ", ".join(filter(None, ("runs" if slot.runs else "", slot.more)))
    if not more:
        style = "middle small" if slot.kind == "free" else "middle"
        drawing.text(middle, y + 28, slot.text, style)
        return
    drawing.text(middle, y + 20, slot.text, "middle")
    drawing.text(middle, y + 37, more, "middle small")


def _draw_exchange(drawing: Drawing, y: float) -> None:
    top, bottom = y - (_ROW - _HEIGHT) + 4, y - 5
    left, right = _LEFT + _CELL / 2, _RIGHT + _CELL / 2
    drawing.arrow(f"M{left + 40:g} {top:g} L{right - 30:g} {bottom:g}")
    drawing.arrow(f"M{right - 40:g} {top:g} L{left + 30:g} {bottom:g}")


def draw_path() -> str:
    """Return the parts that an update passes through, as SVG."""
    parts = (
        ("west build", "image, key, partitions", "old"),
        ("dfu-ble", "checks, signs, uploads, verifies", "new"),
        ("SMP server in the application", "writes the free slot", "old"),
        ("MCUboot", "decides at the reset what runs", "old"),
    )
    between = ("the build directory", "Bluetooth LE: requests, answers", "flash: the slots")
    words = "; ".join(f"{name}: {text}" for name, text, _ in parts)
    drawing = Drawing(_WIDTH, "The parts of an update, one below the other", words)
    for number, (name, text, style) in enumerate(parts):
        y = 20 + number * 92
        drawing.box(40, y, 430, 52, style)
        drawing.text(255, y + 22, name, "middle bold")
        drawing.text(255, y + 41, text, "middle small")
        if number < len(between):
            drawing.arrow(f"M255 {y + 56} V{y + 88}")
            drawing.text(269, y + 76, between[number], "small")
    # The proof: what runs is told back to the tool.
    drawing.arrow("M470 322 C536 300 536 150 474 138")
    drawing.text(528, 226, "the hash of", "small")
    drawing.text(528, 243, "what runs", "small")
    return drawing.render(len(parts) * 92 + 4)


def pictures() -> dict[str, str]:
    """Return file name -> SVG."""
    drawn = {f"{name}.svg": draw(story) for name, story in STORIES.items()}
    return {"update-path.svg": draw_path(), **drawn}


def main() -> None:
    """Write the pictures."""
    for name, svg in pictures().items():
        (PICTURES / name).write_text(svg, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{len(pictures())} pictures in {PICTURES}\n")


if __name__ == "__main__":
    main()
