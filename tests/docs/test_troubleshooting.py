# SPDX-License-Identifier: Apache-2.0
"""The messages that the troubleshooting page quotes are those that the tool has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from west_dfu_ble.faults import FAULTS

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "scripts" / "west_commands"
PAGE = REPOSITORY / "docs" / "troubleshooting.md"

# Said by others: west, and Zephyr's `scripts/zephyr_module.py`.
FOREIGN = ("west: unknown command", 'Malformed "build" section in file:')
# What stands for text that only a run knows.
GAP = "\0"


def texts(node: ast.expr) -> list[str]:
    """What an expression may say; GAP for what is not written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in product(*map(texts, node.values))]
    if isinstance(node, ast.FormattedValue):
        return texts(node.value) if isinstance(node.value, ast.IfExp) else [GAP]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return ["".join(parts) for parts in product(texts(node.left), texts(node.right))]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".format"):
        assert isinstance(node.func, ast.Attribute)
        return [re.sub(r"\{\}", GAP, text) for text in texts(node.func.value)]
    return [GAP]


def messages(node: ast.expr, module: ast.Module) -> list[str]:
    """What the message of an error may say; a name is looked up where the module fills it."""
    if isinstance(node, ast.Name):
        found = [
            one.value
            for one in ast.walk(module)
            if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == node.id
        ]
    elif isinstance(node, ast.Attribute):  # self.message: what the class's values were made with
        found = [
            one.args[0]
            for one in ast.walk(module)
            if isinstance(one, ast.Call) and ast.unparse(one.func).startswith("_") and one.args
        ]
    else:
        found = [node]
    return [text for one in found for text in texts(one) if text.replace(GAP, "")]


def templates() -> Iterator[tuple[str, str]]:
    """Code ("" for any) and text of every message that the sources have."""
    for path in SOURCES.rglob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, first = ast.unparse(node.func), node.args[0]
            if name == "stop":
                yield from (("shim", text) for text in messages(first, module))
            elif name == "unreadable" and len(node.args) > 2:
                yield from (("EN", text) for text in messages(node.args[2], module))
            elif isinstance(first, ast.Constant) and str(first.value) in FAULTS:
                yield from ((str(first.value), text) for text in messages(node.args[1], module))


TEMPLATES = sorted(set(templates()))


# The written parts of what an update says beside errors, each long enough to be told from others.
SENTENCES = sorted(
    {
        text
        for path in (SOURCES / "west_dfu_ble" / "update").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for text in texts(node)
        if len(text.replace(GAP, "")) >= 20
    }
)


def is_sentence(quote: str) -> bool:
    """Whether an update may say so, among other words."""
    return any(re.search(".+".join(map(re.escape, one.split(GAP))), quote) for one in SENTENCES)


def is_said(code: str, quote: str) -> bool:
    """Whether an error of that code may say so; a quote that ends with … needs only to begin so."""
    for one, text in TEMPLATES:
        ends = range(20, len(text)) if quote.endswith("…") else [len(text)]
        for end in ends if code.startswith(one) else ():
            pattern = ".+".join(map(re.escape, text[:end].split(GAP)))
            if re.fullmatch(pattern, quote.removesuffix("…") if len(ends) > 1 else quote):
                return True
    return False


QUOTES = [
    line
    for block in re.findall(r"^```text\n(.+?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    for line in block.splitlines()
]


@pytest.mark.parametrize("quote", QUOTES)
def test_quoted_message_is_one_that_the_tool_has(quote: str) -> None:
    found = re.fullmatch(r"error\[(\w+)\] ([a-z-]+): (.+)", quote)
    if found:
        assert FAULTS[found[1]].name == found[2]
        assert is_said(found[1], found[3])
    elif quote.startswith("west dfu-ble: "):
        assert is_said("shim", quote.removeprefix("west dfu-ble: "))
    else:
        assert quote.startswith(FOREIGN) or is_sentence(quote)


def test_a_message_that_was_made_up_is_told() -> None:
    assert is_said("LK402", "no device 'My device' was seen in 30 s")
    assert not is_said("LK402", "no device 'My device' was seen")
    assert not is_said("LK403", "no device 'My device' was seen in 30 s")
    assert not is_sentence("note     warning: this is no upgrade: app_update.bin is 1.2.0+0")


def test_every_error_of_link_and_device_has_its_place() -> None:
    quoted = set(re.findall(r"error\[(\w+)\]", "\n".join(QUOTES)))
    assert {code for code in FAULTS if code[:2] in ("LK", "DV", "EN")} - quoted == set()
