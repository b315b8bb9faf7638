# SPDX-License-Identifier: Apache-2.0
"""Reports of one check in every format."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from small_builds import MIXED_NAMES, Edits, SmallBuild
from west_dfu_ble import report as reports
from west_dfu_ble.configuration import Waiver
from west_dfu_ble.diagnostics import Diagnostic, Help, Location, Note, Severity
from west_dfu_ble.report.diagnostic import render_diagnostic
from west_dfu_ble.resources import schema_path
from west_dfu_ble.rules import CheckOptions, CheckReport, evaluate

FAULTY: Edits = {"MCUMGR_GRP_IMG": "n", "MCUMGR_TRANSPORT_BT_AUTHEN": "n", "REBOOT": "n"}


def faulty(folder: Path, options: CheckOptions | None = None) -> CheckReport:
    return evaluate(SmallBuild(application=FAULTY).load(folder), options or CheckOptions())


def render(report: CheckReport, name: str, cwd: Path, *, colour: bool = False) -> str:
    return reports.render(report, name, colour=colour, cwd=cwd)


def test_human_shows_what_why_where_and_how_to_mend(tmp_path: Path) -> None:
    text = render(faulty(tmp_path / "build"), "human", tmp_path)
    line = (tmp_path / "build/zephyr/.config").read_text().splitlines()
    number = line.index("# CONFIG_MCUMGR_GRP_IMG is not set") + 1
    assert (
        "error[KC153] image-group-disabled: `CONFIG_MCUMGR_GRP_IMG` is off"
        " (image `app`)\n"
        f"  --> build/zephyr/.config:{number}\n".replace("/", "/")
    ) in text
    assert (
        "   = help: add to `prj.conf`\n"
        "             CONFIG_MCUMGR_GRP_IMG=y\n"
        "   = more: west dfu-ble explain KC153\n"
    ) in text
    assert text.index("error[KC153]") < text.index("warning[KC185]")
    assert "mode    swap using move, as MCUboot was built (mcuboot/zephyr/.config:" in text
    assert (
        "slot    image 0 primary: 0xc000, 484 KiB (0x79000) in flash_primary (partitions.yml:"
        in text
    )
    assert "signed  ECDSA P-256, version 1.2.0+0" in text
    assert re.search(
        r"\n\d+ rules(?:, \d+ outcomes)?: \d+ passed, 1 error, 2 warnings, [^\n]*4 not evaluated$",
        text,
    )


def test_colour_only_when_asked(tmp_path: Path) -> None:
    report = faulty(tmp_path)
    assert "\x1b" not in render(report, "human", tmp_path)
    coloured = render(report, "human", tmp_path, colour=True)
    assert "\x1b[1;31merror[KC153]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render(report, "human", tmp_path)


def test_concise_is_one_line_a_finding(tmp_path: Path) -> None:
    text = render(faulty(tmp_path), "concise", tmp_path)
    lines = text.splitlines()
    assert [re.sub(r":\d+", ":N", line) for line in lines[:3]] == [
        "zephyr/.config:N: error[KC153] `CONFIG_MCUMGR_GRP_IMG` is off",
        "zephyr/.config:N: warning[KC171] `CONFIG_REBOOT` is off",
        "zephyr/.config:N: warning[KC185] the SMP service takes any connection: "
        "`CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN` is off",
    ]
    assert re.match(r"\d+ rules(, \d+ outcomes)?: ", lines[-1])


def json_of(report: CheckReport) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render(report, "json", Path()))
    schema = json.loads(schema_path("report.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(loaded)
    return loaded


def test_json_keeps_to_its_schema_and_tells_everything(tmp_path: Path) -> None:
    report = faulty(tmp_path)
    loaded = json_of(report)
    assert loaded["exit_status"] == 3
    assert loaded["build"]["mode"] == "SWAP_USING_MOVE"
    assert loaded["build"]["layout"] == "NCS_CHILD_IMAGE"
    assert [
        (slot["index"], slot["address"]["value"], slot["size"]["value"])
        for slot in loaded["build"]["slots"]
    ] == [(0, 0xC000, 0x79000), (1, 0x85000, 0x79000)]
    assert len(loaded["outcomes"]) == len(report.outcomes)
    failed = {one["code"]: one for one in loaded["outcomes"] if one["status"] == "fail"}
    assert failed["KC153"]["diagnostic"]["data"]["symbol"] == "CONFIG_MCUMGR_GRP_IMG"
    assert failed["KC153"]["diagnostic"]["helps"][0]["edit"] == "CONFIG_MCUMGR_GRP_IMG=y\n"
    counted = loaded["summary"]
    assert counted["rules"] == len(report.rules)
    statuses = ("passed", "errors", "warnings", "infos", "waived", "not_applicable", "unknown")
    assert sum(counted[name] for name in statuses) == len(report.outcomes)


def test_json_of_other_builds_keeps_to_the_schema_too(tmp_path: Path) -> None:
    for number, small in enumerate(
        [SmallBuild(), SmallBuild(MIXED_NAMES), SmallBuild(mcuboot=None), SmallBuild({"CAF": None})]
    ):
        json_of(evaluate(small.load(tmp_path / str(number)), CheckOptions()))


def test_waived_finding_stays_in_the_report_and_counts_for_nothing(tmp_path: Path) -> None:
    here = Location(Path("dfu-ble.yml"), 3)
    waivers = tuple(Waiver(rule, "known", None, None, here) for rule in ("KC153", "open-to-anyone"))
    report = faulty(tmp_path, CheckOptions(waivers=waivers))
    assert [finding.code for finding in report.findings] == ["KC171"]
    assert report.exit_status == 0
    text = render(report, "human", tmp_path)
    assert "waived KC153 image-group-disabled (app): `CONFIG_MCUMGR_GRP_IMG` is off" in text
    assert "2 waived" in text
    assert json_of(report)["summary"]["waived"] == 2


def test_diagnostic_in_full() -> None:
    diagnostic = Diagnostic(
        code="IM301",
        name="key-missing",
        severity=Severity.ERROR,
        message="the key `k.pem` is not here",
        why="Nothing can be signed.",
        location=Location(Path("/w/build/zephyr/.config"), 12),
        notes=(Note("looked for it in /keys"), Note("named here", Location(Path("/w/a.conf"), 3))),
        helps=(Help("add to `prj.conf`", edit="CONFIG_A=y\nCONFIG_B=y\n", file="prj.conf"),),
    )
    assert render_diagnostic(diagnostic, colour=False, cwd=Path("/w")) == (
        "error[IM301] key-missing: the key `k.pem` is not here\n"
        "  --> build/zephyr/.config:12\n"
        "   = why:  Nothing can be signed.\n"
        "   = note: looked for it in /keys\n"
        "   = note: named here (a.conf:3)\n"
        "   = help: add to `prj.conf`\n"
        "             CONFIG_A=y\n"
        "             CONFIG_B=y\n"
        "   = more: west dfu-ble explain IM301"
    )


HEAVY = ("asyncio", "bleak", "bumble", "cryptography", "imgtool", "rich", "elftools", "serial")


@pytest.mark.parametrize("name", list(reports.FORMATS))
def test_check_imports_nothing_heavy(tmp_path: Path, name: str) -> None:
    SmallBuild().write(tmp_path)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from west_dfu_ble import builddir, report, rules\n"
        f"build = builddir.load(Path({str(tmp_path)!r}))\n"
        "found = rules.evaluate(build, rules.CheckOptions())\n"
        f"report.render(found, {name!r}, colour=True, cwd=Path())\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
