# SPDX-License-Identifier: Apache-2.0
"""What came of a check: every outcome, and what the command ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..builddir import Build
from ..diagnostics import Diagnostic, ExitStatus, Severity
from .generation import Generation
from .model import Outcome, Rule, Status
from .options import CheckOptions
from .profile import Profile


@dataclass(frozen=True)
class Summary:
    """How many outcomes there are of each kind; `waived` findings count for nothing else."""

    rules: int
    passed: int
    errors: int
    warnings: int
    infos: int
    waived: int
    not_applicable: int
    unknown: int


@dataclass(frozen=True)
class CheckReport:
    """The outcomes of one build, in the rules' order; `rules` are those that were asked."""

    build: Build
    profile: Profile
    generation: Generation | None
    options: CheckOptions
    rules: tuple[Rule, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that count (not waived), worst first."""
        found = [
            outcome.diagnostic
            for outcome in self.outcomes
            if outcome.diagnostic is not None and outcome.waived is None
        ]
        return tuple(sorted(found, key=lambda one: -one.severity.rank))

    @property
    def summary(self) -> Summary:
        """The counts."""
        of_status = Counter(outcome.status for outcome in self.outcomes)
        of_severity = Counter(diagnostic.severity for diagnostic in self.findings)
        return Summary(
            rules=len(self.rules),
            passed=of_status[Status.PASS],
            errors=of_severity[Severity.ERROR],
            warnings=of_severity[Severity.WARNING],
            infos=of_severity[Severity.INFO],
            waived=sum(outcome.waived is not None for outcome in self.outcomes),
            not_applicable=of_status[Status.NOT_APPLICABLE],
            unknown=of_status[Status.UNKNOWN],
        )

    @property
    def exit_status(self) -> ExitStatus:
        """3 for a finding of `fail_on` or worse, else 4 for an unknown if strict, else 0."""
        if any(one.severity.rank >= self.options.fail_on.rank for one in self.findings):
            return ExitStatus.FINDINGS
        if self.options.strict and self.summary.unknown:
            return ExitStatus.UNDECIDED
        return ExitStatus.DONE
