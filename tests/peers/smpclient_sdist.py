# SPDX-License-Identifier: Apache-2.0
"""The source distribution of smpclient 7.3.0: real signed firmware and real SMP servers.

It is fetched once with pip into this user's cache folder, outside the repository, checked against
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

VERSION = "7.3.0"
SHA256 = "86aa4bc1c621805d97f449793a4077f049aa88a98a1e916bf59423d072bd2a3b"
_ARCHIVE = f"smpclient-{VERSION}.tar.gz"


def smpclient_sdist() -> Path:
    """Return the unpacked folder (`examples/`, `tests/fixtures/` …), or skip the test.

    `WEST_DFU_BLE_PEERS` names another folder to keep downloads in.
    """
    named = os.environ.get("WEST_DFU_BLE_PEERS")
    cache = Path(named) if named else user_cache_path("west-dfu-ble-peers", appauthor=False)
    folder = cache / f"smpclient-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "smpclient.lock", timeout=300):
        if not folder.is_dir():
            archive = cache / _ARCHIVE
            if not archive.is_file():
                _download(archive)
            _check(archive)
            _unpack(archive, folder)
    return folder


def _download(archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "20"]
        command += ["--no-binary", "smpclient", "--dest", scratch, f"smpclient=={VERSION}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"smpclient {VERSION} can't be downloaded: {error}")
        if done.returncode:
            last = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
            pytest.skip(f"smpclient {VERSION} can't be downloaded: {last}")
        (Path(scratch) / _ARCHIVE).replace(archive)


def _check(archive: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        archive.unlink()
        pytest.fail(f"{_ARCHIVE} has SHA-256 {digest}, not {SHA256}")


def _unpack(archive: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(scratch, filter="data")
        else:  # a Python 3.10 or 3.11 older than the filters; the archive's hash is pinned
            tar.extractall(scratch)
        (Path(scratch) / folder.name).replace(folder)
