# SPDX-License-Identifier: Apache-2.0
"""What came of a check: every outcome, and what the command ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..builddir import Build
from ..diagnostics import Diagnostic, ExitStatus, Severity
from .generation import Generation
from .link_settings import NOMINAL_SIZE, TRANSPORTS, image_size, link_of
from .model import Outcome, Rule, Status
from .options import CheckOptions
from .profile import Profile
from .upload_time import bytes_per_second


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
class UploadEstimate:
    """How long an upload takes on the air, in seconds, by the model of `docs/speed.md`.

    `size` is the image's in bytes; `nominal` if there is none, so that 200 kB stand for it.
    `gains` are the rules whose finding would shorten it, each with the seconds that would remain
    if it alone were mended, the greatest gain first.
    """

    size: int
    nominal: bool
    seconds: float
    gains: tuple[tuple[str, float], ...]


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
    def upload(self) -> UploadEstimate | None:
        """The estimate; `None` for an application without SMP over Bluetooth."""
        kconfig = self.build.application.kconfig
        if not any(kconfig.is_on(name) for name in TRANSPORTS):
            return None
        size = image_size(self.build)
        rate = bytes_per_second(link_of(self.build, self.generation))
        gains = [
            (diagnostic.code, remaining)
            for diagnostic in self.findings
            if isinstance(remaining := diagnostic.data.get("seconds_after"), float)
            and "stranger" not in diagnostic.data
        ]
        return UploadEstimate(
            size=size or NOMINAL_SIZE,
            nominal=size is None,
            seconds=round((size or NOMINAL_SIZE) / rate, 1),
            gains=tuple(sorted(gains, key=lambda gain: gain[1])),
        )

    @property
    def exit_status(self) -> ExitStatus:
        """3 for a finding of `fail_on` or worse, else 4 for an unknown if strict, else 0."""
        if any(one.severity.rank >= self.options.fail_on.rank for one in self.findings):
            return ExitStatus.FINDINGS
        if self.options.strict and self.summary.unknown:
            return ExitStatus.UNDECIDED
        return ExitStatus.DONE
