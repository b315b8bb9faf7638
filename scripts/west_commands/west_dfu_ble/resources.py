# SPDX-License-Identifier: Apache-2.0
"""Files that come with the project but are no code of its own: schemas, hooks of shells."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def schema_path(name: str) -> Path:
    """Return the path of ``schemas/<name>``: inside an installed package, else in the checkout."""
    packaged = _HERE / "schemas" / name
    return packaged if packaged.exists() else _HERE.parents[2] / "schemas" / name


def completion_hook(shell: str) -> str:
    """Return the script that hands `west dfu-ble` to the completion of `dfu-ble` in a shell."""
    return (_HERE / "completion" / f"west.{shell}").read_text(encoding="utf-8")
