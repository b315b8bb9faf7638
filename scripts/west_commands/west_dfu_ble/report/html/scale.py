# SPDX-License-Identifier: Apache-2.0
"""Axes: round numbers to label, and where they stand. Labels are text: they never shrink."""

from __future__ import annotations

import math

from .markup import Markup, tag


def ticks(highest: float, most: int) -> list[float]:
    """Return 0 and round steps up to `highest`, at most `most` of them."""
    if not highest > 0:
        return [0.0]
    rough = highest / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    return [number * step for number in range(math.floor(highest / step * 1.001) + 1)]


def ceiling(highest: float, most: int) -> float:
    """Return the first round step that is not below `highest`."""
    marks = ticks(highest, most)
    step = marks[1] if len(marks) > 1 else highest or 1.0
    return math.ceil(highest / step * 0.999) * step


def axis(highest: float, unit: str, most: int = 6) -> Markup:
    """Return the labels below a drawing whose whole width is `highest`."""
    marks = ticks(highest, most)
    labels = [
        # Past the right end there is no room for a label.
        tag("span", f"{mark:.6g}{unit}", style=f"left:{100 * mark / highest:.2f}%")
        for mark in marks
        if highest and mark <= highest * 0.97
    ]
    return tag("div", *labels, class_="axis", aria_hidden="true")


def seconds(value: float) -> str:
    """Return a time as people read it: ``0.42 s``, ``12.3 s``, ``3 min 5 s``."""
    if value >= 60:
        whole = round(value)
        return f"{whole // 60} min {whole % 60} s"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
