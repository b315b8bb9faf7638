# SPDX-License-Identifier: Apache-2.0
"""What the values of options mean: text of the command line in, values out; for argparse."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

FORMATS = ("human", "concise", "json", "sarif", "junit", "github", "gitlab", "html")


_Error = argparse.ArgumentTypeError


def seconds(text: str) -> float:
    """Read a positive number of seconds; for argparse."""
    value = _number(text)
    if value is None or not 0 < value < 1e6:
        raise _Error(f"'{text}' is not a number of seconds above 0")
    return value


def attempts(text: str) -> int:
    """Read a number of attempts, 0 or more; for argparse."""
    return _whole(text, 0, None)


def jobs(text: str) -> int:
    """Read how many may be done at once, 1 or more; for argparse."""
    return _whole(text, 1, None)


def frame_size(text: str) -> int:
    """Read a number of bytes that at least takes an image's header (32); for argparse."""
    return _whole(text, 128, 0xFFFF)


def speed(text: str) -> float:
    """Read a factor above 0, or ``max`` (infinity); for argparse."""
    value = math.inf if text == "max" else _number(text)
    if value is None or not value > 0:
        raise _Error(f"'{text}' is neither a factor above 0 nor max")
    return value


def passkey(text: str) -> int:
    """Read the six digits that a device shows; for argparse."""
    if not (text.isdecimal() and text.isascii() and len(text) <= 6):
        raise _Error(f"'{text}' is not what a device shows: at most six digits")
    return int(text)


def address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, or ``PORT`` on this machine alone; for argparse."""
    host, colon, port = text.removeprefix("tcp-server:").rpartition(":")
    if not colon:
        host = "127.0.0.1"
    if not host or not (port.isdecimal() and port.isascii()) or int(port) >= 65536:
        raise _Error(f"'{text}' is not HOST:PORT, for example 127.0.0.1:9000")
    return host, int(port)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str, least: int, most: int | None) -> int:
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
    if value is None or value < least or (most is not None and value > most):
        bounds = f", {least} or more" if most is None else f" from {least} to {most}"
        raise _Error(f"'{text}' is not a whole number{bounds}")
    return value


def report_target(text: str) -> tuple[str, Path]:
    """Split ``FORMAT:PATH``; for argparse."""
    name, colon, path = text.partition(":")
    if not (colon and path):
        raise _Error(f"'{text}' is not FORMAT:PATH, for example json:out.json")
    if name not in FORMATS:
        raise _Error(f"'{name}' is no report format; there are {', '.join(FORMATS)}")
    return name, Path(path)
