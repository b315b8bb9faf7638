# SPDX-License-Identifier: Apache-2.0
"""The model of the upload time against measurements with a real Zephyr server on a timed link."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from small_builds import OLD_NAMES, SmallBuild
from west_dfu_ble.rules import CheckOptions, evaluate
from west_dfu_ble.rules.link_settings import link_of
from west_dfu_ble.rules.upload_time import Link, bytes_per_second

WHOLE = Link(
    att_mtu=498,
    buffer_size=2475,
    reassembly=True,
    window=2,
    packet_size=251,
    interval=15,
    event=15,
)
ONE_WRITE = replace(WHOLE, buffer_size=495)

# What was measured, in kB/s: Zephyr 3.5.0's smp_svr, 251-byte packets, no loss on the air.
MEASURED = [
    (15.7, replace(ONE_WRITE, window=1)),
    (30.9, ONE_WRITE),
    (15.7, replace(ONE_WRITE, window=1, packets_per_event=4)),
    (30.9, replace(ONE_WRITE, packets_per_event=4)),
    (7.8, replace(ONE_WRITE, window=1, interval=30, event=30, packets_per_event=6)),
    (14.8, replace(ONE_WRITE, interval=30, event=30, packets_per_event=6)),
    (81.4, replace(WHOLE, window=1)),
    (158.9, WHOLE),
    (40.8, replace(WHOLE, window=1, packets_per_event=4)),
    (64.4, replace(WHOLE, packets_per_event=4)),
    (27.1, replace(WHOLE, window=1, interval=30, event=30, packets_per_event=6)),
    (48.1, replace(WHOLE, interval=30, event=30, packets_per_event=6)),
    (108.4, replace(WHOLE, window=1, interval=7.5, event=7.5)),
    (160.6, replace(WHOLE, interval=7.5, event=7.5)),
    (24.4, replace(WHOLE, window=1, interval=50, event=50, phy=1)),
    (47.6, replace(WHOLE, interval=50, event=50, phy=1)),
    (14.9, Link(252, 384, False, 2, 251, 15, 15)),
]


@pytest.mark.parametrize(("measured", "link"), MEASURED)
def test_model_is_within_a_tenth_of_what_was_measured(measured: float, link: Link) -> None:
    assert bytes_per_second(link) / 1000 == pytest.approx(measured, rel=0.1)


def test_link_is_read_from_the_configuration_in_every_generation(tmp_path: Path) -> None:
    new = link_of(SmallBuild().load(tmp_path / "new"), None)
    assert new == Link(498, 2475, True, 2, 251, 11.25, 11.25)
    report = evaluate(SmallBuild(OLD_NAMES).load(tmp_path / "old"), CheckOptions())
    assert link_of(report.build, report.generation) == new
    silent = dict.fromkeys(
        ("BT_L2CAP_TX_MTU", "BT_BUF_ACL_RX_SIZE", "BT_CTLR_DATA_LENGTH_MAX",
         "MCUMGR_TRANSPORT_NETBUF_SIZE", "MCUMGR_TRANSPORT_NETBUF_COUNT",
         "MCUMGR_TRANSPORT_BT_REASSEMBLY", "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL")
    )  # fmt: skip
    link = link_of(SmallBuild(silent).load(tmp_path / "silent"), None)
    assert link == Link(23, 384, False, 2, 27, 50, 50)


def test_estimate_names_what_would_shorten_the_upload_most(tmp_path: Path) -> None:
    small = SmallBuild(
        {"MCUMGR_TRANSPORT_BT_REASSEMBLY": "n", "MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL": "n"},
        files={"zephyr/zephyr.bin": bytes(100_000)},
    )
    report = evaluate(small.load(tmp_path), CheckOptions())
    estimate = report.upload
    assert estimate is not None
    assert (estimate.size, estimate.nominal) == (100_000, False)
    # 471 bytes, two at a time, answered every other event of 50 ms.
    assert estimate.seconds == pytest.approx(100_000 / (2 * 471 / 0.1), rel=0.01)
    assert [code for code, _ in estimate.gains] == ["KC190", "KC196"]
    assert all(seconds < estimate.seconds for _, seconds in estimate.gains)


def test_no_estimate_without_smp_over_bluetooth(tmp_path: Path) -> None:
    report = evaluate(
        SmallBuild({"MCUMGR_TRANSPORT_BT": "n"}).load(tmp_path), CheckOptions(profile="mcumgr")
    )
    assert report.upload is None
    assert [finding.code for finding in report.findings] == ["KC156"]
