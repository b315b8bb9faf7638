# SPDX-License-Identifier: Apache-2.0
"""Source distributions of published packages, for what stands in them: schemas, real firmware.

Each is fetched once with pip into this user's cache folder, outside the repository, checked against
its SHA-256, and unpacked there. Where that can't be done (offline, no pip) the test is skipped
with the reason.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Return the folder for downloads; `WEST_DFU_BLE_PEERS` names another one."""
    named = os.environ.get("WEST_DFU_BLE_PEERS")
    cache = Path(named) if named else user_cache_path("west-dfu-ble-peers", appauthor=False)
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def source_archive(name: str, version: str, sha256: str) -> Path:
    """Return the unpacked folder of a source distribution, or skip the test.

    `name` is as the archive has it (``sarif_pydantic``), whose top folder is ``name-version``.
    """
    cache = cache_folder()
    folder = cache / f"{name}-{version}"
    with FileLock(cache / f"{name}.lock", timeout=300):
        if not folder.is_dir():
            archive = cache / f"{name}-{version}.tar.gz"
            if not archive.is_file():
                _download(name, version, archive)
            _check(archive, sha256)
            _unpack(archive, folder)
    return folder


def pip(what: str, *arguments: str) -> None:
    """Run pip, or skip the test: `what` can't be had."""
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "20"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{what} can't be downloaded: {error}")
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
        pytest.skip(f"{what} can't be downloaded: {last}")


def _download(name: str, version: str, archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        pinned = f"{name}=={version}"
        pip(f"{name} {version}", "download", "--no-binary", name, "--dest", scratch, pinned)
        (Path(scratch) / archive.name).replace(archive)


def _check(archive: Path, sha256: str) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != sha256:
        archive.unlink()
        pytest.fail(f"{archive.name} has SHA-256 {digest}, not {sha256}")


def _unpack(archive: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(scratch, filter="data")
        else:  # a Python 3.10 or 3.11 older than the filters; the archive's hash is pinned
            tar.extractall(scratch)
        (Path(scratch) / folder.name).replace(folder)
