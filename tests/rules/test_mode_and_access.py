# SPDX-License-Identifier: Apache-2.0
"""Rules with a module of their own: mode, access, demo key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from small_builds import (
    DIRECT_XIP_APPLICATION,
    DIRECT_XIP_MCUBOOT,
    OLD_NAMES,
    Edits,
    SmallBuild,
)
from west_dfu_ble import image
from west_dfu_ble.diagnostics import Diagnostic, ExitStatus, Severity
from west_dfu_ble.rules import CheckOptions, CheckReport, Outcome, Status, evaluate


def outcome_of(report: CheckReport, code: str) -> Outcome:
    (outcome,) = (one for one in report.outcomes if one.code == code)
    return outcome


def finding_of(report: CheckReport, code: str) -> Diagnostic:
    diagnostic = outcome_of(report, code).diagnostic
    assert diagnostic is not None
    return diagnostic


def test_direct_xip_over_a_swapping_mcuboot_is_an_error(tmp_path: Path) -> None:
    small = SmallBuild(application=DIRECT_XIP_APPLICATION)
    report = evaluate(small.load(tmp_path), CheckOptions(select=("KC173",)))
    finding = finding_of(report, "KC173")
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "the application is built for direct-xip, MCUboot for swap using move"
    )
    assert finding.location is not None
    assert finding.location.path == tmp_path / "zephyr/.config"
    note = finding.notes[0]
    assert note.location is not None
    assert note.location.path == tmp_path / "mcuboot/zephyr/.config"
    assert finding.helps[0].edit == "CONFIG_MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH=y\n"
    assert report.exit_status is ExitStatus.FINDINGS


def test_stock_swap_application_over_overwrite_only_is_a_warning(tmp_path: Path) -> None:
    small = SmallBuild(mcuboot={"BOOT_SWAP_USING_MOVE": "n", "BOOT_UPGRADE_ONLY": "y"})
    report = evaluate(small.load(tmp_path), CheckOptions())
    assert finding_of(report, "KC173").severity is Severity.WARNING
    assert report.exit_status is ExitStatus.DONE


def test_modes_that_agree_pass(tmp_path: Path) -> None:
    small = SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={})
    outcome = outcome_of(evaluate(small.load(tmp_path), CheckOptions()), "KC173")
    assert (outcome.status, outcome.reason) == (Status.PASS, "both say direct-xip")


@pytest.mark.parametrize(
    ("edits", "mcuboot", "status"),
    [
        (OLD_NAMES, {}, Status.NOT_APPLICABLE),
        ({}, None, Status.UNKNOWN),
    ],
    ids=["no-choice-in-old-sdk", "no-mcuboot-in-the-build"],
)
def test_mode_that_is_not_known_on_one_side(
    tmp_path: Path, edits: Edits, mcuboot: Edits | None, status: Status
) -> None:
    build = SmallBuild(edits, mcuboot).load(tmp_path)
    report = evaluate(build, CheckOptions(select=("KC173",), strict=True))
    assert outcome_of(report, "KC173").status is status
    undecided = status is Status.UNKNOWN
    assert report.exit_status is (ExitStatus.UNDECIDED if undecided else ExitStatus.DONE)
    assert evaluate(build, CheckOptions()).exit_status is ExitStatus.DONE


AUTHEN = "MCUMGR_TRANSPORT_BT_AUTHEN"
PERM = "MCUMGR_TRANSPORT_BT_PERM_RW"


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({AUTHEN: "y"}, ""),
        ({AUTHEN: "n"}, f"the SMP service takes any connection: `CONFIG_{AUTHEN}` is off"),
        ({AUTHEN: None}, f"the SMP service takes any connection: `CONFIG_{AUTHEN}` is off"),
        ({AUTHEN: None, PERM: "y"}, f"the SMP service takes any connection: `CONFIG_{PERM}` is on"),
        ({AUTHEN: None, PERM: "n", f"{PERM}_AUTHEN": "y"}, ""),
        (
            {AUTHEN: None, PERM: "n", f"{PERM}_ENCRYPT": "y"},
            "the SMP service takes any encrypted connection, and any peer may pair",
        ),
        (
            {
                AUTHEN: None,
                PERM: "n",
                f"{PERM}_ENCRYPT": "y",
                "CAF_BLE_ADV_FILTER_ACCEPT_LIST": "y",
            },
            "",
        ),
        ({**OLD_NAMES, "MCUMGR_SMP_BT_AUTHEN": "y"}, ""),
        (
            {**OLD_NAMES, "MCUMGR_SMP_BT_AUTHEN": "n"},
            "the SMP service takes any connection: `CONFIG_MCUMGR_SMP_BT_AUTHEN` is off",
        ),
    ],
)
def test_who_may_upload(tmp_path: Path, edits: Edits, message: str) -> None:
    build = SmallBuild(application=edits).load(tmp_path)
    found = [one.message for one in evaluate(build, CheckOptions(select=("KC185",))).findings]
    assert found == ([message] if message else [])


def test_unsafe_is_a_warning_and_an_error_in_a_release(tmp_path: Path) -> None:
    build = SmallBuild(application={AUTHEN: "n"}).load(tmp_path)
    report = evaluate(build, CheckOptions())
    assert finding_of(report, "KC185").severity is Severity.WARNING
    assert report.exit_status is ExitStatus.DONE
    report = evaluate(build, CheckOptions(release=True))
    assert finding_of(report, "KC185").severity is Severity.ERROR
    assert report.exit_status is ExitStatus.FINDINGS


def public_key_source(kind: str) -> bytes:
    """A key made by the real imgtool, as `imgtool getpub` writes it into MCUboot's build."""
    import io

    from imgtool import keys

    key = getattr(keys, kind).generate()
    text = io.StringIO()
    key.emit_c_public(file=text)
    return text.getvalue().encode()


@pytest.mark.parametrize("kind", ["ECDSA256P1", "Ed25519"])
def test_own_key_passes(tmp_path: Path, kind: str) -> None:
    source = public_key_source(kind)
    small = SmallBuild(files={"mcuboot/zephyr/autogen-pubkey.c": source})
    outcome = outcome_of(evaluate(small.load(tmp_path), CheckOptions()), "IM350")
    assert outcome.status is Status.PASS, outcome


def test_published_key_is_found_by_its_hash_not_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    source = public_key_source("ECDSA256P1")
    array = re.search(rb"\{([^}]*)\}", source)
    assert array is not None
    der = bytes(int(item, 16) for item in array[1].split(b",") if item.strip())
    digest = hashlib.sha256(der).digest()
    monkeypatch.setattr(image, "demo_key", {digest: "published.pem"}.get)
    small = SmallBuild(files={"mcuboot/zephyr/autogen-pubkey.c": source})
    build = small.load(tmp_path)

    report = evaluate(build, CheckOptions())
    finding = finding_of(report, "IM350")
    assert finding.severity is Severity.WARNING
    assert finding.message == "MCUboot was built with the published key `published.pem`"
    assert evaluate(build, CheckOptions(release=True)).exit_status is ExitStatus.FINDINGS


def test_key_that_can_not_be_compared_is_unknown_even_if_its_name_is_a_demo_keys(
    tmp_path: Path,
) -> None:
    small = SmallBuild(
        mcuboot={"BOOT_SIGNATURE_KEY_FILE": '"root-ec-p256.pem"'},
        files={"mcuboot/zephyr/autogen-pubkey.c": ""},
    )
    outcome = outcome_of(evaluate(small.load(tmp_path), CheckOptions()), "IM350")
    assert outcome.status is Status.UNKNOWN
    assert "called `root-ec-p256.pem`, as MCUboot's demo keys are" in outcome.reason


BUILDS = Path(__file__).resolve().parents[3] / "shared" / "builds"


@pytest.mark.skipif(not BUILDS.is_dir(), reason="the text files of real builds are not here")
def test_hashes_of_published_keys_are_those_in_real_images() -> None:
    # KEYHASH of real images, as `imgtool dumpinfo` printed it.
    hashes = set()
    for path in BUILDS.glob("*/imgtool-analysis.txt"):
        text = path.read_text()
        for match in re.finditer(r"type: KEYHASH.*?data: (.*?)-{9}", text, re.DOTALL):
            hashes.add("".join(item[2:] for item in match[1].split()))
    assert len(hashes) == 3
    assert all(image.demo_key(bytes.fromhex(one)) for one in hashes)
