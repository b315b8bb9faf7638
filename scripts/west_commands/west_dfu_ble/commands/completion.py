# SPDX-License-Identifier: Apache-2.0
"""`completion`: a script for a shell, made of the parser itself (shtab), and a hook for west.

The script is complete in itself: a shell that has read it completes without starting Python. What
it adds for `west dfu-ble` hands the words behind `dfu-ble` to it, and all others to whatever
completed `west` before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..diagnostics import ExitStatus
from ..faults import fault
from ..link import KINDS
from ..options import FORMATS, make_parser
from ..report.console import Console
from ..resources import completion_hook

# Shell -> the ending of its hook for west. West has none for PowerShell that could be extended.
SHELLS = {"bash": "bash", "zsh": "zsh", "fish": "fish", "powershell": None}
_FOLDERS = ("DIR", "FOLDER")


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Print the script. Raises `DfuBleError` EN008 for a shell that there is none for."""
    if args.operand not in SHELLS:
        given = f"'{args.operand}' is none of them" if args.operand else "none was given"
        raise fault(
            "EN008",
            f"`completion` needs the name of a shell, and {given}",
            why="Each shell has a script of its own.",
            helps=[
                f"one of {', '.join(SHELLS)}; in bash, for this session: "
                'eval "$(dfu-ble completion bash)"'
            ],
        )
    console.result(completion_script(args.operand))
    return ExitStatus.DONE


def completion_script(shell: str) -> str:
    """Return the script for one of `SHELLS`."""
    import shtab

    script: str = shtab.complete(_described(make_parser()), shell)
    hook = SHELLS[shell]
    return f"{script}\n\n{completion_hook(hook)}" if hook else script


def _described(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Tell the parser, which parses nothing, what the values of its options may be."""
    import shtab

    from ..rules import catalogue

    codes = [doc.code for doc in catalogue()]
    names = [doc.name for doc in catalogue()]
    operands = {"RULE": codes + names, "SHELL": list(SHELLS)}
    for one in _all(parser):
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                continue
            if action.dest == "link":
                # Without their colons, which zsh would take for its own.
                action.choices = tuple(KINDS)
            elif action.dest == "format" and one is parser:
                # In zsh the top parser completes what stands behind an action, too.
                action.choices = FORMATS
            elif action.dest in ("select", "ignore"):
                action.choices = codes
            elif action.dest == "operand" and action.metavar in operands:
                action.choices = operands[str(action.metavar)]
            elif action.type is Path or action.metavar == "FILE":
                kind = shtab.DIRECTORY if action.metavar in _FOLDERS else shtab.FILE
                action.complete = kind  # type: ignore[attr-defined] # what shtab looks for
    return parser


def _all(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    (actions,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return [parser, *actions.choices.values()]
