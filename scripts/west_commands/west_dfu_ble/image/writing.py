# SPDX-License-Identifier: Apache-2.0
"""Write files all or none: beside their place first, then renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..faults import fault


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write every file of `files`, or none of them.

    Raises `DfuBleError` IM313 if one can't be written; everything is then as it was.
    """
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in files}
    before: dict[Path, bytes | None] = {}
    made: list[Path] = []
    current = next(iter(files), Path())
    try:
        for current, data in files.items():
            made += [folder for folder in current.parents if not folder.exists()]
            current.parent.mkdir(parents=True, exist_ok=True)
            temporary[current].write_bytes(data)
        for current in files:
            before[current] = current.read_bytes() if current.is_file() else None
            temporary[current].replace(current)
    except OSError as error:
        _undo(before, temporary, made, failed=current)
        raise fault(
            "IM313",
            f"`{current.name}` can't be written: {error.strerror or type(error).__name__}",
            location=current,
            helps=["name a folder that can be made or written, and has room"],
        ) from None
    except BaseException:  # Ctrl-C between two files
        _undo(before, temporary, made, failed=current)
        raise


def _undo(
    before: Mapping[Path, bytes | None],
    temporary: Mapping[Path, Path],
    made: Sequence[Path],
    failed: Path,
) -> None:
    for path, data in before.items():
        with contextlib.suppress(OSError):
            if path == failed and temporary[path].exists():
                continue  # not replaced yet
            if data is None:
                path.unlink(missing_ok=True)
            else:
                temporary[path].write_bytes(data)
                temporary[path].replace(path)
    for path in temporary.values():
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    for folder in sorted(set(made), reverse=True):  # the innermost first
        with contextlib.suppress(OSError):
            folder.rmdir()
