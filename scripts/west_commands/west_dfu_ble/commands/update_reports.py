# SPDX-License-Identifier: Apache-2.0
"""The files that `--report` asks for where devices are updated."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..faults import fault
from ..report import devices, junit
from ..report.html import Page, UpdateRecord, render_page
from ..rules import CheckReport
from .report_files import write_report

_FORMATS = {
    "junit": devices.render_junit,
    "json": devices.render_json,
    "human": devices.device_table,
}


def require_device_formats(args: argparse.Namespace) -> None:
    """Refuse report files in which devices have no form. Raises `DfuBleError` EN008."""
    for name, _ in args.report or ():
        if name != "html" and name not in _FORMATS:
            raise fault(
                "EN008",
                f"there is no report of devices in the format {name}",
                why="It is one of the check.",
                helps=[f"with `{args.action}`: one of {', '.join(_FORMATS)}, html"],
            )


def write_update_reports(
    args: argparse.Namespace, records: Sequence[UpdateRecord], check: CheckReport | None
) -> None:
    """Write the files. Raises `DfuBleError` EN008 for one that can't be written.

    In the whole job they hold the check already: what can hold both gets the devices too.
    """
    results = [record.result for record in records]
    for name, path in args.report or ():
        if name == "html":
            write_report(path, render_page(Page(check, tuple(records)), Path.cwd()))
        elif args.action is not None:
            write_report(path, _FORMATS[name](results))
        elif name == "junit":
            both = [path.read_text(encoding="utf-8"), devices.render_junit(results)]
            write_report(path, junit.combine(both))
