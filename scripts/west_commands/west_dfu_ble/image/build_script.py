# SPDX-License-Identifier: Apache-2.0
"""What the build's own scripts told imgtool, and where that was wrong.

The commands stand in `build.ninja`. Known from real builds: NCS 2.5 under sysbuild signs with the
devicetree's slot size although Partition Manager made the slots, and gives `--header-size` twice.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..builddir import Build, Image, Layout
from ..diagnostics import DfuBleError, Diagnostic, Location, Note, Severity
from .arguments import sign_arguments
from .signing_names import UPDATE_FILE_NAMES

_LARGEST = 64 * 1024 * 1024
# Options whose value decides what the image says, or whether it is found too large.
_COMPARED = ("--header-size", "--slot-size", "--align", "--version", "--rom-fixed", "--load-addr")


@dataclass(frozen=True)
class Recorded:
    """One ``imgtool sign`` of the build; `arguments` from ``sign`` on, `slot` what it is for."""

    slot: int
    arguments: tuple[str, ...]
    location: Location


def recorded_commands(build: Build) -> tuple[Recorded, ...]:
    """Return the commands by which the build itself makes its update images, if it says."""
    found: dict[int, Recorded] = {}
    for owner, slot in _owners(build):
        for recorded in _commands(owner.directory / "build.ninja", build, slot):
            found.setdefault(recorded.slot, recorded)
    return tuple(found.values())


def build_script_findings(build: Build) -> tuple[Diagnostic, ...]:
    """Return a warning for every argument that the build got wrong; this tool's own are right."""
    findings: list[Diagnostic] = []
    for recorded in recorded_commands(build):
        try:
            ours = sign_arguments(build, recorded.slot, source=Path("i"), target=Path("o"))
        except DfuBleError:
            continue  # signing says it with all that belongs to it
        findings += _compare(build, recorded, ours)
    return tuple(findings)


def _compare(build: Build, recorded: Recorded, ours: Sequence[str]) -> Iterator[Diagnostic]:
    for option in _COMPARED:
        theirs, right = _values(option, recorded.arguments), _values(option, ours)
        if len(theirs) > 1:
            yield _finding(
                recorded,
                f"the build gives imgtool `{option}` {len(theirs)} times ({', '.join(theirs)}), "
                "of which the last counts",
            )
        if theirs[-1:] and right[-1:] and _number(theirs[-1]) != _number(right[-1]):
            notes = _origin(build, option, recorded.slot)
            yield _finding(
                recorded,
                f"the build signs with `{option} {theirs[-1]}`, right is {right[-1]}",
                notes,
            )


def _finding(recorded: Recorded, message: str, notes: Sequence[Note] = ()) -> Diagnostic:
    return Diagnostic(
        code="IM318",
        name="build-script-argument",
        severity=Severity.WARNING,
        message=message,
        why="The update image that the build itself makes says something wrong, or was checked "
        "against the wrong size; the one that `dfu-ble sign` makes is right.",
        location=recorded.location,
        notes=tuple(notes),
    )


def _origin(build: Build, option: str, slot: int) -> list[Note]:
    place = build.slot(slot)
    if option == "--slot-size" and place is not None:
        return [Note(f"the slot has 0x{place.size.value:x} bytes", place.size.location)]
    if option == "--rom-fixed" and place is not None:
        return [Note(f"the slot is at 0x{place.address.value:x}", place.address.location)]
    if option == "--header-size" and build.header_size is not None:
        return [Note(f"it is 0x{build.header_size.value:x}", build.header_size.location)]
    return []


def _values(option: str, arguments: Sequence[str]) -> list[str]:
    return [value for name, value in pairwise(arguments) if name == option]


def _number(text: str) -> int | str:
    try:
        return int(text, 0)
    except ValueError:
        return text


def _owners(build: Build) -> list[tuple[Image, int]]:
    owners = [(build.application, 0)]
    if build.variant is not None and build.layout is not Layout.NCS_CHILD_IMAGE:
        owners.append((build.variant, 1))
    return owners


def _commands(path: Path, build: Build, slot: int) -> Iterator[Recorded]:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST)
    except OSError:
        return
    names = {name: index for (number, index), name in UPDATE_FILE_NAMES.items() if number == 0}
    if build.layout is not Layout.NCS_CHILD_IMAGE:
        kernel = build.application.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr") or "zephyr"
        names = {f"{kernel}.signed.bin": slot}
    for number, line in _lines_with(b"imgtool", data):
        text = line.decode("utf-8", "replace").replace("$:", ":").replace("$ ", " ")
        for command in text.partition("COMMAND = ")[2].split(" && "):
            words = _words(command)
            name = words[-1].replace("\\", "/").rpartition("/")[2] if words else ""
            if name in names and "sign" in words:
                arguments = tuple(words[words.index("sign") :])
                yield Recorded(names[name], arguments, Location(path, number))


def _lines_with(what: bytes, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of each line with `what` in it; these files have many megabytes."""
    position = data.find(what)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        yield data.count(b"\n", 0, start) + 1, data[start:end]
        position = data.find(what, end)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []
