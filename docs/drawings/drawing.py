# SPDX-License-Identifier: Apache-2.0
"""SVG that is legible by day and by night, and says in words what it shows.

Every picture has a ground of its own, so that it does not depend on the page that it stands on, and
takes its colours from what the reader's system prefers. Fonts are the system's.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

_STYLE = """\
:root { --ground: #ffffff; --line: #d0d7de; --ink: #1f2328; --soft: #57606a;
  --old: #eaeef2; --new: #cfe5ff; --new-line: #0b5cad; --warn: #fff1c7; --warn-line: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181d; --line: #3d444d; --ink: #e6edf3; --soft: #a2abb5;
    --old: #2a3038; --new: #173a63; --new-line: #7cb8ff; --warn: #4a3a10; --warn-line: #e3b341; }
}
text { font-family: system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-size: 15px; fill: var(--ink); }
.small { font-size: 13px; fill: var(--soft); }
.bold { font-weight: 600; }
.code { font-family: ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace;
  font-size: 13px; }
.middle { text-anchor: middle; }
.ground { fill: var(--ground); stroke: var(--line); }
.old { fill: var(--old); stroke: var(--soft); }
.new { fill: var(--new); stroke: var(--new-line); }
.warn { fill: var(--warn); stroke: var(--warn-line); }
.free { fill: none; stroke: var(--soft); stroke-dasharray: 5 4; }
.runs { stroke-width: 2.5; }
.arrow { fill: none; stroke: var(--soft); stroke-width: 1.6; marker-end: url(#head); }
.head { fill: var(--soft); }
.run-mark { fill: var(--new-line); }
"""


class Drawing:
    """A picture of `width` pixels; `title` and `description` are what a screen reader says."""

    def __init__(self, width: int, title: str, description: str) -> None:
        """Begin an empty picture."""
        self.width = width
        self._title, self._description = title, description
        self._parts: list[str] = []

    def text(self, x: float, y: float, text: str, style: str = "") -> None:
        """Write `text` with its baseline at `y`; `style` is a list of classes."""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" class="{style}">{escape(text)}</text>')

    def box(self, x: float, y: float, width: float, height: float, style: str) -> None:
        """Draw a rectangle with round corners."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'class="{style}"/>'
        )

    def arrow(self, path: str) -> None:
        """Draw an arrow along an SVG path."""
        self._parts.append(f'<path d="{path}" class="arrow"/>')

    def triangle(self, x: float, y: float) -> None:
        """Mark what runs: a triangle whose left edge is at `x`, its middle at `y`."""
        self._parts.append(f'<path d="M{x:g} {y - 6:g} l11 6 l-11 6 z" class="run-mark"/>')

    def render(self, height: float) -> str:
        """Return the picture as SVG."""
        size = f"{self.width} {height:g}"
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
                f'width="{self.width}" height="{height:g}" role="img" '
                'aria-labelledby="title description">',
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="description">{escape(self._description)}</desc>',
                f"<style>\n{_STYLE}</style>",
                '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
                'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="head"/>'
                "</marker></defs>",
                f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{height - 1:g}" '
                'rx="10" class="ground"/>',
                *self._parts,
                "</svg>\n",
            ]
        )
