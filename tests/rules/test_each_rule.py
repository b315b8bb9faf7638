# SPDX-License-Identifier: Apache-2.0
"""Every rule with a module of its own: a build that it finds, one that it passes, and its cure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kconfig_choices import with_lines
from rule_case import Case
from rule_cases import CASES
from sample_builds import BuildWithSources
from small_builds import SmallBuild
from west_dfu_ble.diagnostics import Help
from west_dfu_ble.rules import Status, catalogue, evaluate
from west_dfu_ble.rules.catalogue import read_catalogue


def test_every_rule_has_a_case() -> None:
    plain = {spec.doc.code for spec in read_catalogue()}
    assert set(CASES) == {doc.code for doc in catalogue()} - plain


@pytest.mark.parametrize(
    ("code", "case"),
    [
        pytest.param(code, case, id=f"{code}-{number}")
        for code, cases in sorted(CASES.items())
        for number, case in enumerate(cases)
    ],
)
def test_bad_build_has_this_finding_and_no_other(tmp_path: Path, code: str, case: Case) -> None:
    options = case.options(tmp_path)
    report = evaluate(case.bad.load(tmp_path / "bad"), options)
    found = sorted(finding.code for finding in report.findings)
    assert found == sorted([code, *case.also]), report.findings
    finding = next(one for one in report.findings if one.code == code)
    assert finding.severity.value == case.severity
    assert finding.message[0] == finding.message.lstrip()[0]
    assert not finding.message.endswith(".")
    assert not finding.message[0].isupper() or finding.message.startswith("MCU"), finding.message
    if case.message:
        assert finding.message == case.message
    for help_ in finding.helps:
        assert help_.text

    good = evaluate(case.good.load(tmp_path / "good"), options)
    assert code not in {one.code for one in good.findings}
    words = {outcome.status for outcome in good.outcomes if outcome.code == code}
    assert Status.PASS in words, [o for o in good.outcomes if o.code == code]


@pytest.mark.parametrize("code", sorted(CASES))
def test_cure_makes_the_finding_go_away(tmp_path: Path, code: str) -> None:
    for number, case in enumerate(CASES[code]):
        options = case.options(tmp_path)
        report = evaluate(case.bad.load(tmp_path / str(number)), options)
        finding = next(one for one in report.findings if one.code == code)
        edits = [one for one in finding.helps if one.file]
        if not edits:
            assert not case.has_edit
            continue
        assert case.has_edit
        assert isinstance(case.bad, SmallBuild | BuildWithSources)
        cured = replace(applied(case.bad, edits[0]), **case.cured_with)
        report = evaluate(cured.load(tmp_path / f"{number}-cured"), options)
        assert code not in {one.code for one in report.findings}, edits[0]


def applied(small: SmallBuild | BuildWithSources, edit: Help) -> SmallBuild | BuildWithSources:
    """The build with the lines of `edit`, as Kconfig would take them."""
    new: dict[str, str] = {}
    for line in edit.edit.splitlines():
        name, _, value = line.partition("=")
        new[name.removeprefix("CONFIG_")] = value
    if edit.file == "prj.conf":
        return replace(small, application=with_lines(small.application, new))
    assert edit.file == "child_image/mcuboot.conf"
    assert isinstance(small, SmallBuild)
    assert small.mcuboot is not None
    return replace(small, mcuboot=with_lines(small.mcuboot, new))
