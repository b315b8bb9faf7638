# SPDX-License-Identifier: Apache-2.0
"""What bleak and the system's Bluetooth stack say when they fail, in words that help.

Every stack fails in its own way (BlueZ by D-Bus error names, Windows by error numbers, macOS by
states of its manager), and bleak hands much of it through. What is told apart here is what the
user has to do about it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from ..diagnostics import DfuBleError
from ..faults import fault
from .gatt_faults import pairing_refused, text_of


@dataclass(frozen=True)
class _Trouble:
    """Why Bluetooth itself is no use; `helps` by `platform.system()`, "" where it is the same."""

    message: str
    why: str
    helps: Mapping[str, tuple[str, ...]]

    def fault(self, detail: str) -> DfuBleError:
        helps = self.helps.get(platform.system(), ()) + self.helps.get("", ())
        notes = [f"the system says: {detail}"] if detail else []
        return fault("LK401", self.message, why=self.why, notes=notes, helps=helps)


_OWN_STACK = "or use a dongle of your own, past the system's Bluetooth: --link hci:usb:0"
_ABSENT = _Trouble(
    "this computer has no Bluetooth adapter",
    "Nothing can be sent over the air without one.",
    {
        "Linux": ("plug one in; `bluetoothctl list` shows what the system knows",),
        "": ("plug in a Bluetooth LE adapter", _OWN_STACK),
    },
)
_CLASSIC = _Trouble(
    "the Bluetooth adapter cannot connect to Bluetooth LE devices",
    "It is for classic Bluetooth alone, or its driver does not do the central role.",
    {"": ("plug in a Bluetooth LE adapter", _OWN_STACK)},
)
_OFF = _Trouble(
    "Bluetooth is off",
    "The adapter is there but its radio is switched off.",
    {
        "Linux": ("rfkill unblock bluetooth && bluetoothctl power on",),
        "Darwin": ("turn it on in System Settings > Bluetooth",),
        "Windows": ("turn it on in Settings > Bluetooth & devices",),
    },
)
_DENIED = _Trouble(
    "this user may not use Bluetooth",
    "The system refused access to its Bluetooth stack.",
    {
        "Linux": ("join the group bluetooth and log in again: sudo usermod -aG bluetooth $USER",),
        "Darwin": ("allow it to the terminal in System Settings > Privacy & Security > Bluetooth",),
        "Windows": ("allow it in Settings > Privacy & security > Radios",),
    },
)
_NO_SERVICE = _Trouble(
    "the system's Bluetooth service is not running",
    "BlueZ (bluetoothd) carries every Bluetooth connection of this system.",
    {"": ("sudo systemctl start bluetooth", _OWN_STACK)},
)
_NO_BUS = _Trouble(
    "the system's message bus (D-Bus) cannot be reached",
    "Programs speak with BlueZ over it; containers and minimal systems often have none.",
    {
        "": (
            "start it: sudo systemctl start dbus bluetooth; in a container, "
            "mount /run/dbus/system_bus_socket",
            _OWN_STACK,
        )
    },
)
_UNKNOWN = _Trouble("Bluetooth cannot be used", "The system did not say why.", {"": (_OWN_STACK,)})

# bleak.exc.BleakBluetoothNotAvailableReason, by name, since bleak 1.x has no such class
_BY_REASON = {
    "NO_BLUETOOTH": _ABSENT,
    "NO_BLE_CENTRAL_ROLE": _CLASSIC,
    "POWERED_OFF": _OFF,
    "DENIED_BY_USER": _DENIED,
    "DENIED_BY_SYSTEM": _DENIED,
    "DENIED_BY_UNKNOWN": _DENIED,
}
_BY_DBUS_NAME = {
    "org.freedesktop.DBus.Error.ServiceUnknown": _NO_SERVICE,
    "org.freedesktop.DBus.Error.NameHasNoOwner": _NO_SERVICE,
    "org.freedesktop.DBus.Error.AccessDenied": _DENIED,
    "org.freedesktop.DBus.Error.NoServer": _NO_BUS,
    "org.freedesktop.DBus.Error.Disconnected": _NO_BUS,
    "org.bluez.Error.NotReady": _OFF,
    "org.bluez.Error.NotAuthorized": _DENIED,
}
# What follows says why; systems without systemd answer so when the service is not running.
_DBUS_CANNOT_START = "org.freedesktop.DBus.Error.Spawn."
# bleak 1.x has these only as text
_BY_TEXT = {
    "no bluetooth adapter": _ABSENT,
    "bluetooth is unsupported": _ABSENT,
    "no powered bluetooth adapter": _OFF,
    "turned off": _OFF,
    "is bluetooth turned on": _OFF,
    "blocked through rfkill": _OFF,
    "not authorized": _DENIED,
    "access is denied by": _DENIED,
}
# HRESULT_FROM_WIN32(ERROR_NOT_READY), (ERROR_DEVICE_NOT_AVAILABLE), (ERROR_ACCESS_DENIED)
_BY_WINDOWS_NUMBER = {-2147024875: _OFF, -2147020577: _OFF, -2147024891: _DENIED}

# ATT: insufficient authentication, authorization, key size, encryption (Core 5.4, 3.F.3.4.1.1)
_SECURITY_CODES = (0x05, 0x08, 0x0C, 0x0F)
_SECURITY_TEXTS = (
    "not paired",
    "insufficient authentication",
    "insufficient encryption",
    "insufficient authorization",
    "authentication is insufficient",
    "encryption is insufficient",
    "access denied",
    "org.bluez.error.authentication",
)


def adapter_fault(error: Exception) -> DfuBleError | None:
    """Make LK401 of an error that says that Bluetooth itself cannot be used; else `None`."""
    trouble = _trouble(error)
    return trouble.fault(text_of(error)) if trouble else None


def scan_fault(error: Exception) -> DfuBleError:
    """Make LK401 of whatever kept the system from scanning."""
    if getattr(error, "dbus_error", "") == "org.freedesktop.DBus.Error.UnknownObject":
        return _ABSENT.fault(text_of(error))  # the adapter was pulled out
    return (_trouble(error) or _UNKNOWN).fault(text_of(error))


def wants_pairing(error: Exception) -> bool:
    """Whether the device refused because the connection is not paired (encrypted)."""
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return code in _SECURITY_CODES
    text = text_of(error).lower()
    return any(phrase in text for phrase in _SECURITY_TEXTS)


def connect_fault(error: Exception, peer: str, seconds: float) -> DfuBleError:
    """Make LK401 or LK403 of an error in connecting to `peer`, which was given `seconds`."""
    known = adapter_fault(error)
    if known:
        return known
    timed_out = isinstance(error, TimeoutError) or type(error).__name__ == "TimeoutError"
    return fault(
        "LK403",
        f"{peer} did not accept the connection within {seconds:.0f} s"
        if timed_out
        else f"the connection to {peer} failed",
        notes=[] if timed_out else [f"the system says: {text_of(error)}"],
        helps=[
            "bring the device nearer, and see that nothing else is connected to it",
            "if it was paired before with other firmware, remove it from the system's "
            "Bluetooth settings, then try again",
        ],
    )


def pairing_fault(error: Exception, peer: str, address: str, *, paired: bool) -> DfuBleError:
    """Make LK405, with what this system's user can do; see `pairing_refused`."""
    enter, forget = {
        "Linux": (
            "if the device shows a passkey, give it with --passkey, or be asked in a terminal",
            f"bluetoothctl remove {address}",
        ),
        "Darwin": (
            "answer the system's question for the passkey that the device shows",
            "System Settings > Bluetooth > Forget",
        ),
    }.get(
        platform.system(),
        (
            "pair in the system's settings, with the passkey that the device shows, then try again",
            "in the system's Bluetooth settings",
        ),
    )
    return pairing_refused(
        peer,
        f"the system says: {text_of(error)}",
        [
            enter,
            f"if there was an earlier pairing, one side may have forgotten it, or it was made "
            f"without a passkey: forget it ({forget}), then try again",
        ],
        paired=paired,
    )


def _trouble(error: Exception) -> _Trouble | None:
    reason = getattr(getattr(error, "reason", None), "name", None)
    if reason is not None:
        return _BY_REASON.get(reason, _UNKNOWN)
    dbus_name = getattr(error, "dbus_error", None)
    if dbus_name in _BY_DBUS_NAME:
        return _BY_DBUS_NAME[dbus_name]
    if isinstance(dbus_name, str) and dbus_name.startswith(_DBUS_CANNOT_START):
        return _NO_SERVICE
    number = getattr(error, "winerror", None)
    if number in _BY_WINDOWS_NUMBER:
        return _BY_WINDOWS_NUMBER[number]
    text = text_of(error).lower()
    for phrase, trouble in _BY_TEXT.items():
        if phrase in text:
            return trouble
    if type(error).__module__.startswith("dbus_fast"):
        return _NO_BUS
    if platform.system() == "Linux" and isinstance(error, OSError):
        # Everything that bleak opens on Linux is the socket of the message bus.
        if isinstance(error, PermissionError):
            return _DENIED
        if isinstance(error, FileNotFoundError | ConnectionError):
            return _NO_BUS
    return None
