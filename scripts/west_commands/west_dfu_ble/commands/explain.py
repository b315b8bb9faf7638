# SPDX-License-Identifier: Apache-2.0
"""`explain`: the documentation of a rule or an error; without one, the catalogue."""

from __future__ import annotations

import argparse

from .. import rules
from ..diagnostics import ExitStatus
from ..faults import fault
from ..report.console import Console


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Print the text; a name that is none is a usage error."""
    if args.operand is None:
        console.prose(rules.catalogue_text())
        return ExitStatus.DONE
    text = rules.explain(args.operand, console.out.columns)
    if text is None:
        raise fault(
            "EN008",
            f"there is no rule or error '{args.operand}'",
            why="Rules go by their code (KC150) or their name.",
            helps=["`dfu-ble explain` lists them all"],
        )
    console.result(text)
    return ExitStatus.DONE
