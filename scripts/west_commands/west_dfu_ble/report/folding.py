# SPDX-License-Identifier: Apache-2.0
"""Long lines for a terminal: broken between words, what follows below the words and not the label.

What is there to be copied, a path or the lines of an edit, is left to the terminal, which breaks
it anywhere and still copies it as one.
"""

from __future__ import annotations

import re

# Below this there is no room for words beside a label.
_LEAST = 30
_CODES = re.compile(r"\x1b\[[\d;]*m")
# A label of a diagnostic or of a step, and the place where its text begins.
_LABEL = re.compile(r" +(?:=|\*|-) \w*:? +|\w+ {2,}|\w{8} (?=\S)")
_COPIED = re.compile(r" {13}| +--> ")
_CONTINUED = 2


def fold(text: str, width: int | None) -> str:
    """Return the text in lines of at most `width` columns; `None` for no limit."""
    if width is None or width < _LEAST:
        return text
    return "\n".join(_fold_line(line, width) for line in text.split("\n"))


def _fold_line(line: str, width: int) -> str:
    plain = _CODES.sub("", line)
    if len(plain) <= width or _COPIED.match(plain):
        return line
    label = _LABEL.match(plain)
    indent = len(plain) - len(plain.lstrip(" "))
    hanging = label.end() if label and label.end() < width // 2 else indent or _CONTINUED
    lines, used = [""], 0
    for number, word in enumerate(re.split(r"( +)", line)):
        size = len(_CODES.sub("", word))
        is_space = number % 2 == 1
        if used + size > width and used > hanging and not is_space:
            lines[-1] = lines[-1].rstrip(" ")
            lines.append(" " * hanging)
            used = hanging
        lines[-1] += word
        used += size
    return "\n".join(lines)
