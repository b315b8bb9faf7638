# SPDX-License-Identifier: Apache-2.0
"""The job as a whole: check, sign, upload, activate, reset, verify, confirm."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import report
from ..diagnostics import ExitStatus
from ..report.console import Console
from ..rules import Status
from ..update import candidates_from_signed
from .check import check_build
from .locate import load_build
from .several_devices import update_all
from .sign import describe, sign_build


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Do one step after the other; a finding ends it before anything reaches a device."""
    build = load_build(args)
    outcome = check_build(args, build)
    if outcome.exit_status is not ExitStatus.DONE or any(
        one.status is Status.FAIL for one in outcome.outcomes
    ):
        console.note(report.render(outcome, "human", colour=console.colour_err, cwd=Path.cwd()))
    else:
        console.step("check", report.headline(outcome))
    if outcome.exit_status is not ExitStatus.DONE:
        console.note("nothing was signed and no device was touched")
        return outcome.exit_status
    signed = sign_build(args, build)
    for line in describe(signed):
        console.step("sign", line)
    return update_all(args, console, build, candidates_from_signed(signed), outcome)
