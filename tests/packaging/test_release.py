# SPDX-License-Identifier: Apache-2.0
"""What `.ci/release` makes: archives, bill of materials, sums."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from west_dfu_ble import __version__

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt", reason="releases are made on a POSIX system"),
]

REPOSITORY = Path(__file__).resolve().parents[2]
STEM = f"west_dfu_ble-{__version__}"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder / "x")]
    if subprocess.run([*pip, "cyclonedx-bom"], capture_output=True, check=False).returncode:
        pytest.skip("no access to PyPI")
    done = subprocess.run(
        [REPOSITORY / ".ci" / "release", folder / "dist"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


def test_release_is_whole_and_its_sums_are_right(release: Path) -> None:
    made = {path.name for path in release.iterdir()}
    archives = {f"{STEM}.tar.gz", f"{STEM}-py3-none-any.whl", f"{STEM}.cdx.json"}
    assert made == {*archives, "SHA256SUMS"}
    lines = (release / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in map(str.split, lines)}
    assert sums == {
        name: hashlib.sha256((release / name).read_bytes()).hexdigest() for name in archives
    }


def test_bill_of_materials_names_all_that_is_installed(release: Path) -> None:
    bill = json.loads((release / f"{STEM}.cdx.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert "file://" not in json.dumps(bill)  # a path of the machine that made it
    parts = {part["name"].lower().replace("_", "-"): part for part in bill["components"]}
    required = {
        line.partition(">")[0].strip().lower()
        for line in (REPOSITORY / "scripts" / "requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    assert len(required) > 10
    assert {"west-dfu-ble", *required} <= set(parts)
    assert {"pip", "cyclonedx-bom", "pytest"} & set(parts) == set()
    assert parts["west-dfu-ble"]["version"] == __version__
    for name, part in parts.items():
        assert part["version"], name
        assert part["purl"].startswith("pkg:pypi/"), name
        assert part.get("licenses"), name


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    command = [REPOSITORY / ".ci" / "release", tmp_path]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
