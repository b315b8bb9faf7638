# SPDX-License-Identifier: Apache-2.0
"""Read what Kconfig itself noted of each symbol's origin: `zephyr/.config-trace.json`.

Zephyr 4.3 and later writes it beside `.config` (`scripts/kconfig/kconfig.py`): a list with an entry
for each symbol, ``[name, visibility, type, value, kind, place]``, where `kind` is ``assign``,
``default``, ``select``, ``imply`` or ``unset`` and `place` a file and line, or the expressions that
select it. The same exists as a pickle, which is never read: that would run what is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..diagnostics import DfuBleError, Location
from .places import Places, path_exists, recorded_path
from .textfile import read_text

# A real one has about 12,000 symbols and 1.5 MB.
_LIMIT = 16_000_000


class Decision(Enum):
    """What gave a symbol its value."""

    ASSIGNED = "assign"
    DEFAULT = "default"
    SELECTED = "select"


_KINDS = {
    "assign": Decision.ASSIGNED,
    "default": Decision.DEFAULT,
    "unset": Decision.DEFAULT,
    "select": Decision.SELECTED,
    "imply": Decision.SELECTED,
}


@dataclass(frozen=True)
class Traced:
    """One symbol of the trace; `location` is on this machine as far as it can be."""

    decision: Decision
    location: Location | None = None
    expressions: tuple[str, ...] = ()


class Trace:
    """The entries of a trace; each is looked at when somebody asks for it."""

    def __init__(self, entries: Mapping[str, tuple[object, object]], places: Places) -> None:
        """Take `entries`: name -> (kind, place) as they were read."""
        self._entries = entries
        self._places = places

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, symbol: str) -> Traced | None:
        """Return what is noted of `symbol`; `None` for nothing, or in an unknown form."""
        entry = self._entries.get(symbol)
        return None if entry is None else _traced(*entry, self._places)


def read_trace(folder: Path, places: Places) -> Trace:
    """Read the trace in `folder`; it is empty if there is none to be read.

    An entry of another form than is known is left out, as is the whole of a damaged file: the
    trace only adds to what the configuration files say.
    """
    path = folder / ".config-trace.json"
    if not path_exists(path):
        return Trace({}, places)
    try:
        entries = json.loads(read_text(path, "EN006", limit=_LIMIT))
    except (DfuBleError, ValueError, RecursionError):
        return Trace({}, places)
    found = {
        entry[0]: (entry[4], entry[5])
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, list) and len(entry) == 6 and isinstance(entry[0], str)
    }
    return Trace(found, places)


def _traced(kind: object, place: object, places: Places) -> Traced | None:
    decision = _KINDS.get(kind) if isinstance(kind, str) else None
    if decision is None:
        return None
    if decision is Decision.SELECTED:
        items = place if isinstance(place, list) else []
        return Traced(decision, None, tuple(item for item in items if isinstance(item, str)))
    match place:
        case [str(file), int(line)] if recorded_path(file).name != ".config":
            return Traced(decision, Location(places.local(file), line))
    # An assignment read back from `.config` itself, as after a change in Kconfig files alone.
    return None if decision is Decision.ASSIGNED else Traced(decision)
