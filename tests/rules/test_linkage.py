# SPDX-License-Identifier: Apache-2.0
"""Where the application stands in its slot: right behind the header, or behind secure firmware."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_builds import SampleBuild, all_of, edit, replace
from west_dfu_ble.rules import CheckOptions, Status, evaluate

# The header's room grows, so that the application no longer stands right behind it.
MOVED = all_of(
    replace("partitions.yml", "size: 0x200\n", "size: 0x400\n"),
    replace("partitions.yml", "address: 0xc200", "address: 0xc400"),
    replace("partitions.yml", "size: 0x78e00", "size: 0x78c00"),
    lambda build: (build / "pm.config").unlink(),
)


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ("CONFIG_BUILD_WITH_TFM", Status.PASS),
        ("CONFIG_TRUSTED_EXECUTION_NONSECURE", Status.PASS),
        ("CONFIG_SOMETHING_ELSE", Status.FAIL),
    ],
)
def test_application_behind_secure_firmware(tmp_path: Path, option: str, status: Status) -> None:
    sample = SampleBuild(
        "build-swap",
        all_of(MOVED, edit("zephyr/.config", lambda data: data + f"{option}=y\n".encode())),
        signed=False,
    )
    report = evaluate(sample.load(tmp_path), CheckOptions(select=("IM351",)))
    (outcome,) = (one for one in report.outcomes if one.code == "IM351")
    assert outcome.status is status, outcome


def test_application_outside_its_slot_is_found_with_secure_firmware_too(tmp_path: Path) -> None:
    sample = SampleBuild(
        "build-direct-xip",
        all_of(
            edit("zephyr/.config", lambda data: data + b"CONFIG_BUILD_WITH_TFM=y\n"),
            lambda build: (build / "zephyr/zephyr.elf").write_bytes(
                (build / "mcuboot_secondary_app/zephyr/zephyr.elf").read_bytes()
            ),
        ),
        signed=False,
    )
    report = evaluate(sample.load(tmp_path), CheckOptions(select=("IM351",)))
    (finding,) = report.findings
    assert finding.message == "the vector table is at 0x82200, outside the primary slot"
    assert any("in the secondary slot" in note.text for note in finding.notes)
