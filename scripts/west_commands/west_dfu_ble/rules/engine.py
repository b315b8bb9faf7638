# SPDX-License-Identifier: Apache-2.0
"""Ask every rule about a build, and let each fault be told once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..builddir import Build, Image, Role
from ..configuration import Waiver
from ..diagnostics import Diagnostic, Severity
from .baseline import baseline_version
from .check_report import CheckReport
from .generation import tell_generation
from .model import Context, Finding, Outcome, Rule, Status, Verdict, not_applicable
from .options import CheckOptions
from .profile import choose_profile
from .registry import all_rules
from .selection import select_rules, severity_by_code
from .where_set import WhereSet

_Verdicts = Mapping[str, Sequence[tuple[Image | None, Verdict]]]


def evaluate(build: Build, options: CheckOptions) -> CheckReport:
    """Ask every selected rule about each image that it concerns.

    Raises `DfuBleError` EN008 for a rule in `options` that does not exist, IM305 or IM311 for a
    baseline that can't be read.
    """
    kconfig = build.application.kconfig
    profile = choose_profile(options.profile, kconfig)
    baseline = baseline_version(options.baseline) if options.baseline else None
    context = Context(build, profile, tell_generation(kconfig), baseline)
    rules = select_rules(all_rules(), options)
    verdicts: _Verdicts = {rule.code: tuple(_ask(rule, context)) for rule in rules}
    severities = severity_by_code(all_rules(), options)
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    where_set = WhereSet(build)
    failing = {
        rule.code: rule
        for rule in rules
        if any(isinstance(verdict, Finding) for _, verdict in verdicts[rule.code])
    }
    outcomes = []
    for rule in rules:
        head = _explained_by(rule, failing)
        for image, verdict in verdicts[rule.code]:
            name = image.name if image else ""
            outcome = _outcome(rule, name, verdict, head, severities, release=options.release)
            if outcome.diagnostic is not None:
                diagnostic = where_set.explain(outcome.diagnostic, image)
                outcome = replace(outcome, diagnostic=diagnostic)
            outcomes.append(_waive(outcome, options.waivers, today))
    return CheckReport(build, profile, context.generation, options, rules, tuple(outcomes))


def _ask(rule: Rule, context: Context) -> list[tuple[Image | None, Verdict]]:
    """Return one verdict for each image of the rule's roles, or one for the build."""
    if not rule.roles:
        return [(None, rule.check(context, context.build.application))]
    images = [image for image in context.build.images if image.role in rule.roles]
    if not images:
        return [(None, not_applicable(_NO_IMAGE[rule.roles[0]]))]
    return [(image, rule.check(context, image)) for image in images]


_NO_IMAGE = {
    Role.APPLICATION: "the build has no application image",
    Role.VARIANT: "the build has no variant for the secondary slot",
    Role.BOOTLOADER: "the bootloader is not part of this build",
    Role.NETWORK_CORE: "the build has no image for the network core",
    Role.OTHER: "the build has no further image",
}


def _explained_by(rule: Rule, failing: Mapping[str, Rule]) -> Rule | None:
    """Return the rule whose failure explains one of this rule, if there is one: the topmost.

    The way up leads through rules that fail; one that passes explains nothing.
    """
    waiting, seen = list(rule.follows), {rule.code}
    while waiting:
        above = failing.get(waiting.pop(0))
        if above is None or above.code in seen:
            continue
        if not any(code in failing for code in above.follows):
            return above
        seen.add(above.code)
        waiting += above.follows
    return None


def _outcome(
    rule: Rule,
    image: str,
    verdict: Verdict,
    head: Rule | None,
    severities: Mapping[str, Severity],
    *,
    release: bool,
) -> Outcome:
    doc = rule.doc
    if not isinstance(verdict, Finding):
        return Outcome(doc.code, doc.name, image, verdict.status, verdict.reason)
    if head is not None:
        reason = f"{verdict.message}, which is part of {head.code} {head.doc.name}"
        return Outcome(doc.code, doc.name, image, Status.NOT_APPLICABLE, reason)
    severity = verdict.severity or doc.category.severity(release=release)
    diagnostic = Diagnostic(
        code=doc.code,
        name=doc.name,
        severity=severities.get(doc.code, severity),
        message=verdict.message,
        why=verdict.why or doc.why,
        location=verdict.location,
        notes=verdict.notes,
        helps=verdict.helps,
        data=verdict.data,
    )
    return Outcome(doc.code, doc.name, image, Status.FAIL, diagnostic=diagnostic)


def _waive(outcome: Outcome, waivers: Sequence[Waiver], today: datetime.date) -> Outcome:
    if outcome.status is not Status.FAIL:
        return outcome
    for waiver in waivers:
        if waiver.rule not in (outcome.code, outcome.name):
            continue
        if waiver.image is not None and waiver.image != outcome.image:
            continue
        if waiver.until is not None and waiver.until < today:
            continue
        return Outcome(
            outcome.code,
            outcome.name,
            outcome.image,
            outcome.status,
            diagnostic=outcome.diagnostic,
            waived=waiver.reason,
        )
    return outcome
