# SPDX-License-Identifier: Apache-2.0
"""The rules on the text files of real build directories, and on mutations of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from west_dfu_ble import builddir
from west_dfu_ble.diagnostics import ExitStatus, Severity
from west_dfu_ble.rules import CheckOptions, Generation, Status, evaluate

BUILDS = Path(__file__).resolve().parents[3] / "shared" / "builds"
pytestmark = pytest.mark.skipif(
    not BUILDS.is_dir(), reason="the text files of real builds are not here"
)
SWAP, DIRECT_XIP = "ncs-2.5.0-child-image-swap", "ncs-2.5.0-child-image-direct-xip"
UPSTREAM = "zephyr-3.5.0-sysbuild-swap"


@pytest.mark.parametrize(
    ("name", "profile"), [(SWAP, "caf"), (DIRECT_XIP, "caf"), (UPSTREAM, "mcumgr")]
)
def test_stock_application_passes_without_an_error(name: str, profile: str) -> None:
    report = evaluate(builddir.load(BUILDS / name), CheckOptions())
    assert report.profile.name == profile
    assert report.generation is Generation.NEW
    assert report.exit_status is ExitStatus.DONE
    assert report.summary.errors == 0
    assert "KC185" in {finding.code for finding in report.findings}
    by_code = {outcome.code: outcome for outcome in report.outcomes}
    caf = Status.PASS if profile == "caf" else Status.NOT_APPLICABLE
    for code in ("KC150", "KC151", "KC152", "KC154", "KC155", "KC161", "KC162"):
        assert by_code[code].status is caf, by_code[code]
    for code in ("KC153", "KC156", "KC157", "KC158", "KC159", "KC160", "KC170", "KC171", "KC173"):
        assert by_code[code].status is Status.PASS, by_code[code]
    # One outcome for each rule and image.
    assert len({(o.code, o.image) for o in report.outcomes}) == len(report.outcomes)
    assert {o.code for o in report.outcomes} == {rule.code for rule in report.rules}


@pytest.mark.parametrize("name", [SWAP, DIRECT_XIP, UPSTREAM])
def test_release_makes_the_open_service_an_error(name: str) -> None:
    report = evaluate(builddir.load(BUILDS / name), CheckOptions(release=True))
    assert report.exit_status is ExitStatus.FINDINGS
    assert "KC185" in {f.code for f in report.findings if f.severity is Severity.ERROR}


def test_upstream_build_under_the_profile_caf_says_once_that_there_is_no_caf() -> None:
    report = evaluate(builddir.load(BUILDS / UPSTREAM), CheckOptions(profile="caf"))
    assert report.exit_status is ExitStatus.FINDINGS
    plain = evaluate(builddir.load(BUILDS / UPSTREAM), CheckOptions())
    known = {finding.code for finding in plain.findings}
    errors = [one for one in report.findings if one.code not in known]
    assert [(error.code, error.severity) for error in errors] == [("KC151", Severity.ERROR)]
    assert errors[0].message == "`CONFIG_CAF` is not in the configuration"


# What the CAF SMP module of SDK 2.5.0 needs, and which rule says so when it is switched off.
NEEDED = {
    "CAF": "KC151",
    "CAF_BLE_SMP": "KC150",
    "CAF_BLE_STATE": "KC152",
    "MCUMGR": "KC158",
    "MCUMGR_GRP_IMG": "KC153",
    # This application uses the SDK's OTA helper, which brings all but the hooks.
    "MCUMGR_MGMT_NOTIFICATION_HOOKS": "KC181",
    "MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK": "KC181",
    "MCUMGR_TRANSPORT_BT": "KC156",
    "BT": "KC159",
    "BT_PERIPHERAL": "KC160",
    "BT_SMP": "KC161",
    "APP_EVENT_MANAGER": "KC162",
    "NET_BUF": "KC163",
    "ZCBOR": "KC164",
    "CRC": "KC165",
    "FLASH": "KC166",
    "IMG_MANAGER": "KC167",
    "FLASH_MAP": "KC168",
    "STREAM_FLASH": "KC169",
}


@pytest.mark.parametrize(("symbol", "code"), NEEDED.items())
def test_real_configuration_with_one_option_off_has_one_error(
    tmp_path: Path, symbol: str, code: str
) -> None:
    build = tmp_path / "build"
    shutil.copytree(BUILDS / SWAP, build)
    for path in (build, *build.rglob("*")):
        path.chmod(0o755)
    config = build / "zephyr/.config"
    text = config.read_text()
    changed = re.sub(rf"^CONFIG_{symbol}=y$", f"# CONFIG_{symbol} is not set", text, flags=re.M)
    assert changed != text
    config.write_text(changed)

    report = evaluate(builddir.load(build), CheckOptions(profile="caf"))

    errors = [one for one in report.findings if one.severity is Severity.ERROR]
    assert [one.code for one in errors] == [code]
    (error,) = errors
    assert f"`CONFIG_{symbol}`" in error.message
    assert error.location is not None
    assert error.location.line is not None
    line = changed.splitlines()[error.location.line - 1]
    assert line == f"# CONFIG_{symbol} is not set"
    assert report.exit_status is ExitStatus.FINDINGS
