# SPDX-License-Identifier: Apache-2.0
"""`image`: show what stands in an image or a package, and whether it fits the build."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .. import image
from ..diagnostics import ExitStatus
from ..faults import fault
from ..report.console import Console
from .locate import load_build
from .passphrase import ask_passphrase
from .sign import shorten

_MARKS = {True: "ok", False: "WRONG", None: "not proved"}
_SLOT_MARKS = {True: "fits", False: "does not fit", None: "not proved"}


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Look into the file; a build directory is used if it was named."""
    if args.operand is None:
        raise fault(
            "EN008",
            "no file was named",
            why="There is nothing to look into.",
            helps=["name a signed .bin or a dfu_application.zip"],
        )
    build = load_build(args) if args.build_dir else None
    inspections = image.inspect(Path(args.operand), build, ask=ask_passphrase)
    if args.format == "json":
        found = [image.inspection_as_dict(one) for one in inspections]
        console.result(json.dumps(found, indent=2))
    else:
        console.result("\n\n".join(describe(one) for one in inspections))
    sound = all(one.is_sound for one in inspections)
    return ExitStatus.DONE if sound else ExitStatus.SIGNING


def describe(inspection: image.Inspection) -> str:
    """Return an inspection as text: what stands there, then what was found."""
    parsed = inspection.image
    flags = ", ".join(image.flag_names(parsed.flags)) or "none"
    padding = len(parsed.data) - parsed.size
    lines = [
        shorten(inspection.file),
        f"  version        {parsed.version}",
        f"  header         {parsed.header_size} bytes, flags {flags}"
        + (f", address 0x{parsed.load_address:x}" if parsed.load_address else ""),
        f"  firmware       {parsed.payload_size} bytes",
        f"  size           {parsed.size} bytes"
        + (f", and {padding} bytes behind it" if padding else ""),
    ]
    for entry in parsed.tlvs:
        value = entry.value.hex()
        shown = value if len(value) <= 64 else f"{value[:60]}…"
        protected = ", protected" if entry.protected else ""
        name = image.tlv_name(entry.type)
        lines.append(f"  entry          {name} ({len(entry.value)} bytes{protected}) {shown}")
    for finding in inspection.findings:
        marks = _SLOT_MARKS if finding.about.endswith("slot") else _MARKS
        lines.append(f"  {finding.about:14} {marks[finding.ok]}: {finding.text}")
    return "\n".join(lines)
