# SPDX-License-Identifier: Apache-2.0
"""The link `ble` pairs where the device wants it, and says what keeps it from pairing."""

from __future__ import annotations

import pytest
from bleak.exc import (
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)

from ble_cases import INSUFFICIENT_ENCRYPTION, SECONDS, echo, failure, make_fast, run
from fake_bleak import Air, Peripheral
from smp_echo import echo_request
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import ble as ble_module
from west_dfu_ble.link.ble import BleLink


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    make_fast(monkeypatch)


REFUSALS = [
    BleakGATTProtocolError(0x05),
    BleakGATTProtocolError(0x0C),
    BleakGATTProtocolError(INSUFFICIENT_ENCRYPTION),
    BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]),
    BleakError("Could not start notify on 0012: Access Denied"),  # WinRT
    BleakDBusError("org.bluez.Error.Failed", ["Operation failed with ATT error: 0x0f"]),  # 1.x
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_device_that_wants_pairing_is_paired(refusal: Exception) -> None:
    async def test() -> None:
        device = Peripheral(notify_errors=[refusal])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        await echo(link, "secret")
        assert device.log == ["connect", "subscribe", "pair", "subscribe"]
        await link.disconnect()

    run(test)


@pytest.mark.parametrize(
    ("device", "message", "note"),
    [
        (
            Peripheral(
                notify_errors=[BleakGATTProtocolError(0x05)],
                pair_error=BleakDBusError(
                    "org.bluez.Error.AuthenticationFailed", ["Authentication Failed"]
                ),
            ),
            "Tiny takes commands only over a paired connection, and pairing failed",
            "the system says: [org.bluez.Error.AuthenticationFailed] Authentication Failed",
        ),
        (
            Peripheral(
                notify_errors=[BleakGATTProtocolError(0x05)],
                pair_error=NotImplementedError("Pairing is not available in Core Bluetooth."),
            ),
            "Tiny takes commands only over a paired connection, and pairing failed",
            "the system says: Pairing is not available in Core Bluetooth.",
        ),
        (
            Peripheral(notify_errors=[BleakGATTProtocolError(0x05)] * 2),
            "Tiny refuses the paired connection: it was made without a passkey",
            "the system says: (5, 'GATT Protocol Error: Insufficient Authentication')",
        ),
    ],
)
def test_pairing_that_fails_is_lk405_with_its_remedy(
    device: Peripheral, message: str, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    diagnostic = failure(Air([device])).diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK405", message)
    assert [n.text for n in diagnostic.notes] == [note]
    assert "--passkey" in diagnostic.helps[0].text
    assert "bluetoothctl remove C0:FF:EE:00:00:01" in diagnostic.helps[1].text
    assert device.log.count("connect") == 1


def test_a_subscription_that_is_never_answered_is_lk405(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ble_module, "_PAIRING_TIME", 0.1)
    diagnostic = failure(Air([Peripheral(mute=True)])).diagnostic
    assert diagnostic.code == "LK405"
    assert diagnostic.message == (
        "Tiny refuses the paired connection: it was made without a passkey"
    )
    assert diagnostic.notes[0].text == "the system says: nothing, 0 s long"


def test_a_write_refused_for_want_of_pairing_is_lk405() -> None:
    async def test() -> None:
        device = Peripheral(write_errors=[BleakGATTProtocolError(INSUFFICIENT_ENCRYPTION)])
        link = BleLink("Tiny", Air([device]).stack())
        await link.connect(SECONDS)
        with pytest.raises(DfuBleError, match="LK405"):
            await link.send(echo_request("x"))
        await link.disconnect()

    run(test)
