# SPDX-License-Identifier: Apache-2.0
"""Does in the virtual machine what the tests outside ask for, one JSON object a line.

``{"id": 1, "do": "run", "with": {"argv": […], "seconds": 60}}`` is answered with
``{"id": 1, "status": 0, "out": "…", "err": "…"}`` when the program has ended, status `null` if it
did not end in time; ``plug`` and ``unplug`` of the Bluetooth adapter with ``{"id": 2}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from bridge import Bridge, write_all  # type: ignore[import-not-found] # beside it in the machine

_PORTS = Path("/sys/class/virtio-ports")
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONPATH": "/site",
}


def open_port(name: str) -> int:
    """Open the serial port that the host calls `name`."""
    for _ in range(100):
        for port in _PORTS.glob("*"):
            if (port / "name").read_text().strip() == name:
                return os.open(f"/dev/{port.name}", os.O_RDWR)
        time.sleep(0.1)
    raise FileNotFoundError(f"there is no port {name}")


class Agent:
    """Serves the control port; programs run side by side."""

    def __init__(self) -> None:
        """Open both ports."""
        self._bridge = Bridge(open_port("hci"))
        self._port = open_port("control")
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Serve for as long as there is somebody at the other end."""
        self._reply({"id": 0})
        rest = b""
        while data := os.read(self._port, 65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                threading.Thread(target=self._do, args=(json.loads(line),), daemon=True).start()

    def _do(self, order: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": order["id"]}
        does = {"run": run, "plug": self._bridge.plug, "unplug": self._bridge.unplug}
        try:
            answer |= does[order["do"]](**order.get("with", {})) or {}
        except Exception:
            answer["failure"] = traceback.format_exc()
        self._reply(answer)

    def _reply(self, answer: dict[str, Any]) -> None:
        with self._lock:
            write_all(self._port, json.dumps(answer).encode() + b"\n")


def run(argv: list[str], seconds: float, env: dict[str, str]) -> dict[str, Any]:
    """Run a program to its end, with `env` on top of the usual environment."""
    try:
        done = subprocess.run(
            argv,
            env={**_ENVIRONMENT, **env},
            cwd="/tmp",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return {"status": None, "out": text(late.stdout), "err": text(late.stderr)}
    return {"status": done.returncode, "out": text(done.stdout), "err": text(done.stderr)}


def text(data: bytes | None) -> str:
    """Return what a program wrote."""
    return (data or b"").decode(errors="replace")


if __name__ == "__main__":
    Agent().serve()
