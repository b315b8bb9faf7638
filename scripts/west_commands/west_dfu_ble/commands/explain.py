# SPDX-License-Identifier: Apache-2.0
"""`explain`: the documentation of a rule or an error; without one, the catalogue."""

from __future__ import annotations

import argparse

from .. import rules
from ..diagnostics import ExitStatus
from ..faults import FAULTS, fault
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
            helps=[*_close(args.operand), "`dfu-ble explain` lists the rules"],
        )
    console.result(text)
    return ExitStatus.DONE


def _close(asked: str) -> list[str]:
    from difflib import get_close_matches

    names = [name for rule in rules.catalogue() for name in (rule.code, rule.name)]
    names += [name for error in FAULTS.values() for name in (error.code, error.name)]
    return [f"did you mean `{name}`?" for name in get_close_matches(asked, names, n=1)]
