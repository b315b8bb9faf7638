# SPDX-License-Identifier: Apache-2.0
"""HTML and SVG from small functions: what is no markup is escaped, wherever it comes from."""

from __future__ import annotations

import html
import re

from ..words import clean

# Elements that have no end tag (HTML, 13.1.2).
_VOID = {"meta", "link", "br", "wbr"}


class Markup(str):
    """Text that is HTML already; only `tag` and `join` make it, of what they escaped."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return plain text as HTML; what HTML can't hold (control characters) shows as U+FFFD."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(clean(text, instead="\ufffd"), quote=True))


def join(*parts: str, between: str = "") -> Markup:
    """Return the parts behind each other, plain ones escaped."""
    return Markup(escape(between).join(escape(part) for part in parts))


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """Return an element; an attribute's ``_`` is written as ``-``, a last one is left out.

    Attributes that are `None` are left out, so that ``open_=None`` is no attribute at all.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{name}{written}>"
    return Markup(start if name in _VOID else f"{start}{join(*children)}</{name}>")


def prose(text: str) -> Markup:
    """Return a text of a rule's: `quoted` words as code, blank lines as paragraphs."""
    return join(*(tag("p", inline(part)) for part in text.strip().split("\n\n") if part))


def inline(text: str) -> Markup:
    """Return a text of a rule's within a line: `quoted` words as code."""
    pieces = re.split(r"`([^`\n]+)`", text)
    return join(*(tag("code", piece) if at % 2 else piece for at, piece in enumerate(pieces)))


def _number(value: str | float) -> str:
    # Two decimals are finer than any screen, and the page is the same on every machine.
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
