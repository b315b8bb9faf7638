# SPDX-License-Identifier: Apache-2.0
"""What the values of options mean: text of the command line in, values out; for argparse."""

from __future__ import annotations

import argparse
from pathlib import Path

FORMATS = ("human", "concise", "json", "sarif", "junit", "github", "gitlab", "html")


def seconds(text: str) -> float:
    """Read a positive number of seconds; for argparse."""
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError
    return value


def attempts(text: str) -> int:
    """Read a number of attempts, 0 or more; for argparse."""
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def jobs(text: str) -> int:
    """Read how many may be done at once, 1 or more; for argparse."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def frame_size(text: str) -> int:
    """Read a number of bytes that at least takes an image's header (32); for argparse."""
    value = int(text)
    if not 128 <= value <= 0xFFFF:
        raise ValueError
    return value


def speed(text: str) -> float:
    """Read a factor above 0, or ``max`` (infinity); for argparse."""
    value = float("inf") if text == "max" else float(text)
    if not value > 0:
        raise ValueError
    return value


def passkey(text: str) -> int:
    """Read the six digits that a device shows; for argparse."""
    if not (text.isdecimal() and text.isascii() and len(text) <= 6):
        raise ValueError
    return int(text)


def address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, or ``PORT`` on this machine alone; for argparse."""
    host, colon, port = text.removeprefix("tcp-server:").rpartition(":")
    if not colon:
        host = "127.0.0.1"
    if not host or not 0 <= int(port) < 65536:
        raise ValueError
    return host, int(port)


def report_target(text: str) -> tuple[str, Path]:
    """Split ``FORMAT:PATH``; for argparse."""
    name, colon, path = text.partition(":")
    if not (colon and path):
        raise argparse.ArgumentTypeError(f"'{text}' is not FORMAT:PATH, for example json:out.json")
    if name not in FORMATS:
        raise argparse.ArgumentTypeError(
            f"'{name}' is no report format; there are {', '.join(FORMATS)}"
        )
    return name, Path(path)
