# SPDX-License-Identifier: Apache-2.0
"""The report for people: the build's facts, every finding, what was not looked at, the counts.

Places of facts are shown relative to the build directory, those of findings to where the user is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..builddir import Build, Slot
from ..diagnostics import ExitStatus
from ..rules import CheckReport, Outcome, Status
from .diagnostic import render_diagnostic
from .style import Style
from .words import headline, shown_location, shown_path, size


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return the whole report, without a final line end."""
    style = Style(colour)
    return "\n".join(
        [
            *_facts(report, style, cwd),
            "",
            *_findings(report, colour, cwd),
            *_waived(report, style),
            *_unknown(report, style),
            _last_line(report, style),
        ]
    )


def _facts(report: CheckReport, style: Style, cwd: Path) -> Iterator[str]:
    build = report.build
    versions = [
        f"{name} {version}"
        for name, version in (
            ("nRF Connect SDK", build.ncs_version),
            ("Zephyr", build.zephyr_version),
        )
        if version
    ]
    yield _fact("build", shown_path(build.path, cwd), style)
    yield _fact("layout", ", ".join([build.layout.value, build.board, *versions]), style)
    yield _fact("mode", _mode(build), style)
    for slot in sorted(build.slots, key=lambda one: (one.image, one.index)):
        yield _fact("slot", _slot(slot, build), style)
    signature = build.signature_type.value if build.signature_type else "not known"
    version = f", version {build.version}" if build.version else ""
    yield _fact("signed", signature + version, style)
    yield from _upload(report, style)
    generation = f", names of {report.generation.title}" if report.generation else ""
    yield _fact("rules", f"profile `{report.profile.name}`{generation}", style)
    if not report.profile.is_caf:
        yield _fact("", f"the CAF rules are not applicable: {report.profile.reason}", style)


def _upload(report: CheckReport, style: Style) -> Iterator[str]:
    estimate = report.upload
    if estimate is None:
        return
    text = f"about {estimate.seconds:.0f} s on the air for {estimate.size / 1000:.0f} kB"
    if estimate.nominal:
        text += " (there is no image yet)"
    if estimate.gains:
        code, seconds = estimate.gains[0]
        text += f"; {seconds:.0f} s with {code} alone mended"
    yield _fact("upload", text, style)


def _fact(name: str, text: str, style: Style) -> str:
    return f"{style.mark(f'{name:<8}')}{text}"


def _mode(build: Build) -> str:
    if build.mode_built is not None:
        where = shown_location(build.mode_built.location, build.path)
        return f"{build.mode_built.mode.title}, as MCUboot was built ({where})"
    if build.mode_believed is not None:
        where = shown_location(build.mode_believed.location, build.path)
        return f"{build.mode_believed.mode.title}, as the application believes ({where})"
    return "not known"


def _slot(slot: Slot, build: Build) -> str:
    where = shown_location(slot.address.location, build.path)
    return (
        f"image {slot.image} {slot.title}: {slot.address.value:#x}, {size(slot.size.value)} "
        f"({slot.size.value:#x}) in {slot.region} ({where})"
    )


def _findings(report: CheckReport, colour: bool, cwd: Path) -> Iterator[str]:
    several = sum(outcome.status is Status.FAIL for outcome in report.outcomes) and (
        len(report.build.images) > 1
    )
    found = [
        (outcome, outcome.diagnostic)
        for outcome in report.outcomes
        if outcome.diagnostic is not None and outcome.waived is None
    ]
    for outcome, diagnostic in sorted(found, key=lambda pair: -pair[1].severity.rank):
        image = outcome.image if several else ""
        yield render_diagnostic(diagnostic, colour, cwd=cwd, image=image)
        yield ""


def _waived(report: CheckReport, style: Style) -> Iterator[str]:
    waived = [outcome for outcome in report.outcomes if outcome.waived is not None]
    for outcome in waived:
        message = outcome.diagnostic.message if outcome.diagnostic else ""
        yield style.dim(f"waived {_rule(outcome)}: {message} (reason: {outcome.waived})")
    if waived:
        yield ""


def _unknown(report: CheckReport, style: Style) -> Iterator[str]:
    # Several images that could not be looked at for one reason are one line.
    images: dict[tuple[str, str, str], list[str]] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.UNKNOWN:
            key = (outcome.code, outcome.name, outcome.reason)
            images.setdefault(key, []).append(outcome.image)
    for (code, name, reason), names in images.items():
        where = f" ({', '.join(names)})" if any(names) else ""
        yield style.dim(f"not evaluated {code} {name}{where}: {reason}")
    if images:
        yield ""


def _rule(outcome: Outcome) -> str:
    image = f" ({outcome.image})" if outcome.image else ""
    return f"{outcome.code} {outcome.name}{image}"


def _last_line(report: CheckReport, style: Style) -> str:
    text = headline(report)
    if report.exit_status is ExitStatus.DONE:
        return style.good(text)
    worst = report.findings
    return style.severity(worst[0].severity, text) if worst else style.bold(text)
