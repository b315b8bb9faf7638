# SPDX-License-Identifier: Apache-2.0
"""Tables of builds that can't be read, and the one test that they all pass through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from made_builds import child_image_build, write
from west_dfu_ble.builddir import load
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus

Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """How a good build is spoilt, and the error that must follow.

    `place` is the error's file below the build directory, with the line if there is one.
    """

    id: str
    spoil: Spoil
    code: str
    place: str
    message: str


def put(name: str, content: str | bytes) -> Spoil:
    """Write another content."""
    return lambda build: write(build, {name: content})


def remove(name: str) -> Spoil:
    """Remove the file."""
    return lambda build: (build / name).unlink()


def several(*spoils: Spoil) -> Spoil:
    """Do all of it."""
    return lambda build: [spoil(build) for spoil in spoils]


def assert_unreadable(build: Path, case: Case) -> None:
    """Make a build, spoil it, and see exactly the error of `case`."""
    child_image_build(build)
    load(build)
    case.spoil(build)

    with pytest.raises(DfuBleError) as caught:
        load(build)
    error = caught.value
    assert error.status is ExitStatus.UNDECIDED
    assert error.diagnostic.code == case.code
    assert error.diagnostic.location is not None
    path = error.diagnostic.location.path.relative_to(build).as_posix()
    line = error.diagnostic.location.line
    assert (path if line is None else f"{path}:{line}") == case.place
    assert error.diagnostic.message == case.message
    assert error.diagnostic.why
    assert error.diagnostic.helps
