# SPDX-License-Identifier: Apache-2.0
"""Where the paths that a build recorded are on this machine.

A build directory records absolute paths of the machine that built it. It may have been moved, or
copied from another machine, alone or together with the folders around it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

_VARIABLE = re.compile(r"\$\{(\w+)\}|@(\w+)@")


def recorded_path(text: str) -> PurePath:
    """Return a recorded path in the flavour of the machine that wrote it."""
    windows = PureWindowsPath(text)
    return windows if windows.drive or "\\" in text else PurePosixPath(text)


def is_absolute(text: str) -> bool:
    """Whether `text` is an absolute path on the machine that wrote it, whichever that is."""
    return recorded_path(text).is_absolute()


@dataclass(frozen=True)
class Places:
    """Translates recorded paths: `recorded` is what the build calls its directory `here`."""

    here: Path
    recorded: PurePath | None

    def candidates(self, text: str) -> tuple[Path, ...]:
        """Return where the recorded path `text` may be here, the likeliest first.

        A path in the build directory is looked for in this build directory. Any other is looked
        for as it is, then as far from this build directory as it was from the recorded one.
        """
        recorded = recorded_path(text)
        if not recorded.is_absolute():
            return (self.here / Path(*recorded.parts),)
        as_is = Path(recorded.as_posix())  # which Windows understands, too
        if self.recorded is None or type(recorded) is not type(self.recorded):
            return (as_is,)
        if recorded.is_relative_to(self.recorded):
            return (self.here.joinpath(*recorded.relative_to(self.recorded).parts),)
        shared = sum(
            1 for _ in _while_equal(recorded.parts, self.recorded.parts)
        )  # the root alone is no common folder
        if shared <= 1:
            return (as_is,)
        up = len(self.recorded.parts) - shared
        moved = self.here.joinpath(*[".."] * up, *recorded.parts[shared:])
        return tuple(dict.fromkeys((as_is, Path(os.path.normpath(moved)))))

    def local(self, text: str) -> Path:
        """Return the first of the candidates that exists, or else the recorded path itself."""
        found = [path for path in self.candidates(text) if path_exists(path)]
        return found[0] if found else Path(recorded_path(text).as_posix())


def _while_equal(a: tuple[str, ...], b: tuple[str, ...]) -> list[str]:
    equal = []
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        equal.append(left)
    return equal


def path_exists(path: Path) -> bool:
    """Whether `path` exists; a path that can't even be asked for does not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, forbidden, a zero byte
        return False


def expand(text: str, *variables: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` and ``@NAME@`` by the first of `variables` that has it, as CMake does.

    What nobody knows stays as it is, so that it can be seen in the path that was tried.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return next((v[name] for v in variables if v.get(name)), match[0])

    return _VARIABLE.sub(value, text)
