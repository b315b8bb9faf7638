# SPDX-License-Identifier: Apache-2.0
"""The link `ble` finds the device that is meant, and says what it saw instead."""

from __future__ import annotations

import asyncio

import pytest

from ble_cases import SECONDS, echo, failure, make_fast, run
from fake_bleak import Air, Peripheral
from west_dfu_ble.link import Seen
from west_dfu_ble.link.ble import BleLink, scan
from west_dfu_ble.link.gatt import SMP_SERVICE


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    make_fast(monkeypatch)


@pytest.mark.parametrize(
    "asked", ["Tiny", "C0:FF:EE:00:00:01", "c0:ff:ee:00:00:01", "C0-FF-EE-00-00-01", None]
)
def test_the_device_is_found_by_name_by_address_and_by_service(asked: str | None) -> None:
    async def test() -> None:
        # The name is in the scan response alone, as with many devices.
        device = Peripheral(advertisements=[(None, (SMP_SERVICE,)), ("Tiny", ())])
        other = Peripheral("Headset", "11:22:33:44:55:66", -30, ())
        link = BleLink(asked, Air([other, device]).stack())
        await link.connect(SECONDS)
        await echo(link, "hello")
        await link.disconnect()

    run(test)


@pytest.mark.parametrize("asked", ["Tiny", "C0:FF:EE:00:00:01", None])
def test_a_device_that_the_system_still_holds_is_found_without_advertising(
    asked: str | None,
) -> None:
    async def test() -> None:
        air = Air([Peripheral(silent=True, held=True)])
        assert await scan("", 0.02, air.stack()) == [
            Seen("Tiny", "C0:FF:EE:00:00:01", None, has_smp=True)
        ]
        link = BleLink(asked, air.stack())
        await link.connect(SECONDS)
        await echo(link, "still here")
        await link.disconnect()

    run(test)


def test_scan_lists_everybody() -> None:
    strange = Peripheral("Evil\x1b[2J", "11:22:33:44:55:66", -127, ())
    seen = asyncio.run(scan("", 0.03, Air([strange, Peripheral()]).stack()))
    assert seen == [
        Seen("Tiny", "C0:FF:EE:00:00:01", -50, has_smp=True),
        Seen("Evil?[2J", "11:22:33:44:55:66", None, has_smp=False),
    ]


@pytest.mark.parametrize(
    ("asked", "message", "help_text"),
    [
        ("Tony", "no device 'Tony' was seen in 0 s", "give a name exactly as it is listed here"),
        (None, "no device with the SMP service was seen in 0 s", "with --device"),
    ],
)
def test_not_found_lists_what_was_seen(asked: str | None, message: str, help_text: str) -> None:
    air = Air(
        [
            Peripheral("", "11:22:33:44:55:66", -80, ()),
            Peripheral("Tiny", rssi=-40, advertised_services=()),
        ]
    )
    diagnostic = failure(air, asked).diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK402", message)
    assert [note.text for note in diagnostic.notes] == [
        "seen: Tiny at C0:FF:EE:00:00:01, -40 dBm",
        "seen: (no name) at 11:22:33:44:55:66, -80 dBm",
    ]
    assert help_text in diagnostic.helps[0].text


def test_silence_is_said_to_be_silence() -> None:
    [note] = failure(Air([])).diagnostic.notes
    assert note.text == "no device at all was seen"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("Tiny", "2 devices named 'Tiny' are in range"),
        (None, "2 devices with the SMP service are in range"),
    ],
)
def test_two_that_fit_are_not_guessed_between(asked: str | None, message: str) -> None:
    air = Air([Peripheral(), Peripheral(address="C0:FF:EE:00:00:02")])
    diagnostic = failure(air, asked).diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK402", message)
    assert len(diagnostic.notes) == 2
