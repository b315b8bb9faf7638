# SPDX-License-Identifier: Apache-2.0
"""The files that say the same twice say the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from west_dfu_ble import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project() -> Any:
    """The `project` table of pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_requirements_for_west_are_those_of_the_package(project: Any) -> None:
    lines = (REPOSITORY / "scripts" / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == project["dependencies"]


def test_the_changelog_begins_with_this_version() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[?([^\]\s]+)", text, re.MULTILINE)
    assert next(v for v in versions if v != "Unreleased") == __version__


def test_supported_pythons_are_named_once(project: Any) -> None:
    named = [
        int(item.rpartition(".")[2])
        for item in project["classifiers"]
        if item.startswith("Programming Language :: Python :: 3.")
    ]
    assert project["requires-python"] == f">=3.{min(named)}"
    assert named == list(range(min(named), max(named) + 1))
