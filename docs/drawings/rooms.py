# SPDX-License-Identifier: Apache-2.0
"""Draw the rooms of the package from its imports: ``python docs/drawings/rooms.py``.

What stands below, and every arrow, comes from the import statements; a test says when the picture
is out of date. Only the columns are chosen by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from drawing import Drawing

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "scripts" / "west_commands" / "west_dfu_ble"
MODULES = sorted(PACKAGE.rglob("*.py"))
PICTURE = REPOSITORY / "docs" / "pictures" / "rooms.svg"

# Values that every room may speak of; they know no room.
COMMON = {"__version__", "diagnostics", "faults", "mcuboot", "resources"}

_COLUMNS = {
    **{"__main__": 2, "cli": 2, "commands": 2, "report": 2, "rules": 1, "virtual": 3, "update": 4},
    **{"options": 0, "image": 2, "configuration": 1, "builddir": 2, "smp": 3, "link": 4},
}
_TEXTS = {
    "__main__": "starts the process",
    "cli": "dispatch, exit status",
    "commands": "one module an action",
    "report": "to text, JSON, a bar",
    "rules": "Build to outcomes",
    "virtual": "the virtual device",
    "update": "the state machine",
    "rehearsal": "update meets device",
    "pytest_plugin": "users' own tests",
    "options": "actions, the parser",
    "image": "MCUboot images",
    "configuration": "dfu-ble.yml",
    "builddir": "files to a Build",
    "smp": "the protocol",
    "link": "moves bytes",
}
_WIDE, _HIGH, _ACROSS, _DOWN, _MARGIN = 150, 50, 174, 94, 20


def name_of(path: Path) -> str:
    """Return the module's name inside the package: ``smp.window``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """Return the room that a module of that name lies in."""
    return module.partition(".")[0]


_NAMES = {name_of(path) for path in MODULES}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every module of ours that a module imports anywhere (name in the package, line)."""
    own = name_of(path).split(".") if name_of(path) else []
    package = own if path.name == "__init__.py" else own[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            base += [node.module] if node.module else []
            for alias in node.names:
                # What is no module is a name that the module before it offers.
                name = ".".join([*base, alias.name])
                is_module = name in _NAMES or not node.module
                yield name if is_module else ".".join(base), node.lineno
        elif isinstance(node, ast.ImportFrom | ast.Import):
            whole = [alias.name for alias in node.names]
            for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else whole:
                if name.partition(".")[0] == "west_dfu_ble":
                    yield name.partition(".")[2], node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            # import_module(f".commands.{module}", __package__): the words before the first brace
            words = [part for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
            if words and len(name := str(words[0].value).strip(".")) > 0:
                yield ".".join([*package, name]), node.lineno


def arrows() -> dict[str, set[str]]:
    """Return room -> the rooms that its modules import."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        room = room_of(name_of(path))
        if room and room not in COMMON:
            others = {room_of(name) for name, _ in imports(path)} - COMMON - {room, ""}
            found.setdefault(room, set()).update(others)
    return found


def reached(room: str, known: Mapping[str, set[str]]) -> set[str]:
    """Return the rooms that `room` knows, itself or through others."""
    return {other for one in known[room] for other in {one} | reached(one, known)}


def direct(known: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows that do not follow from others."""
    return {
        room: {one for one in ones if not any(one in reached(o, known) for o in ones - {one})}
        for room, ones in known.items()
    }


def draw() -> str:
    """Return the picture as SVG: a room stands above all that it knows."""
    known = arrows()
    depth = {room: _depth(room, known) for room in known}
    bottom = max(depth.values())
    words = "; ".join(f"{room} imports {', '.join(sorted(known[room]))}" for room in sorted(known))
    drawing = Drawing(2 * _MARGIN + 4 * _ACROSS + _WIDE, "The rooms and who imports whom", words)
    places = {}
    for room in sorted(known):
        column = _COLUMNS.get(room, 4)
        places[room] = (_MARGIN + column * _ACROSS, _MARGIN + (bottom - depth[room]) * _DOWN)
    for room, ones in sorted(direct(known).items()):
        for one in sorted(ones):
            _draw_arrow(drawing, places[room], places[one])
    for room, (x, y) in places.items():
        drawing.box(x, y, _WIDE, _HIGH, "new" if (PACKAGE / room).is_dir() else "old")
        drawing.text(x + _WIDE / 2, y + 21, room, "middle code bold")
        drawing.text(x + _WIDE / 2, y + 39, _TEXTS[room], "middle small")
    return drawing.render(2 * _MARGIN + bottom * _DOWN + _HIGH)


def _depth(room: str, known: Mapping[str, set[str]]) -> int:
    return max((_depth(one, known) + 1 for one in known[room]), default=0)


def _draw_arrow(drawing: Drawing, start: tuple[float, float], end: tuple[float, float]) -> None:
    x, y = start[0] + _WIDE / 2, start[1] + _HIGH
    to_x, to_y = end[0] + _WIDE / 2, end[1] - 3
    if abs(to_x - x) > _ACROSS and to_y - y > _DOWN:
        # Past the rows between: out of the side, then down.
        x, y = start[0] + (_WIDE if to_x > x else 0), start[1] + _HIGH / 2
        drawing.arrow(f"M{x:g} {y:g} C{to_x:g} {y:g} {to_x:g} {y:g} {to_x:g} {to_y:g}")
        return
    bend = (to_y - y) * 0.7
    drawing.arrow(f"M{x:g} {y:g} C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}")


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8", newline="\n")
