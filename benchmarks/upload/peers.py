# SPDX-License-Identifier: Apache-2.0
"""Other people's parts, as the tests fetch and start them: clients, and Zephyr's servers in QEMU.

What the tests would skip for (no network, no QEMU) raises `CannotMeasure` here, with the reason.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "tests" / "peers"))

from relay import Relay  # noqa: E402  # found by the line above
from reversioned import reversioned  # noqa: E402
from source_archives import cache_folder  # noqa: E402
from zephyr_qemu import ZephyrServer, zephyr_server  # noqa: E402

__all__ = ["CannotMeasure", "Relay", "ZephyrServer", "client", "environment", "qemu", "reversioned"]

SMPCLIENT = "smpclient[bumble,serial]==7.3.0"
SMPMGR = "smpmgr==0.19.1"


class CannotMeasure(Exception):
    """A part is missing on this machine, or did not do what it should."""


@contextmanager
def _no_skips() -> Iterator[None]:
    try:
        yield
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        raise CannotMeasure(str(error)) from error


def client(requirement: str) -> str:
    """Return the interpreter of an environment with a client, which is made the first time."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    name = re.split(r"[=\[]", requirement)[0]
    folder = cache_folder() / f"benchmark-{name}-{version}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    made = folder / "made"  # written last
    if not (made.is_file() and made.read_text(encoding="utf-8") == requirement):
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().rpartition("\n")[2]
            raise CannotMeasure(f"{requirement} can't be installed: {last}")
        made.write_text(requirement, encoding="utf-8")
    return str(python)


@contextmanager
def qemu(target: str, config: str) -> Iterator[ZephyrServer]:
    """Run one of the prebuilt servers."""
    with _no_skips(), zephyr_server(target, config) as server:
        yield server


def environment() -> dict[str, str]:
    """Return an environment for a client: without our own path, which would shadow its parts."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
