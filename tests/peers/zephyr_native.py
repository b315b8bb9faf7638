# SPDX-License-Identifier: Apache-2.0
"""Zephyr's SMP servers as programs of this machine (native_sim): over UDP, or on a terminal.

They are 32-bit Linux programs with the groups os, stat, settings, fs, shell and no images.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from zephyr_qemu import archive_folder, artifact_of

# The servers listen there, whatever they are told (`CONFIG_MCUMGR_TRANSPORT_UDP_PORT`).
_UDP_PORT = 1337
_TERMINAL = "uart connected to pseudotty: "
_ONE_AT_A_TIME = Path(tempfile.gettempdir()) / "west-dfu-ble-native-sim.lock"


@contextmanager
def zephyr_native(config: str) -> Iterator[str]:
    """Run a server and give what the command line calls the link to it.

    Skips the test, with the reason, where there is no archive or the program cannot run.
    """
    if sys.platform != "linux":
        pytest.skip("native_sim programs run on Linux alone")
    program = archive_folder() / artifact_of("native_sim", config)["artifact"]
    with FileLock(_ONE_AT_A_TIME, timeout=100), tempfile.TemporaryDirectory() as folder:
        try:
            process = subprocess.Popen(
                [program], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        except OSError as error:
            pytest.skip(f"32-bit programs do not run here (Debian: libc6-i386): {error}")
        try:
            yield _link(config, process)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _link(config: str, process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    if config.startswith("udp"):
        return f"udp:[::1]:{_UDP_PORT}" if config == "udp6" else f"udp:127.0.0.1:{_UDP_PORT}"
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(_TERMINAL):
            # Whatever it says later must not fill the pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return "serial:" + line.removeprefix(_TERMINAL).strip()
    pytest.fail(f"the server ended: {''.join(said)}")
