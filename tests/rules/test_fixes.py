# SPDX-License-Identifier: Apache-2.0
"""`check --fix`: what it writes makes the rules pass, and it overwrites nothing of others."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from kconfig_choices import with_lines
from rule_case import Case
from rule_cases import CASES
from sample_builds import BuildWithSources
from small_builds import (
    DIRECT_XIP_APPLICATION,
    DIRECT_XIP_MCUBOOT,
    MIXED_NAMES,
    NEW_NAMES,
    OLD_NAMES,
    Edits,
    SmallBuild,
)
from west_dfu_ble import builddir
from west_dfu_ble.commands.fix import write_fixes
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.report.console import Console
from west_dfu_ble.report.output import Output
from west_dfu_ble.rules import CheckOptions, CheckReport, Generation, evaluate, fixes
from west_dfu_ble.rules.catalogue import read_catalogue

NAMES: Mapping[Generation, Edits] = {
    Generation.OLD: OLD_NAMES,
    Generation.MIXED: MIXED_NAMES,
    Generation.NEW: NEW_NAMES,
}


def plain_cases() -> Iterator[tuple[str, Case]]:
    """Each rule of the catalogue in each generation, with its symbol off."""
    for spec in read_catalogue():
        for generation, symbol in spec.symbols.items():
            # A build without MCUboot is refused before any rule is asked.
            if symbol != "CONFIG_BOOTLOADER_MCUBOOT":
                names = {**NAMES[generation], symbol.removeprefix("CONFIG_"): "n"}
                small = SmallBuild(names)
                if spec.only_modes:
                    small = SmallBuild(
                        {**DIRECT_XIP_APPLICATION, **names}, DIRECT_XIP_MCUBOOT, variant={}
                    )
                yield spec.doc.code, Case(small)


ALL = [
    *plain_cases(),
    *((code, case) for code, cases in sorted(CASES.items()) for case in cases),
]


def write(report: CheckReport, folder: Path | None) -> str:
    """Write the fixes and return what is said."""
    err = io.StringIO()
    write_fixes(report, folder, Console(Output(io.StringIO()), Output(err), False, False))
    return err.getvalue()


def lines_of(path: Path) -> dict[str, str]:
    """The assignments of a written file, each of which must have its rule above it."""
    lines = path.read_text().splitlines()
    found = {}
    for above, line in pairwise(lines):
        match = re.fullmatch(r"(?:SB_)?CONFIG_(\w+)=(.*)", line)
        if match:
            assert re.fullmatch(r"# ((KC1|DT2|IM3|EN0)\d\d [a-z0-9-]+(, )?)+", above), above
            found[match[1]] = match[2]
    return found


def apply(case: Case, folder: Path) -> SmallBuild | BuildWithSources:
    """The failing build with the files that were written, as Kconfig would take them."""
    small = case.bad
    assert isinstance(small, SmallBuild | BuildWithSources)
    written = {path.name: lines_of(path) for path in folder.iterdir()}
    if "dfu-ble.conf" in written:
        lines = with_lines(small.application, written.pop("dfu-ble.conf"))
        small = replace(small, application=lines)
    if "dfu-ble.mcuboot.conf" in written:
        assert isinstance(small, SmallBuild)
        mcuboot = with_lines(small.mcuboot or {}, written.pop("dfu-ble.mcuboot.conf"))
        small = replace(small, mcuboot=mcuboot)
    assert written == {}
    return replace(small, **case.cured_with)


@pytest.mark.parametrize(
    ("code", "case"),
    [pytest.param(code, case, id=f"{code}-{place}") for place, (code, case) in enumerate(ALL)],
)
def test_written_fragments_make_the_rule_pass(tmp_path: Path, code: str, case: Case) -> None:
    options = replace(case.options(tmp_path), profile=None)
    report = evaluate(case.bad.load(tmp_path / "bad"), options)
    finding = next((one for one in report.findings if one.code == code), None)
    if finding is None:
        # Off, the module makes the application one that the rule is not for.
        assert code == "KC151"
        options = replace(options, profile="caf")
        report = evaluate(case.bad.load(tmp_path / "caf"), options)
        finding = next(one for one in report.findings if one.code == code)
    folder = tmp_path / "fix"
    folder.mkdir()
    said = write(report, folder)
    offered = any(one.safe and one.file.endswith(".conf") for one in finding.helps)
    left = {one.finding.code for one in fixes(report).left}
    assert (code in left) == (not offered)
    if not offered:
        assert f"{code} {finding.name} is left to you" in said
        return
    again = evaluate(apply(case, folder).load(tmp_path / "cured"), options)
    assert code not in {one.code for one in again.findings}
    # Nothing else breaks by it.
    assert {one.code for one in again.findings} <= {one.code for one in report.findings}


def test_no_rule_escapes_the_test() -> None:
    offering = {code for code, case in ALL if case.has_edit}
    assert {spec.doc.code for spec in read_catalogue()} <= offering | {"KC157"}
    assert len(offering) > 40


REASSEMBLY = {"MCUMGR_TRANSPORT_BT_REASSEMBLY": "n"}


def report_of(folder: Path, small: SmallBuild, cache: str = "") -> CheckReport:
    """Load a build whose application's folder is `folder`/app and exists."""
    source = folder / "app"
    source.mkdir(exist_ok=True)
    small.write(source / "build")
    for path in (source / "build").rglob("CMakeCache.txt"):
        path.write_text(path.read_text().replace("/src/app", str(source)) + cache)
    build = replace(builddir.load(source / "build"), zephyr_version="3.4.99")
    return evaluate(build, CheckOptions())


def test_file_and_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallBuild({**REASSEMBLY, "IMG_ERASE_PROGRESSIVELY": "n"}, {"BOOT_VALIDATE_SLOT0": "n"})
    report = report_of(tmp_path, small)
    monkeypatch.chdir(tmp_path)
    said = write(report, None)
    assert (tmp_path / "app/dfu-ble.conf").read_text() == (
        "# Written by `west dfu-ble check --fix`, which adds to it and keeps what is here.\n"
        "# Each line names the rule that asks for it: `west dfu-ble explain RULE`.\n\n"
        "# KC190 no-reassembly\nCONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY=y\n\n"
        "# KC190 no-reassembly\nCONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=2475\n\n"
        "# KC197 slot-erased-at-once\nCONFIG_IMG_ERASE_PROGRESSIVELY=y\n"
    )
    assert said.splitlines() == [
        "fix     wrote app/dfu-ble.conf (KC190, KC197)",
        "        add it to the build:",
        "        west build -d app/build -- -DEXTRA_CONF_FILE=dfu-ble.conf",
        "fix     wrote app/dfu-ble.mcuboot.conf (KC175)",
        "        append its lines to `child_image/mcuboot.conf` in the application's folder, then",
        "        west build -d app/build --pristine",
    ]


@pytest.mark.parametrize(
    ("cache", "version", "expected"),
    [
        ("", "3.2.99", "-DOVERLAY_CONFIG=dfu-ble.conf"),
        ("", "3.4.99", "-DEXTRA_CONF_FILE=dfu-ble.conf"),
        # What is there already is kept, in the variable in which it is.
        ("OVERLAY_CONFIG:STRING=a b.conf\n", "4.1.0", '"-DOVERLAY_CONFIG=a;b.conf;dfu-ble.conf"'),
        ("EXTRA_CONF_FILE:STRING=a.conf\n", "3.4.99", '"-DEXTRA_CONF_FILE=a.conf;dfu-ble.conf"'),
    ],
)  # fmt: skip
def test_how_to_add_it(tmp_path: Path, cache: str, version: str, expected: str) -> None:
    report = report_of(tmp_path, SmallBuild(REASSEMBLY), cache)
    report = replace(report, build=replace(report.build, zephyr_version=version))
    assert write(report, None).splitlines()[2].endswith(f" -- {expected}")


def test_from_another_folder_it_is_named_by_its_whole_path(tmp_path: Path) -> None:
    report = report_of(tmp_path, SmallBuild(REASSEMBLY))
    (tmp_path / "else where").mkdir()
    said = write(report, tmp_path / "else where")
    path = (tmp_path / "else where/dfu-ble.conf").resolve().as_posix()
    assert said.splitlines()[2].endswith(f' -- "-DEXTRA_CONF_FILE={path}"')


def test_sysbuild_takes_its_lines_apart(tmp_path: Path) -> None:
    edits: Edits = {"CAF_BLE_SMP": None, "MCUMGR_GRP_IMG": "n"}
    small = SmallBuild(edits, {"BOOT_VALIDATE_SLOT0": "n"}, sysbuild={})
    report = evaluate(small.load(tmp_path / "build"), CheckOptions())
    said = write(report, tmp_path)
    assert set(lines_of(tmp_path / "dfu-ble.conf")) == {"CAF_BLE_SMP", "MCUMGR_GRP_IMG"}
    assert lines_of(tmp_path / "dfu-ble.mcuboot.conf") == {"BOOT_VALIDATE_SLOT0": "y"}
    assert "append its lines to `sysbuild/mcuboot.conf`" in said


def test_lines_for_sysbuild_itself(tmp_path: Path) -> None:
    report = report_of(tmp_path, SmallBuild(REASSEMBLY, sysbuild={}))
    outcome = next(one for one in report.outcomes if one.code == "KC190")
    assert outcome.diagnostic is not None
    helping = replace(
        outcome.diagnostic.helps[0], edit="SB_CONFIG_DFU_ZIP=y\n", file="sysbuild.conf"
    )
    diagnostic = replace(outcome.diagnostic, helps=(helping,))
    said = write(replace(report, outcomes=(replace(outcome, diagnostic=diagnostic),)), None)
    assert lines_of(tmp_path / "app/dfu-ble.sysbuild.conf") == {"DFU_ZIP": "y"}
    assert said.splitlines()[2].endswith(" -- -DSB_EXTRA_CONF_FILE=dfu-ble.sysbuild.conf")


def test_second_run_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "dfu-ble.conf"
    write(report_of(tmp_path, SmallBuild(REASSEMBLY)), tmp_path)
    mine = path.read_text() + "\n# mine\nCONFIG_LOG=y\nCONFIG_IMG_ERASE_PROGRESSIVELY=n\n"
    path.write_text(mine)
    said = write(report_of(tmp_path, SmallBuild({"IMG_ERASE_PROGRESSIVELY": "n"})), tmp_path)
    assert "wrote" in said
    assert path.read_text() == mine.replace("CONFIG_IMG_ERASE_PROGRESSIVELY=n\n", "") + (
        "\n# KC197 slot-erased-at-once\nCONFIG_IMG_ERASE_PROGRESSIVELY=y\n"
    )
    before = path.read_text()
    said = write(report_of(tmp_path, SmallBuild(REASSEMBLY)), tmp_path)
    assert "nothing to add to" in said
    assert path.read_text() == before


def test_part_of_the_build_already(tmp_path: Path) -> None:
    small = SmallBuild(REASSEMBLY)
    cache = "EXTRA_CONF_FILE:STRING=dfu-ble.conf\n"
    said = write(report_of(tmp_path, small, cache), None)
    assert "it is part of the build already; build again:" in said


@pytest.mark.parametrize("content", [b"CONFIG_BT=y\n", b"", b"\xff\xfe", bytes(300_000)])
def test_file_of_somebody_else_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    report = report_of(tmp_path, SmallBuild(REASSEMBLY, {"BOOT_VALIDATE_SLOT0": "n"}))
    path = tmp_path / "dfu-ble.mcuboot.conf"
    path.write_bytes(content)
    with pytest.raises(DfuBleError) as caught:
        write(report, tmp_path)
    assert caught.value.diagnostic.code == "EN008"
    assert path.read_bytes() == content
    assert sorted(one.name for one in tmp_path.iterdir()) == ["app", path.name]


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    report = report_of(tmp_path, SmallBuild(REASSEMBLY))
    with pytest.raises(DfuBleError, match="EN008") as caught:
        write(report, tmp_path / "none")
    assert caught.value.diagnostic.message == f"`{tmp_path / 'none'}` is no folder"


def test_line_that_kconfig_drops_anyway_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/prj.conf").write_text("CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY=y\n")
    said = write(report_of(tmp_path, SmallBuild(REASSEMBLY)), None)
    assert said.splitlines() == [
        "fix     there is nothing to write",
        "fix     KC190 no-reassembly is left to you: its edit is in the configuration, and Kconfig "
        "drops it",
    ]
    assert not (tmp_path / "app/dfu-ble.conf").exists()


def test_larger_number_wins(tmp_path: Path) -> None:
    report = report_of(tmp_path, SmallBuild(REASSEMBLY))
    outcome = next(one for one in report.outcomes if one.code == "KC190")
    assert outcome.diagnostic is not None
    outcomes = []
    for code, edit in (
        ("KC191", "CONFIG_A=9\nCONFIG_B=y\n"),
        ("KC192", "CONFIG_A=0x10\nCONFIG_B=n\n"),
    ):
        helping = replace(outcome.diagnostic.helps[0], edit=edit)
        diagnostic = replace(outcome.diagnostic, code=code, helps=(helping,))
        outcomes.append(replace(outcome, code=code, diagnostic=diagnostic))
    found = fixes(replace(report, outcomes=tuple(outcomes)))
    (fragment,) = found.fragments
    assert [(line.symbol, line.value) for line in fragment.lines] == [
        ("CONFIG_A", "0x10"),
        ("CONFIG_B", "y"),
    ]
    assert [(one.finding.code, one.reason) for one in found.left] == [
        ("KC192", "another finding asks for another value")
    ]
