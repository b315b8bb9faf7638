# SPDX-License-Identifier: Apache-2.0
"""What the command line calls a link, and what it answers to things that are none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib import import_module

import pytest

from west_dfu_ble.diagnostics import DfuBleError, ExitStatus
from west_dfu_ble.link import open_link, scan
from west_dfu_ble.link.open import KINDS

ALL_KINDS = "one of ble, hci:SPEC, serial:PORT[@BAUD], udp:HOST:PORT, virtual"


@pytest.mark.parametrize(
    ("spec", "message", "remedy"),
    [
        ("bluetooth", "there is no link 'bluetooth'", ALL_KINDS),
        ("", "there is no link ''", ALL_KINDS),
        ("/dev/ttyACM0", "there is no link '/dev/ttyACM0'", ALL_KINDS),
        ("ble:hci0", "the link 'ble:hci0' says too much", "write it as ble"),
        ("virtual:", "the link 'virtual:' says too much", "write it as virtual"),
        ("hci", "the link 'hci' says not where", "write it as hci:SPEC"),
        ("serial:", "the link 'serial:' says not where", "write it as serial:PORT[@BAUD]"),
        ("serial:COM3@fast", "'fast' is no baud rate", "write the link as serial:PORT@BAUD"),
        ("serial:COM3@0", "'0' is no baud rate", "write the link as serial:PORT@BAUD"),
        ("udp:host", "'host' is no host with a port", "write the link as udp:HOST:PORT"),
        ("udp:host:0", "'host:0' is no host with a port", "write the link as udp:HOST:PORT"),
        ("udp::1337", "':1337' is no host with a port", "write the link as udp:HOST:PORT"),
    ],
)
def test_a_link_that_makes_no_sense_is_a_usage_error(spec: str, message: str, remedy: str) -> None:
    with pytest.raises(DfuBleError) as caught:
        open_link(spec, None)
    diagnostic = caught.value.diagnostic
    assert (diagnostic.code, diagnostic.message) == ("LK408", message)
    assert caught.value.status is ExitStatus.USAGE
    assert diagnostic.helps[0].text.startswith(remedy)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("ble", "ble"),
        ("serial:/dev/ttyACM0", "serial"),
        ("serial:COM3@1000000", "serial"),
        ("serial:socket://127.0.0.1:4000@115200", "serial"),
        ("udp:192.0.2.1:1337", "udp"),
        ("udp:[::1]:1337", "udp"),
    ],
)
def test_every_kind_is_opened_by_its_name(spec: str, kind: str) -> None:
    link = open_link(spec, "Tiny")
    assert link.traits.kind == kind
    assert not link.is_connected


class Absent:
    """Makes one module impossible to find, as if it were not installed."""

    def __init__(self, module: str) -> None:
        self._module = module

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def make_absent(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        loaded = (name + ".").startswith(module + ".")
        if loaded or name.startswith("west_dfu_ble.link."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("sys.meta_path", [Absent(module), *sys.meta_path])


@pytest.mark.parametrize(
    ("spec", "module", "package"),
    [
        ("ble", "bleak", "bleak"),
        ("hci:usb:0", "bumble", "bumble"),
        ("serial:x", "serial", "pyserial"),
        ("serial:x", "smp", "smp"),
    ],
)
def test_a_missing_library_is_named_as_pip_knows_it(
    spec: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_absent(module, monkeypatch)
    with pytest.raises(DfuBleError) as caught:
        open_link(spec, None)
    diagnostic = caught.value.diagnostic
    assert diagnostic.code == "LK409"
    assert diagnostic.message == f"the Python package {package} is not installed"
    assert diagnostic.helps[0].text == f"python -m pip install {package}"


def test_a_library_that_is_broken_is_not_passed_off_as_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_absent("bleak.backends.characteristic", monkeypatch)
    with pytest.raises(ModuleNotFoundError, match=r"bleak\.backends\.characteristic"):
        open_link("ble", None)


@pytest.mark.parametrize("spec", ["serial:COM3", "udp:192.0.2.1:1337"])
def test_only_the_air_can_be_listened_to(spec: str) -> None:
    with pytest.raises(DfuBleError, match="LK408 unknown-link: nothing can be looked for over"):
        asyncio.run(scan(spec, 0.1))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_table_is_a_module_that_opens(kind: str) -> None:
    module = import_module(KINDS[kind].module, "west_dfu_ble.link")
    assert callable(module.open_link)


def test_the_door_imports_nothing_heavy() -> None:
    heavy = ("asyncio", "bleak", "bumble", "serial", "smp", "dbus_fast", "cbor2")
    program = (
        "import sys, west_dfu_ble.link as link; "
        f"link.open_link; print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[]"
