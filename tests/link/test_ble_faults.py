# SPDX-License-Identifier: Apache-2.0
"""Every way in which bleak and the systems below it say that Bluetooth is no use, as LK401."""

from __future__ import annotations

import asyncio

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from fake_bleak import Air, Peripheral
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.link.ble import BleLink, scan

Reason = BleakBluetoothNotAvailableReason
ABSENT = "this computer has no Bluetooth adapter"
CLASSIC = "the Bluetooth adapter cannot connect to Bluetooth LE devices"
OFF = "Bluetooth is off"
DENIED = "this user may not use Bluetooth"
NO_SERVICE = "the system's Bluetooth service is not running"
NO_BUS = "the system's message bus (D-Bus) cannot be reached"
UNKNOWN = "Bluetooth cannot be used"


def not_available(reason: Reason) -> Exception:
    return BleakBluetoothNotAvailableError("words of the backend", reason)


def dbus(name: str, *details: str) -> Exception:
    return BleakDBusError(name, list(details))


def windows(number: int) -> Exception:
    error = OSError("words of Windows")
    error.winerror = number  # type: ignore[attr-defined,unused-ignore] # absent elsewhere
    return error


class AuthError(ValueError):
    """Like that of dbus-fast, which other systems do not have."""

    __module__ = "dbus_fast.errors"


LINUX = [
    (not_available(Reason.NO_BLUETOOTH), ABSENT, "plug one in"),
    (not_available(Reason.NO_BLE_CENTRAL_ROLE), CLASSIC, "plug in a Bluetooth LE adapter"),
    (not_available(Reason.POWERED_OFF), OFF, "rfkill unblock bluetooth && bluetoothctl power on"),
    (not_available(Reason.DENIED_BY_SYSTEM), DENIED, "usermod -aG bluetooth"),
    (not_available(Reason.DENIED_BY_USER), DENIED, "usermod -aG bluetooth"),
    (not_available(Reason.DENIED_BY_UNKNOWN), DENIED, "usermod -aG bluetooth"),
    (not_available(Reason.UNKNOWN), UNKNOWN, "--link hci:usb:0"),
    (dbus("org.freedesktop.DBus.Error.ServiceUnknown"), NO_SERVICE, "systemctl start bluetooth"),
    (dbus("org.freedesktop.DBus.Error.NameHasNoOwner"), NO_SERVICE, "systemctl start bluetooth"),
    (
        dbus("org.freedesktop.DBus.Error.Spawn.ExecFailed", "Failed to execute program org.bluez"),
        NO_SERVICE,
        "systemctl start bluetooth",
    ),
    (dbus("org.freedesktop.DBus.Error.AccessDenied", "rejected"), DENIED, "usermod"),
    (dbus("org.freedesktop.DBus.Error.UnknownObject"), ABSENT, "plug one in"),
    (dbus("org.bluez.Error.NotReady", "Resource Not Ready"), OFF, "bluetoothctl power on"),
    (dbus("org.bluez.Error.Failed", "Blocked through rfkill"), OFF, "rfkill unblock"),
    (dbus("org.bluez.Error.Failed", "something else"), UNKNOWN, "--link hci:usb:0"),
    (BleakError("No Bluetooth adapters found."), ABSENT, "plug one in"),
    (BleakError("No powered Bluetooth adapters found."), OFF, "power on"),
    (FileNotFoundError(2, "No such file or directory"), NO_BUS, "systemctl start dbus"),
    (ConnectionRefusedError(111, "Connection refused"), NO_BUS, "systemctl start dbus"),
    (PermissionError(13, "Permission denied"), DENIED, "usermod"),
    (AuthError("authentication failed"), NO_BUS, "systemctl start dbus"),
    (BleakError("Bleak requires BlueZ >= 5.55."), UNKNOWN, "--link hci:usb:0"),
]
MACOS = [
    (not_available(Reason.DENIED_BY_USER), DENIED, "System Settings > Privacy & Security"),
    (not_available(Reason.POWERED_OFF), OFF, "System Settings > Bluetooth"),
    (BleakError("Bluetooth is unsupported"), ABSENT, "plug in a Bluetooth LE adapter"),
    (BleakError("Bluetooth device is turned off"), OFF, "System Settings > Bluetooth"),
]
WINDOWS = [
    (BleakError("Failed to start scanner. Is Bluetooth turned on?"), OFF, "Settings > Bluetooth"),
    (windows(-2147024875), OFF, "Settings > Bluetooth"),
    (windows(-2147020577), OFF, "Settings > Bluetooth"),
    (windows(-2147024891), DENIED, "Radios"),
    (windows(-1), UNKNOWN, "--link hci:usb:0"),
]


@pytest.mark.parametrize(
    ("system", "error", "message", "remedy"),
    [("Linux", *case) for case in LINUX]
    + [("Darwin", *case) for case in MACOS]
    + [("Windows", *case) for case in WINDOWS],
)
def test_bluetooth_that_is_no_use_is_lk401_with_what_to_do(
    system: str, error: Exception, message: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    stack = Air([Peripheral()], scan_error=error).stack()
    for attempt in (scan("", 0.02, stack), BleLink("Tiny", stack).connect(0.02)):
        with pytest.raises(DfuBleError) as caught:
            asyncio.run(attempt)
        diagnostic = caught.value.diagnostic
        assert (diagnostic.code, diagnostic.message) == ("LK401", message)
        assert remedy in " / ".join(help.text for help in diagnostic.helps)
        [note] = diagnostic.notes
        assert note.text.startswith("the system says: ")
        assert "BleakBluetoothNotAvailableReason" not in note.text
        assert caught.value.status is ExitStatus.NO_LINK


def test_an_adapter_that_goes_off_while_connecting_is_lk401_and_not_tried_again() -> None:
    device = Peripheral(connect_errors=[dbus("org.bluez.Error.NotReady")] * 9)
    with pytest.raises(DfuBleError, match="LK401 no-adapter: Bluetooth is off"):
        asyncio.run(BleLink(device.address, Air([device]).stack()).connect(0.1))
    assert device.log == ["connect"]
