# SPDX-License-Identifier: Apache-2.0
"""The table as a picture: two bars a row, and a mark for what the air can carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .figures import Result

_WIDTH, _ROW, _BAR, _TOP = 800, 56, 13, 46
_LEFT, _RIGHT = 20, 210
# Legible on white and on black; the reader's own preference decides.
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .faint { fill: #59636e }
  .ours { fill: #0969da }
  .other { fill: #9198a1 }
  .air { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .faint { fill: #9198a1 }
    .ours { fill: #58a6ff }
    .other { fill: #6e7681 }
    .air { stroke: #e6edf3 }
  }
"""


def draw(results: Sequence[Result]) -> str:
    """Return the picture (SVG) of the rows that have figures."""
    rows = [result for result in results if result.ours]
    most = max(max(_rates(row)) for row in rows)
    height = _TOP + _ROW * len(rows) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        "<title>Goodput of an upload: ours and smpclient 7.3.0, kB/s</title>",
        f"<style>{_STYLE}</style>",
        *_legend(),
    ]
    for number, row in enumerate(rows):
        parts += _row(row, _TOP + number * _ROW, (_WIDTH - _LEFT - _RIGHT) / most)
    return "\n".join([*parts, "</svg>", ""])


def _rates(row: Result) -> Iterator[float]:
    assert row.ours
    yield row.ours.rate
    if row.other:
        yield row.other.rate
    # Of the rows that the server's buffers hold back, the air's capacity is far off.
    if row.limits.share and row.capacity:
        yield row.capacity


def _legend() -> Iterator[str]:
    at = _LEFT
    for kind, text in (("ours", "west-dfu-ble"), ("other", "smpclient 7.3.0")):
        yield f'<rect class="{kind}" x="{at}" y="12" width="{_BAR}" height="{_BAR}"/>'
        yield f'<text x="{at + 20}" y="23">{text}</text>'
        at += 140
    yield f'<line class="air" x1="{at}" y1="10" x2="{at}" y2="28"/>'
    yield f'<text x="{at + 10}" y="23">what the air can carry</text>'


def _row(row: Result, top: float, scale: float) -> Iterator[str]:
    assert row.ours
    bars, end = top + 18, 0.0
    yield f'<text x="{_LEFT}" y="{top + 13}">{escape(row.title)}</text>'
    other = row.other_note or ("" if row.other else "smpclient fails")
    sides = (("ours", row.ours.rate, ""), ("other", row.other.rate if row.other else 0.0, other))
    if row.limits.share and row.capacity:
        end = _LEFT + row.capacity * scale
        yield f'<line class="air" x1="{end:.1f}" y1="{bars - 3}" x2="{end:.1f}" y2="{bars + 30}"/>'
    for number, (kind, rate, note) in enumerate(sides):
        y, width = bars + number * (_BAR + 1), rate * scale
        yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'
        text = f"{rate / 1000:.1f} kB/s" if rate else ""
        if kind == "ours" and row.ratio:
            text += f" ({row.ratio:.2f} times)"
        text = ", ".join(part for part in (text, note) if part)
        x = max(_LEFT + width, end if width > end - _LEFT - 60 else 0) + 8
        style = "" if kind == "ours" else ' class="faint"'
        yield f'<text{style} x="{x:.1f}" y="{y + 11}">{escape(text)}</text>'
