# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can watch: sizes, who may print, which room knows which."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import rooms
from rooms import COMMON, MODULES, PACKAGE, REPOSITORY, imports, name_of, room_of

# Which rooms each room may know: the drawing of CONTRIBUTING.md, from left to right.
ARROWS: dict[str, set[str]] = {
    "builddir": set(),
    "smp": set(),
    "link": set(),
    "image": {"builddir"},
    "virtual": {"builddir", "image", "smp", "link"},
    "update": {"builddir", "image", "smp", "link"},
    "rehearsal": {"builddir", "image", "link", "update", "virtual"},
    "pytest_plugin": {"builddir", "rehearsal", "report", "virtual"},
    "configuration": set(),
    "rules": {"builddir", "image", "configuration"},
    "report": {"builddir", "rules", "update", "rehearsal"},
    "options": set(),
    "commands": {
        *("builddir", "image", "rules", "report", "link", "update", "virtual", "configuration"),
        *("options", "rehearsal", "smp"),
    },
    "cli": {"commands", "options", "report"},
    "__main__": {"cli"},
}


def test_the_drawing_of_the_rooms_is_up_to_date() -> None:
    """`python docs/drawings/rooms.py` draws it."""
    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.draw()


def test_every_module_has_its_room() -> None:
    found = {room_of(name_of(path)) for path in MODULES} - {""}
    assert found - COMMON == set(ARROWS)


def test_arrows_between_rooms_point_one_way() -> None:
    wrong = []
    for path in MODULES:
        room = room_of(name_of(path))
        allowed = COMMON | {room} | ARROWS.get(room, set())
        wrong += [
            f"{path.relative_to(REPOSITORY)}:{line} imports {name}"
            for name, line in imports(path)
            if room_of(name) not in allowed
        ]
    assert wrong == []


def test_the_rooms_have_no_circle() -> None:
    left = dict(ARROWS)
    while left:
        free = [room for room, known in left.items() if not known & set(left)]
        assert free, f"these know each other in a circle: {sorted(left)}"
        for room in free:
            del left[room]


def test_no_modules_know_each_other() -> None:
    """Not in a circle either, nor by an import inside a function or for the types alone."""
    known = {
        name_of(path): {name for name, _ in imports(path)} - {name_of(path)} for path in MODULES
    }
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_the_command_line_prints_and_exits() -> None:
    wrong = []
    for path in MODULES:
        if room_of(name_of(path)) in ("cli", "__main__", "report"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                word = ast.unparse(node.func)
                found = word in ("print", "exit", "quit", "sys.exit", "os._exit", "os.abort")
            elif isinstance(node, ast.Raise) and node.exc:
                word = ast.unparse(node.exc)
                found = word.startswith("SystemExit")
            else:
                continue
            if found:
                wrong.append(f"{path.relative_to(REPOSITORY)}:{node.lineno} {word}")
    assert wrong == []


# What a program made, what others read word for word, and what has no comments.
_WITHOUT_LICENCE = {".json", ".md", ".pem", ".png", ".svg", ".txt", ".typed"}
_MADE = ("build-", "parts", "child_image", "data")


def sources() -> list[Path]:
    """Every file that people write and that can carry a comment."""
    found = [REPOSITORY / name for name in ("pyproject.toml", "west-commands.yml")]
    found += [path for path in (REPOSITORY / ".ci").iterdir() if path.is_file()]
    found.append(REPOSITORY / "scripts" / "requirements.txt")
    for folder in ("benchmarks", "docs", "samples", "schemas", "scripts", "tests", "zephyr"):
        for path in (REPOSITORY / folder).rglob("[!.]*.*"):
            folders = path.relative_to(REPOSITORY).parts[:-1]
            made = any(part.startswith((*_MADE, "__", ".")) for part in folders)
            if path.is_file() and path.suffix not in _WITHOUT_LICENCE and not made:
                found.append(path)
    return sorted(found)


def test_first_line_names_the_licence() -> None:
    wrong = []
    for path in sources():
        lines = [*path.read_text(encoding="utf-8").splitlines()[:2], "", ""]
        first = lines[1] if lines[0].startswith("#!") else lines[0]
        if not re.fullmatch(r"(# |// |/\* )SPDX-License-Identifier: Apache-2\.0( \*/)?", first):
            wrong.append(str(path.relative_to(REPOSITORY)))
    assert wrong == []


def test_no_module_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(REPOSITORY)): lines
        for path in [*MODULES, *(REPOSITORY / "tests").rglob("*.py")]
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_a_rooms_door_says_what_it_offers() -> None:
    wrong = []
    for path in PACKAGE.rglob("__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        offered = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names
        }
        listed: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                listed = set(ast.literal_eval(node.value))
        if not ast.get_docstring(tree) or not offered <= listed:
            wrong.append(f"{path.relative_to(REPOSITORY)}: {sorted(offered - listed)}")
    assert wrong == []
