# SPDX-License-Identifier: Apache-2.0
"""Every plain rule on a good build with one fault, in each generation of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_builds import (
    DIRECT_XIP_APPLICATION,
    DIRECT_XIP_MCUBOOT,
    MIXED_NAMES,
    NEW_NAMES,
    OLD_NAMES,
    Edits,
    SmallBuild,
)
from west_dfu_ble.diagnostics import Diagnostic, ExitStatus, Severity
from west_dfu_ble.rules import CheckOptions, CheckReport, Generation, Status, evaluate

# Code, then the symbol in the old names, in those of 2.3, and in the new ones; "" is not asked for.
SYMBOLS = [
    ("KC151", "CAF", "CAF", "CAF"),
    ("KC150", "CAF_BLE_SMP", "CAF_BLE_SMP", "CAF_BLE_SMP"),
    ("KC152", "CAF_BLE_STATE", "CAF_BLE_STATE", "CAF_BLE_STATE"),
    ("KC153", "MCUMGR_CMD_IMG_MGMT", "MCUMGR_CMD_IMG_MGMT", "MCUMGR_GRP_IMG"),
    ("KC154", "", "MCUMGR_MGMT_NOTIFICATION_HOOKS", "MCUMGR_MGMT_NOTIFICATION_HOOKS"),
    ("KC155", "", "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK", "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK"),
    ("KC156", "MCUMGR_SMP_BT", "MCUMGR_SMP_BT", "MCUMGR_TRANSPORT_BT"),
    ("KC157", "BOOTLOADER_MCUBOOT", "BOOTLOADER_MCUBOOT", "BOOTLOADER_MCUBOOT"),
    ("KC158", "MCUMGR", "MCUMGR", "MCUMGR"),
    ("KC159", "BT", "BT", "BT"),
    ("KC160", "BT_PERIPHERAL", "BT_PERIPHERAL", "BT_PERIPHERAL"),
    ("KC161", "BT_SMP", "BT_SMP", "BT_SMP"),
    ("KC162", "APP_EVENT_MANAGER", "APP_EVENT_MANAGER", "APP_EVENT_MANAGER"),
    ("KC163", "", "", "NET_BUF"),
    ("KC164", "", "", "ZCBOR"),
    ("KC165", "", "", "CRC"),
    ("KC166", "", "", "FLASH"),
    ("KC167", "", "", "IMG_MANAGER"),
    ("KC168", "", "", "FLASH_MAP"),
    ("KC169", "", "", "STREAM_FLASH"),
    ("KC170", "MCUMGR_CMD_OS_MGMT", "MCUMGR_CMD_OS_MGMT", "MCUMGR_GRP_OS"),
    ("KC171", "REBOOT", "REBOOT", "REBOOT"),
]
NAMES = {
    Generation.OLD: OLD_NAMES,
    Generation.MIXED: MIXED_NAMES,
    Generation.NEW: NEW_NAMES,
}
ONLY_CAF = {"KC150", "KC151", "KC152", "KC154", "KC155", "KC161", "KC162"}


def check(folder: Path, small: SmallBuild, options: CheckOptions | None = None) -> CheckReport:
    return evaluate(small.load(folder), options or CheckOptions())


def the_error(report: CheckReport) -> Diagnostic:
    """The one error of the report."""
    (error,) = (one for one in report.findings if one.severity is Severity.ERROR)
    return error


@pytest.mark.parametrize("generation", Generation)
def test_good_build_has_no_finding(tmp_path: Path, generation: Generation) -> None:
    report = check(tmp_path, SmallBuild(application=NAMES[generation]))
    assert report.generation is generation
    assert report.profile.name == "caf"
    assert report.findings == ()
    assert report.exit_status is ExitStatus.DONE
    asked = {outcome.code for outcome in report.outcomes if outcome.status is Status.PASS}
    column = list(Generation).index(generation) + 1
    assert {row[0] for row in SYMBOLS if row[column]} <= asked


ASKED_FOR = [
    pytest.param(generation, code, symbol, id=f"{generation.value}-{code}")
    for code, *symbols in SYMBOLS
    for generation, symbol in zip(Generation, symbols, strict=True)
    # A build without MCUboot is refused before any rule is asked.
    if symbol and code != "KC157"
]


@pytest.mark.parametrize(("generation", "code", "symbol"), ASKED_FOR)
@pytest.mark.parametrize("value", ["n", None], ids=["off", "absent"])
def test_one_symbol_off_is_one_finding_with_the_line_and_the_cure(
    tmp_path: Path, generation: Generation, code: str, symbol: str, value: str | None
) -> None:
    names: Edits = {**NAMES[generation], symbol: value}
    report = check(tmp_path, SmallBuild(application=names), CheckOptions(profile="caf"))

    (finding,) = report.findings
    assert (finding.code, finding.data["symbol"]) == (code, f"CONFIG_{symbol}")
    lines = (tmp_path / "zephyr/.config").read_text().splitlines()
    assert finding.location is not None
    if value == "n":
        assert finding.message == f"`CONFIG_{symbol}` is off"
        assert finding.location.line is not None
        assert lines[finding.location.line - 1] == f"# CONFIG_{symbol} is not set"
    else:
        assert finding.message == f"`CONFIG_{symbol}` is not in the configuration"
        assert finding.location.line is None
    assert finding.helps[0].edit == f"CONFIG_{symbol}=y\n"
    fragile = code in ("KC170", "KC171")
    assert finding.severity is (Severity.WARNING if fragile else Severity.ERROR)
    assert report.exit_status is (ExitStatus.DONE if fragile else ExitStatus.FINDINGS)

    # The edit that the help offers makes the finding go away.
    mended: Edits = {**names, symbol: "y"}
    assert check(tmp_path, SmallBuild(application=mended)).findings == ()


def test_module_off_tells_its_requirements_and_nothing_else_fails(tmp_path: Path) -> None:
    off: Edits = dict.fromkeys(
        (
            "CAF_BLE_SMP",
            "MCUMGR",
            "MCUMGR_GRP_IMG",
            "MCUMGR_GRP_OS",
            "MCUMGR_TRANSPORT_BT",
            "MCUMGR_MGMT_NOTIFICATION_HOOKS",
            "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK",
            "ZCBOR",
        )
    )
    report = check(tmp_path, SmallBuild(application=off))

    (finding,) = report.findings
    assert finding.code == "KC150"
    edit = finding.helps[0].edit.splitlines()
    assert edit[-1] == "CONFIG_CAF_BLE_SMP=y"
    assert set(edit) == {f"CONFIG_{name}=y" for name in off} - {"CONFIG_MCUMGR_GRP_OS=y"}
    followers = [
        outcome
        for outcome in report.outcomes
        if outcome.status is Status.NOT_APPLICABLE and "part of KC150" in outcome.reason
    ]
    assert {outcome.code for outcome in followers} == {
        "KC153", "KC154", "KC155", "KC156", "KC158", "KC164", "KC170"
    }  # fmt: skip

    mended: Edits = {**off, **dict.fromkeys(off, "y")}
    assert check(tmp_path, SmallBuild(application=mended)).findings == ()


def test_mcumgr_off_is_one_finding_in_the_profile_mcumgr(tmp_path: Path) -> None:
    off: Edits = dict.fromkeys(
        ("CAF", "CAF_BLE_SMP", "MCUMGR_GRP_IMG", "MCUMGR_GRP_OS", "MCUMGR_TRANSPORT_BT")
    )
    report = check(tmp_path, SmallBuild(application={**off, "MCUMGR": "n"}))
    assert report.profile.name == "mcumgr"
    assert [finding.code for finding in report.findings] == ["KC158"]
    # Without a name of MCUmgr's, the choice of the bootloader's mode still tells the generation.
    assert report.generation is Generation.NEW


def test_without_any_telling_symbol_the_newest_names_are_shown_and_it_is_said(
    tmp_path: Path,
) -> None:
    off: Edits = dict.fromkeys(OLD_NAMES)
    small = SmallBuild(application={**off, "MCUMGR": "n", "CAF_BLE_SMP": None}, mcuboot={})
    report = check(tmp_path, small)
    assert report.generation is None
    finding = the_error(report)
    assert finding.code == "KC150"
    assert "CONFIG_MCUMGR_GRP_IMG=y\n" in finding.helps[0].edit
    assert any("tells the SDK's generation" in note.text for note in finding.notes)


def test_profile_caf_without_caf_is_one_finding(tmp_path: Path) -> None:
    off: Edits = dict.fromkeys(
        ("CAF", "CAF_BLE_SMP", "CAF_BLE_STATE", "APP_EVENT_MANAGER",
         "MCUMGR_MGMT_NOTIFICATION_HOOKS", "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK")
    )  # fmt: skip
    small = SmallBuild(application=off)
    assert check(tmp_path, small).findings == ()
    report = check(tmp_path, small, CheckOptions(profile="caf"))
    assert [finding.code for finding in report.findings] == ["KC151"]
    assert report.exit_status is ExitStatus.FINDINGS


@pytest.mark.parametrize("server", ["DESKTOP_DFU_MCUMGR_ENABLE", "DESKTOP_DFU_MCUMGR"])
def test_another_module_that_serves_the_update_takes_the_caf_rules_away(
    tmp_path: Path, server: str
) -> None:
    small = SmallBuild(application={"CAF_BLE_SMP": "n", server: "y"})
    report = check(tmp_path, small)
    assert report.profile.name == "mcumgr"
    assert server in report.profile.reason
    assert report.findings == ()
    reasons = {o.reason for o in report.outcomes if o.code in ONLY_CAF}
    assert reasons == {f"profile `mcumgr`: {report.profile.reason}"}


@pytest.mark.parametrize(("value", "codes"), [("y", []), ("n", ["KC172"]), (None, ["KC172"])])
def test_wrong_variant_is_to_be_rejected_in_direct_xip(
    tmp_path: Path, value: str | None, codes: list[str]
) -> None:
    name = "MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT"
    small = SmallBuild(
        application={**DIRECT_XIP_APPLICATION, name: value},
        mcuboot=DIRECT_XIP_MCUBOOT,
        variant={},
    )
    report = check(tmp_path, small)
    assert [finding.code for finding in report.findings] == codes
    assert report.exit_status is ExitStatus.DONE
    assert all(finding.severity is Severity.WARNING for finding in report.findings)


@pytest.mark.parametrize(
    ("edits", "codes"),
    [
        ({"MCUMGR_TRANSPORT_BT": "n"}, ["KC156"]),
        ({"BT": "n", "BT_PERIPHERAL": None, "MCUMGR_TRANSPORT_BT": None}, ["KC159"]),
    ],
)
def test_another_transport_makes_the_lack_of_bluetooth_a_warning(
    tmp_path: Path, edits: Edits, codes: list[str]
) -> None:
    off: Edits = {**edits, "CAF": None, "CAF_BLE_SMP": None, "MCUMGR_TRANSPORT_BT_AUTHEN": None}
    report = check(tmp_path / "only", SmallBuild(application=off))
    assert [(f.code, f.severity) for f in report.findings] == [(codes[0], Severity.ERROR)]
    other: Edits = {**off, "MCUMGR_TRANSPORT_UART": "y"}
    report = check(tmp_path / "other", SmallBuild(application=other))
    assert [(f.code, f.severity) for f in report.findings] == [(codes[0], Severity.WARNING)]
